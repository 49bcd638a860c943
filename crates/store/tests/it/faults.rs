//! Commits that fail: nothing of the batch is there, and the writer goes on from what the backend really holds.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};

use longshore_store::backend::memory::Memory;
use longshore_store::backend::{Batch, Durable};
use longshore_store::{Record, Store, StoreError, Tx, UpdateError, Write};

use crate::samples;

const WORK: u8 = 0;
const FAIL: u8 = 1;
/// Durable, and yet reported as failed.
const LIE: u8 = 2;

#[derive(Clone, Default)]
struct Faulty {
    memory: Memory,
    mode: Arc<AtomicU8>,
}

impl Durable for Faulty {
    fn load(&mut self, insert: &mut dyn FnMut(Record)) -> Result<u64, StoreError> {
        self.memory.load(insert)
    }

    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
        let mode = self.mode.load(Ordering::SeqCst);
        if mode != FAIL {
            self.memory.commit(batch)?;
        }
        if mode == WORK { Ok(()) } else { Err(StoreError::Commit("disk full".into())) }
    }

    fn version(&mut self) -> Result<u64, StoreError> {
        self.memory.version()
    }
}

fn put_task(tx: &mut Tx<'_>, write: &Write<u64>) -> Result<(), ()> {
    let cluster = 1;
    if tx.state().cluster_by_incarnation(cluster).is_none() {
        tx.put(samples::cluster(cluster));
    }
    tx.put(samples::task(cluster, write.input));
    Ok(())
}

fn tasks(store: &Store) -> usize {
    store.view().cluster(&samples::scope(), "c").map_or(0, |cluster| cluster.tasks.len())
}

#[tokio::test]
async fn a_failed_commit_leaves_nothing_and_the_next_one_works() {
    let backend = Faulty::default();
    let store = Store::on(Box::new(backend.clone())).unwrap();
    store.update(samples::write(1), put_task).await.unwrap();
    backend.mode.store(FAIL, Ordering::SeqCst);
    let error = store.update(samples::write(2), put_task).await.unwrap_err();
    assert_eq!(error, UpdateError::Store(StoreError::Commit("disk full".into())));
    assert_eq!(tasks(&store), 1);
    backend.mode.store(WORK, Ordering::SeqCst);
    store.update(samples::write(3), put_task).await.unwrap();
    assert_eq!(tasks(&store), 2);
    assert_eq!(tasks(&Store::on(Box::new(backend)).unwrap()), 2);
}

#[tokio::test]
async fn a_commit_that_is_durable_is_acknowledged_whatever_was_reported() {
    let backend = Faulty::default();
    backend.mode.store(LIE, Ordering::SeqCst);
    let store = Store::on(Box::new(backend.clone())).unwrap();
    store.update(samples::write(1), put_task).await.unwrap();
    assert_eq!(tasks(&store), 1);
}

/// Says when a commit begins, and holds it until it may go on.
struct Gate {
    memory: Memory,
    begun: std::sync::mpsc::Sender<u64>,
    go_on: Arc<Mutex<std::sync::mpsc::Receiver<()>>>,
}

impl Durable for Gate {
    fn load(&mut self, insert: &mut dyn FnMut(Record)) -> Result<u64, StoreError> {
        self.memory.load(insert)
    }

    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
        self.begun.send(batch.version).unwrap();
        self.go_on.lock().unwrap().recv().unwrap();
        self.memory.commit(batch)
    }

    fn version(&mut self) -> Result<u64, StoreError> {
        self.memory.version()
    }
}

fn count(tx: &mut Tx<'_>, _: &Write<()>) -> Result<usize, ()> {
    Ok(tx.state().cluster(&samples::scope(), "c").map_or(0, |cluster| cluster.tasks.len()))
}

#[tokio::test]
async fn nothing_is_visible_or_answered_before_it_is_durable_and_what_waits_shares_a_commit() {
    let (begun, commits) = std::sync::mpsc::channel();
    let (go_on, gate) = std::sync::mpsc::channel();
    let gate = Gate { memory: Memory::default(), begun, go_on: Arc::new(Mutex::new(gate)) };
    let store = Store::on(Box::new(gate)).unwrap();
    let update = |sequence: u64| {
        let store = store.clone();
        tokio::spawn(async move { store.update(samples::write(sequence), put_task).await })
    };
    let first = update(1);
    let commits = tokio::task::spawn_blocking(move || {
        assert_eq!(commits.recv(), Ok(1));
        commits
    })
    .await
    .unwrap();
    let others = [update(2), update(3)];
    let reader = {
        let store = store.clone();
        tokio::spawn(async move { store.update(samples::write(()), count).await })
    };
    tokio::task::yield_now().await;
    assert_eq!(tasks(&store), 0);
    assert!(!first.is_finished());
    go_on.send(()).unwrap();
    first.await.unwrap().unwrap();
    let commits = tokio::task::spawn_blocking(move || {
        assert_eq!(commits.recv(), Ok(3), "what waited is one batch");
        commits
    })
    .await
    .unwrap();
    assert_eq!(tasks(&store), 1);
    assert!(!reader.is_finished(), "an answer that changes nothing waits for what it has seen");
    go_on.send(()).unwrap();
    for other in others {
        other.await.unwrap().unwrap();
    }
    assert_eq!(reader.await.unwrap(), Ok(3));
    assert_eq!(tasks(&store), 3);
    assert!(commits.try_recv().is_err());
}
