//! The writer falls behind: callers are told so instead of waiting without bound, reads go on, and nothing
//! acknowledged is lost.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use longshore_domain::task_definition::record::FamilyRecord;
use longshore_store::backend::memory::Memory;
use longshore_store::backend::{Batch, Durable};
use longshore_store::{Record, Store, StoreError, Tx, UpdateError, Write};
use tokio::task::JoinSet;

use crate::samples;

/// As many updates may be unanswered.
const UPDATES: usize = 8_192;
/// Their inputs may take as many bytes.
const BYTES: usize = 64 << 20;

/// How long anything may take here.
const DEADLINE: Duration = Duration::from_secs(30);

/// A disk that stands still until it is let go on.
#[derive(Clone, Default)]
struct Still {
    rows: Memory,
    goes: Arc<(Mutex<bool>, Condvar)>,
}

impl Still {
    fn go_on(&self) {
        *self.goes.0.lock().unwrap() = true;
        self.goes.1.notify_all();
    }
}

impl Durable for Still {
    fn load(&mut self, insert: &mut dyn FnMut(Record)) -> Result<u64, StoreError> {
        self.rows.load(insert)
    }

    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
        let (goes, changed) = &*self.goes;
        let still = |goes: &mut bool| !*goes;
        let waited = changed.wait_timeout_while(goes.lock().unwrap(), 2 * DEADLINE, still).unwrap();
        assert!(!waited.1.timed_out(), "nobody let the disk go on");
        drop(waited);
        self.rows.commit(batch)
    }

    fn version(&mut self) -> Result<u64, StoreError> {
        self.rows.version()
    }
}

/// One family a caller, named in the first eight letters of its input.
fn put(tx: &mut Tx<'_>, write: &Write<String>) -> Result<String, ()> {
    let family = write.input[..8].to_owned();
    tx.put(FamilyRecord { scope: samples::scope(), family: family.as_str().into(), last_revision: 1 });
    Ok(family)
}

/// As many callers at once: just so many of them are turned away while the disk stands still, and the others are there
/// in the end.
async fn crowd(callers: usize, bytes: usize, turned_away: usize) {
    let disk = Still::default();
    let store = Store::on(Box::new(disk.clone())).unwrap();
    let (busy, mut away) = tokio::sync::mpsc::unbounded_channel();
    let mut calls = JoinSet::new();
    for caller in 0..callers {
        let (store, busy) = (store.clone(), busy.clone());
        let input = format!("{caller:08}{}", "x".repeat(bytes.saturating_sub(8)));
        calls.spawn(async move {
            let told = store.update(samples::write(input), put).await;
            if told == Err(UpdateError::Busy) {
                busy.send(()).unwrap();
            }
            told
        });
    }
    for _ in 0..turned_away {
        tokio::time::timeout(DEADLINE, away.recv()).await.expect("as many are turned away").unwrap();
    }
    assert_eq!(store.view().families(&samples::scope(), "").count(), 0, "reads go on, and nothing is visible early");
    disk.go_on();
    let told = calls.join_all().await;
    assert_eq!(told.iter().filter(|told| **told == Err(UpdateError::Busy)).count(), turned_away);
    let mut acknowledged: Vec<String> = told.into_iter().filter_map(Result::ok).collect();
    acknowledged.sort();
    assert_eq!(acknowledged.len(), callers - turned_away);
    let scope = samples::scope();
    let view = store.view();
    assert!(view.families(&scope, "").map(|family| &*family.family).eq(&acknowledged));
}

#[tokio::test]
async fn too_many_updates_are_turned_away() {
    crowd(UPDATES + 100, 8, 100).await;
}

#[tokio::test]
async fn too_large_inputs_are_turned_away() {
    // Each takes a little more than its text.
    crowd(100, 1 << 20, 100 - (BYTES / (1 << 20) - 1)).await;
}

#[tokio::test]
async fn one_input_of_any_size_is_let_in_and_what_is_answered_makes_room() {
    let store = Store::on(Box::new(Memory::default())).unwrap();
    for caller in 0..3 {
        let input = format!("{caller:08}{}", "x".repeat(BYTES + 1));
        assert_eq!(store.update(samples::write(input), put).await, Ok(format!("{caller:08}")));
    }
}
