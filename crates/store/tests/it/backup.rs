//! Backups: whole, of one moment, private, and never half there.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use longshore_store::backend::sqlite::{Backup, BackupError, backup};
use longshore_store::{Backend, Kind, Options, Store, StoreError, Tx, Write};
use rusqlite::Connection;

use crate::samples;

pub fn open(directory: &Path) -> Store {
    Store::open(Options::new(Backend::Sqlite(directory.to_path_buf()))).unwrap()
}

pub fn put_all(tx: &mut Tx<'_>, _: &Write<()>) -> Result<(), ()> {
    for kind in Kind::ALL {
        tx.put(samples::record(*kind));
    }
    Ok(())
}

/// Adds a task of this number to cluster 1.
pub fn put_task(tx: &mut Tx<'_>, write: &Write<u64>) -> Result<u64, ()> {
    if tx.state().cluster_by_incarnation(1).is_none() {
        tx.put(samples::cluster(1));
    }
    tx.put(samples::task(1, write.input));
    Ok(tx.version())
}

/// The numbers of the tasks in a store.
pub fn tasks(store: &Store) -> Vec<u64> {
    let view = store.view();
    let Some(cluster) = view.cluster_by_incarnation(1) else { return vec![] };
    (1..=100_000).take_while(|number| cluster.task(samples::task(1, *number).id).is_some()).collect()
}

/// A backup as a data directory of its own, opened.
pub fn as_store(file: &Path) -> (tempfile::TempDir, Store) {
    let directory = tempfile::tempdir().unwrap();
    std::fs::copy(file, directory.path().join("longshore.db")).unwrap();
    let store = open(directory.path());
    (directory, store)
}

fn names(directory: &Path) -> Vec<PathBuf> {
    let mut names: Vec<_> = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_backup_is_the_whole_store_in_one_private_file() {
    let (directory, target) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = open(directory.path());
    store.update(samples::write(()), put_all).await.unwrap();
    for server_runs in [true, false] {
        if !server_runs {
            store.close().await.unwrap();
        }
        let file = target.path().join(format!("backup-{server_runs}"));
        let made = backup(directory.path(), &file, false).unwrap();
        let metadata = std::fs::metadata(&file).unwrap();
        let records = Some(Kind::ALL.len() as u64);
        assert_eq!(made, Backup { version: 1, records, bytes: metadata.len() });
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600, "it holds keys");
        let (_directory, copy) = as_store(&file);
        assert_eq!(copy.view().version(), 1);
        let cluster = copy.view().cluster(&samples::scope(), "c").unwrap();
        assert_eq!((cluster.tasks.len(), cluster.client_tokens.len()), (1, 1));
        assert!(copy.view().secret("page-token").is_some());
    }
    assert_eq!(names(target.path()).len(), 2, "nothing else is left");
}

#[tokio::test]
async fn nothing_is_overwritten_unless_that_is_wanted() {
    let (directory, target) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = open(directory.path());
    let file = target.path().join("backup");
    std::fs::write(&file, "precious").unwrap();
    assert_eq!(backup(directory.path(), &file, false), Err(BackupError::Exists(file.clone())));
    assert_eq!(std::fs::read(&file).unwrap(), b"precious");
    store.update(samples::write(()), put_all).await.unwrap();
    assert_eq!(backup(directory.path(), &file, true).unwrap().version, 1);
    assert_eq!(as_store(&file).1.view().version(), 1);
    let itself = directory.path().join("longshore.db");
    assert_eq!(backup(directory.path(), &itself, true), Err(BackupError::Itself(itself)));
    assert!(matches!(backup(directory.path(), target.path(), true), Err(BackupError::Exists(_))));
}

#[tokio::test]
async fn what_cannot_be_copied_leaves_nothing() {
    let (directory, target) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let file = target.path().join("backup");
    let none = directory.path().to_path_buf();
    assert_eq!(backup(&none, &file, false), Err(BackupError::NoStore(none.clone())));
    let store = open(directory.path());
    store.update(samples::write(()), put_all).await.unwrap();
    let nowhere = target.path().join("no/such/folder");
    assert!(matches!(backup(directory.path(), &nowhere, false), Err(BackupError::Write { .. })));
    store.close().await.unwrap();
    let edit = Connection::open(directory.path().join("longshore.db")).unwrap();
    edit.execute("UPDATE tasks SET body = replace(body, 'web', 'wob')", []).unwrap();
    drop(edit);
    let Err(BackupError::Copy(reason)) = backup(directory.path(), &file, false) else { panic!("a damaged backup") };
    assert!(reason.contains("checksum"), "{reason}");
    assert!(names(target.path()).is_empty());
    std::fs::write(directory.path().join("longshore.db"), "hello").unwrap();
    let refused = backup(directory.path(), &file, false);
    assert!(matches!(refused, Err(BackupError::Store(StoreError::Damaged { .. }))), "{refused:?}");
    assert!(names(target.path()).is_empty());
}

#[tokio::test]
async fn what_a_crash_has_left_is_overwritten_but_not_what_another_is_making() {
    let (directory, target) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let _store = open(directory.path());
    let file = target.path().join("backup");
    let partial = target.path().join("backup.partial");
    std::fs::write(&partial, vec![7; 100_000]).unwrap();
    let other = std::fs::File::open(&partial).unwrap();
    other.lock().unwrap();
    assert_eq!(backup(directory.path(), &file, false), Err(BackupError::Busy(file.clone())));
    drop(other);
    backup(directory.path(), &file, false).unwrap();
    assert_eq!(as_store(&file).1.view().version(), 0);
    assert!(!partial.exists());
}

/// Writes tasks 1, 2, 3, … one after another until told to end, and notes what is acknowledged.
pub struct Load {
    log: Arc<Mutex<Vec<u64>>>,
    end: Arc<AtomicBool>,
    task: tokio::task::JoinHandle<()>,
}

impl Load {
    pub fn on(store: &Store) -> Self {
        Self::begin(store, false)
    }

    /// Goes on with the next task when the store says no.
    pub fn tolerant(store: &Store) -> Self {
        Self::begin(store, true)
    }

    fn begin(store: &Store, tolerant: bool) -> Self {
        let (log, end) = (Arc::new(Mutex::new(vec![0])), Arc::new(AtomicBool::new(false)));
        let task = {
            let (store, log, end) = (store.clone(), Arc::clone(&log), Arc::clone(&end));
            tokio::spawn(async move {
                let mut number = 1;
                while !end.load(Ordering::Relaxed) {
                    match store.update(samples::write(number), put_task).await {
                        Ok(_) => log.lock().unwrap().push(number),
                        Err(error) => assert!(tolerant, "{error}"),
                    }
                    number += 1;
                }
            })
        };
        Self { log, end, task }
    }

    /// What was acknowledged, after a 0.
    pub fn acknowledged(&self) -> Vec<u64> {
        self.log.lock().unwrap().clone()
    }

    pub fn last(&self) -> u64 {
        *self.log.lock().unwrap().last().unwrap()
    }

    pub async fn at_least(&self, number: u64) {
        while self.last() < number {
            tokio::task::yield_now().await;
        }
    }

    pub async fn end(self) {
        self.end.store(true, Ordering::Relaxed);
        self.task.await.unwrap();
    }
}

#[tokio::test]
async fn a_backup_under_load_is_of_one_moment_and_has_all_that_was_acknowledged() {
    let (directory, target) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = open(directory.path());
    let load = Load::on(&store);
    for round in 1..=20 {
        load.at_least(round * 5).await;
        let (from, file) = (directory.path().to_path_buf(), target.path().join(round.to_string()));
        let before = load.last();
        let made = {
            let file = file.clone();
            tokio::task::spawn_blocking(move || backup(&from, &file, false).unwrap()).await.unwrap()
        };
        let after = load.last() + 1;
        let (_directory, copy) = as_store(&file);
        let held = tasks(&copy);
        let last = *held.last().unwrap();
        assert!((before..=after).contains(&last), "{before} <= {last} <= {after}");
        assert_eq!(copy.view().cluster_by_incarnation(1).unwrap().tasks.len(), held.len(), "no gap");
        assert_eq!((made.version, made.records), (last, Some(last + 1)));
    }
    load.end().await;
}
