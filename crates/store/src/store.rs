//! The store itself: open, view, update, watch.

use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use serde::Serialize;
use tokio::sync::watch as signal;

use crate::backend::{Durable, memory::Memory, sqlite::Sqlite};
use crate::lock::DirectoryLock;
use crate::watch::{Interest, TooOld, Watch, Watchers};
use crate::writer::committer::Committer;
use crate::writer::counts::{Counts, WriterCounts};
use crate::writer::decider::Decider;
use crate::writer::pending::Update;
use crate::writer::queue::Queue;
use crate::writer::steps::Steps;
use crate::writer::{Published, footprint, threads};
use crate::{State, StoreError, Tx, UpdateError, Write};

/// Where the store keeps what must not be lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Backend {
    /// One SQLite file in this data directory, made if absent.
    Sqlite(PathBuf),
    /// Nothing outlives the process; for tests.
    Memory,
}

/// How a store is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Backend.
    pub backend: Backend,
    /// How long an update may wait for the disk before its caller is told that the store did not answer.
    pub write_deadline: Duration,
}

impl Options {
    /// The options for a backend; 60 s for a write.
    pub fn new(backend: Backend) -> Self {
        Self { backend, write_deadline: Duration::from_secs(60) }
    }
}

/// A handle of the store; clones share it. The writer ends when the last handle is gone, or one of them closes it, and
/// holds the lock of the data directory until then.
#[derive(Clone)]
pub struct Store {
    published: Arc<ArcSwap<State>>,
    handle: Arc<Handle>,
}

struct Handle {
    queue: Arc<Queue>,
    watchers: Watchers,
    counts: Arc<Counts>,
    /// How long an update may wait; without end in a simulation.
    write_deadline: Option<Duration>,
    /// Its sender is gone when the writer has ended.
    ended: signal::Receiver<()>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.queue.close();
    }
}

/// A store and the halves of its writer, not running yet.
struct Parts {
    store: Store,
    decider: Decider,
    committer: Committer,
    ended: signal::Sender<()>,
}

impl Parts {
    fn new(mut backend: Box<dyn Durable>, write_deadline: Option<Duration>) -> Result<Self, StoreError> {
        let state = State::load(&mut *backend)?;
        let watchers = Watchers::starting_at(state.version());
        let published = Published::new(state);
        let (queue, counts) = (Arc::new(Queue::default()), Arc::new(Counts::default()));
        let decider = Decider::new(published.clone());
        let committer = Committer::new(backend, published.clone(), watchers.clone(), Arc::clone(&counts));
        let (ended, end) = signal::channel(());
        let handle = Arc::new(Handle { queue, watchers, counts, write_deadline, ended: end });
        let store = Store { published: published.state, handle };
        Ok(Self { store, decider, committer, ended })
    }
}

impl Store {
    /// Opens the store and loads its state.
    ///
    /// # Errors
    /// Another server has the directory; the file is damaged or of a newer version (it is left as it is); the disk.
    pub fn open(options: Options) -> Result<Self, StoreError> {
        match &options.backend {
            Backend::Memory => Self::start(Box::new(Memory::default()), None, options.write_deadline),
            Backend::Sqlite(directory) => {
                let open =
                    |error: std::io::Error| StoreError::Open { path: directory.clone(), reason: error.to_string() };
                std::fs::create_dir_all(directory).map_err(open)?;
                let lock = DirectoryLock::take(directory)?;
                let backend = Sqlite::open(&directory.join("longshore.db"))?;
                Self::start(Box::new(backend), Some(lock), options.write_deadline)
            }
        }
    }

    /// A store on a backend of one's own.
    ///
    /// # Errors
    /// What loading it says.
    pub fn on(backend: Box<dyn Durable>) -> Result<Self, StoreError> {
        Self::start(backend, None, Duration::from_secs(60))
    }

    /// A store whose writer does nothing until it is told to, on the caller's thread: for simulations. Its updates
    /// have no deadline, and it needs no runtime.
    ///
    /// # Errors
    /// What loading it says.
    pub fn stepped(backend: Box<dyn Durable>) -> Result<(Self, Steps), StoreError> {
        let Parts { store, decider, committer, ended } = Parts::new(backend, None)?;
        let steps = Steps::new(Arc::clone(&store.handle.queue), decider, committer, ended);
        Ok((store, steps))
    }

    fn start(
        backend: Box<dyn Durable>,
        lock: Option<DirectoryLock>,
        write_deadline: Duration,
    ) -> Result<Self, StoreError> {
        let Parts { store, decider, committer, ended } = Parts::new(backend, Some(write_deadline))?;
        // The lock is let go first, then whoever waits for the end may go on.
        threads::start(&store.handle.queue, decider, committer, (lock, ended))
            .map_err(|error| StoreError::Open { path: "store-writer".into(), reason: error.to_string() })?;
        Ok(store)
    }

    /// The latest published state. Never waits.
    pub fn view(&self) -> Arc<State> {
        self.published.load_full()
    }

    /// [`Store::view`] for a look that is over soon. Nothing counts the owners of the state, so that cores which only
    /// read write no memory in common.
    pub fn glance(&self) -> impl Deref<Target = Arc<State>> + use<> {
        self.published.load()
    }

    /// Runs `decide` on the writer and answers when its outcome is durable.
    ///
    /// `decide` is a plain function, so that nothing but the data in `write` enters: no clock, no randomness.
    /// It may run after the caller has gone away. An `Err` undoes what it changed.
    ///
    /// # Errors
    /// What `decide` refused; the writer is behind; the store failed, then nothing of the update is there.
    pub async fn update<I, T, E>(
        &self,
        write: Write<I>,
        decide: fn(&mut Tx<'_>, &Write<I>) -> Result<T, E>,
    ) -> Result<T, UpdateError<E>>
    where
        I: Serialize + Send + 'static,
        T: Send + 'static,
        E: Send + 'static,
    {
        let Some(charge) = self.handle.queue.admit(footprint::of(&write)) else {
            Counts::add(&self.handle.counts.turned_away, 1);
            return Err(UpdateError::Busy);
        };
        let (update, outcome) = Update::new(write, decide, charge);
        self.handle.queue.push(Box::new(update)).map_err(|_closed| StoreError::Closed)?;
        let outcome = match self.handle.write_deadline {
            None => outcome.await,
            Some(deadline) => tokio::time::timeout(deadline, outcome)
                .await
                .map_err(|_late| StoreError::Deadline(deadline.as_secs()))?,
        };
        outcome.unwrap_or(Err(UpdateError::Store(StoreError::Closed)))
    }

    /// Finishes what waits, closes the backend and lets go of the data directory. Updates after it fail with
    /// [`StoreError::Closed`]; views go on.
    ///
    /// # Errors
    /// The writer did not finish within the write deadline.
    pub async fn close(&self) -> Result<(), StoreError> {
        self.handle.queue.close();
        let mut ended = self.handle.ended.clone();
        // An error says that the sender is gone.
        let end = async { while ended.changed().await.is_ok() {} };
        match self.handle.write_deadline {
            None => end.await,
            Some(deadline) => {
                tokio::time::timeout(deadline, end).await.map_err(|_late| StoreError::Deadline(deadline.as_secs()))?
            }
        }
        Ok(())
    }

    /// What the writer has done.
    pub fn writer_counts(&self) -> WriterCounts {
        self.handle.counts.read()
    }

    /// Every change after `version` that is of interest, without gap.
    ///
    /// # Errors
    /// [`TooOld`]: begin with [`Store::view`] and its version.
    pub fn watch_from(&self, version: u64, interest: Interest) -> Result<Watch, TooOld> {
        self.handle.watchers.watch_from(version, interest)
    }
}
