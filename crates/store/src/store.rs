//! The store itself: open, view, update, watch.

use std::ops::Deref;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::oneshot;

use crate::backend::{Durable, memory::Memory, sqlite::Sqlite};
use crate::lock::DirectoryLock;
use crate::watch::{Interest, TooOld, Watch, Watchers};
use crate::writer::{Decided, Message, Waiting, Writer};
use crate::{State, StoreError, Tx, UpdateError, Write};

/// How many updates wait for the writer before callers are told that it is behind.
const QUEUE: usize = 8_192;

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
    queue: SyncSender<Message>,
    watchers: Watchers,
    write_deadline: Duration,
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

    fn start(
        mut backend: Box<dyn Durable>,
        lock: Option<DirectoryLock>,
        write_deadline: Duration,
    ) -> Result<Self, StoreError> {
        let mut state = State::default();
        let version = backend.load(&mut |record| record.insert(&mut state))?;
        state.version = version;
        let published = Arc::new(ArcSwap::from_pointee(state));
        let watchers = Watchers::starting_at(version);
        let (queue, receiver) = std::sync::mpsc::sync_channel(QUEUE);
        let writer = Writer { queue: receiver, backend, published: Arc::clone(&published), watchers: watchers.clone() };
        std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || {
                let closed = writer.run();
                drop(lock);
                if let Some(closed) = closed {
                    // Whoever closed it may have stopped waiting.
                    let _gone = closed.send(());
                }
            })
            .map_err(|error| StoreError::Open { path: "store-writer".into(), reason: error.to_string() })?;
        Ok(Self { published, queue, watchers, write_deadline })
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
        I: Send + 'static,
        T: Send + 'static,
        E: Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        let sender = Arc::new(std::sync::Mutex::new(Some(sender)));
        let send = move |outcome: Result<T, UpdateError<E>>| {
            let sender = sender.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
            if let Some(sender) = sender {
                // The caller may have gone away; the outcome stands all the same.
                let _gone = sender.send(outcome);
            }
        };
        let on_panic = send.clone();
        let job = move |tx: &mut Tx<'_>| {
            let decided = decide(tx, &write);
            Decided {
                keep: decided.is_ok(),
                answer: Box::new(move |durable| {
                    send(match durable {
                        Ok(()) => decided.map_err(UpdateError::Refused),
                        Err(fault) => Err(UpdateError::Store(fault)),
                    });
                }),
            }
        };
        let waiting = Waiting {
            job: Box::new(AssertUnwindSafe(job).0),
            failed: Box::new(move |fault| on_panic(Err(UpdateError::Store(fault)))),
        };
        self.queue.try_send(Message::Update(waiting)).map_err(|error| match error {
            TrySendError::Full(_) => UpdateError::Busy,
            TrySendError::Disconnected(_) => UpdateError::Store(StoreError::Closed),
        })?;
        match tokio::time::timeout(self.write_deadline, receiver).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(UpdateError::Store(StoreError::Closed)),
            Err(_) => Err(UpdateError::Store(StoreError::Deadline(self.write_deadline.as_secs()))),
        }
    }

    /// Finishes what waits, closes the backend and lets go of the data directory. Updates after it fail with
    /// [`StoreError::Closed`]; views go on.
    ///
    /// # Errors
    /// The writer did not finish within the write deadline.
    pub async fn close(&self) -> Result<(), StoreError> {
        let (sender, closed) = oneshot::channel();
        let queue = self.queue.clone();
        let sent = tokio::task::spawn_blocking(move || queue.send(Message::Close(sender)).is_ok());
        let wait = async { sent.await.unwrap_or(false) && closed.await.is_ok() };
        match tokio::time::timeout(self.write_deadline, wait).await {
            // False: it was closed before.
            Ok(_) => Ok(()),
            Err(_) => Err(StoreError::Deadline(self.write_deadline.as_secs())),
        }
    }

    /// Every change after `version` that is of interest, without gap.
    ///
    /// # Errors
    /// [`TooOld`]: begin with [`Store::view`] and its version.
    pub fn watch_from(&self, version: u64, interest: Interest) -> Result<Watch, TooOld> {
        self.watchers.watch_from(version, interest)
    }
}
