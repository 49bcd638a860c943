//! Restores: whole or not at all, onto a store that is open and one that is not, and always newer than before.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use longshore_store::backend::sqlite::{RestoreError, Restored, backup, restore};
use longshore_store::watch::{Interest, TooOld};
use longshore_store::{Kind, State, Store, StoreError};
use rusqlite::Connection;

use crate::backup::{Load, as_store, open, put_all, put_task, tasks};
use crate::samples;

const STEP: u64 = 1 << 32;
const PATIENCE: Duration = Duration::from_secs(20);

/// A store with tasks 1 to `many`, and where it is.
async fn with_tasks(many: u64) -> (tempfile::TempDir, Store) {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    for number in 1..=many {
        store.update(samples::write(number), put_task).await.unwrap();
    }
    (directory, store)
}

/// A backup with tasks 1 to `many`.
async fn backup_of(many: u64) -> (tempfile::TempDir, PathBuf) {
    let (directory, store) = with_tasks(many).await;
    let file = directory.path().join("backup");
    backup(directory.path(), &file, false).unwrap();
    store.close().await.unwrap();
    (directory, file)
}

/// Waits until the store shows a version of at least `version`.
async fn until_version(store: &Store, version: u64) {
    let begun = Instant::now();
    while store.view().version() < version {
        assert!(begun.elapsed() < PATIENCE, "the store is still at version {}", store.view().version());
        tokio::task::yield_now().await;
    }
}

fn edit(file: &Path, sql: &str) {
    let connection = Connection::open(file).unwrap();
    connection.execute_batch(sql).unwrap();
    connection.pragma_update(None, "wal_checkpoint", "TRUNCATE").unwrap();
}

#[tokio::test]
async fn an_open_store_takes_the_backup_over_and_goes_on_from_it() {
    let (directory, store) = with_tasks(3).await;
    let file = directory.path().join("backup");
    backup(directory.path(), &file, false).unwrap();
    for number in 4..=7 {
        store.update(samples::write(number), put_task).await.unwrap();
    }
    let mut watch = store.watch_from(7, Interest::Kind(Kind::Task)).unwrap();
    let restored = restore(directory.path(), &file).unwrap();
    assert_eq!(restored, Restored { version: 7 + STEP, backup_version: 3, records: 4, before: 7 });
    until_version(&store, 7 + STEP).await;
    assert_eq!(tasks(&store), [1, 2, 3]);
    assert_eq!(watch.next().await.unwrap_err(), TooOld);
    assert_eq!(store.update(samples::write(4), put_task).await, Ok(8 + STEP));
    assert_eq!(tasks(&store), [1, 2, 3, 4]);
    store.close().await.unwrap();
    let again = open(directory.path());
    assert_eq!((tasks(&again), again.view().version()), (vec![1, 2, 3, 4], 8 + STEP));
}

#[tokio::test]
async fn a_write_that_meets_the_restore_is_undone_or_on_top_of_it() {
    let (directory, store) = with_tasks(3).await;
    let file = directory.path().join("backup");
    backup(directory.path(), &file, false).unwrap();
    store.update(samples::write(4), put_task).await.unwrap();
    restore(directory.path(), &file).unwrap();
    // No time for the store to notice by itself.
    let met = store.update(samples::write(5), put_task).await;
    let held = store.view().cluster_by_incarnation(1).unwrap().tasks.len();
    match met {
        Ok(version) => assert_eq!((version, held), (5 + STEP, 4)),
        Err(error) => {
            assert!(error.to_string().contains("changed by another process"), "{error}");
            assert_eq!(held, 3);
        }
    }
    assert_eq!(store.view().version() >> 32, 1);
}

#[tokio::test]
async fn a_store_that_nobody_has_open_and_one_that_is_not_there_yet() {
    let (_source, file) = backup_of(3).await;
    let (directory, store) = with_tasks(9).await;
    store.close().await.unwrap();
    let restored = restore(directory.path(), &file).unwrap();
    assert_eq!((restored.version, restored.before), (9 + STEP, 9));
    let store = open(directory.path());
    assert_eq!((tasks(&store), store.view().version()), (vec![1, 2, 3], 9 + STEP));

    let parent = tempfile::tempdir().unwrap();
    let new = parent.path().join("a/new/one");
    let restored = restore(&new, &file).unwrap();
    assert_eq!((restored.version, restored.before), (3 + STEP, 0));
    let store = open(&new);
    assert_eq!((tasks(&store), store.view().version()), (vec![1, 2, 3], 3 + STEP));
    assert_eq!(std::fs::read(&file).unwrap(), std::fs::read(&file).unwrap(), "the backup is only read");
}

#[tokio::test]
async fn each_restore_is_newer_than_all_before_also_when_the_file_was_lost() {
    let (_source, file) = backup_of(3).await;
    let (directory, store) = with_tasks(5).await;
    store.close().await.unwrap();
    for round in 1..=3 {
        assert_eq!(restore(directory.path(), &file).unwrap().version, 5 + round * STEP);
    }
    let store = open(directory.path());
    store.update(samples::write(4), put_task).await.unwrap();
    store.close().await.unwrap();
    std::fs::remove_file(directory.path().join("longshore.db")).unwrap();
    assert_eq!(restore(directory.path(), &file).unwrap().version, 6 + 4 * STEP);
    assert_eq!(tasks(&open(directory.path())), [1, 2, 3]);
    // A newer backup than the store is, as on another machine.
    let (_source, newer) = backup_of(20).await;
    let (directory, store) = with_tasks(2).await;
    store.close().await.unwrap();
    assert_eq!(restore(directory.path(), &newer).unwrap().version, 20 + STEP);
}

#[tokio::test]
async fn a_backup_that_is_none_changes_nothing() {
    let (source, file) = backup_of(3).await;
    let (directory, store) = with_tasks(5).await;
    let bad = source.path().join("bad");
    let whole = std::fs::read(&file).unwrap();
    let bytes = |bytes: &[u8]| std::fs::write(&bad, bytes).unwrap();
    let sql = |sql: &str| {
        bytes(&whole);
        edit(&bad, sql);
    };
    type Damage<'a> = (&'a str, Box<dyn Fn() + 'a>);
    let damages: Vec<Damage<'_>> = vec![
        ("no such file", Box::new(|| std::fs::remove_file(&bad).unwrap_or(()))),
        ("empty", Box::new(|| bytes(b""))),
        ("not a database", Box::new(|| bytes(b"hello"))),
        ("", Box::new(|| bytes(&whole[..whole.len() / 2]))),
        (
            "not a longshore store",
            Box::new(|| {
                bytes(b"");
                edit(&bad, "CREATE TABLE theirs (x)");
            }),
        ),
        ("newer longshore, in format 99", Box::new(|| sql("PRAGMA user_version = 99"))),
        ("wrong checksum", Box::new(|| sql("UPDATE tasks SET body = replace(body, 'web', 'wob')"))),
        ("missing, doubled or older", Box::new(|| sql("DELETE FROM tasks"))),
        ("checksum of table meta", Box::new(|| sql("UPDATE meta SET version = 2"))),
        ("table clusters", Box::new(|| sql("DROP TABLE clusters"))),
    ];
    for (reason, damage) in &damages {
        damage();
        let Err(error) = restore(directory.path(), &bad) else { panic!("restored: {reason}") };
        assert!(matches!(error, RestoreError::Backup { .. }), "{reason}: {error}");
        let text = error.to_string();
        assert!(text.contains(reason) && text.contains("nothing has been changed"), "{reason}: {text}");
    }
    let itself = directory.path().join("longshore.db");
    assert!(restore(directory.path(), &itself).unwrap_err().to_string().contains("the store itself"));
    assert_eq!(store.update(samples::write(6), put_task).await, Ok(6), "the store has not noticed anything");
    store.close().await.unwrap();
    assert_eq!(tasks(&open(directory.path())), [1, 2, 3, 4, 5, 6]);
}

#[tokio::test]
async fn a_damaged_store_is_replaced_if_it_can_be_written_at_all() {
    let (_source, file) = backup_of(3).await;
    for sql in [
        "UPDATE tasks SET body = replace(body, 'web', 'wob')",
        "DELETE FROM tasks",
        "DELETE FROM meta",
        "UPDATE meta SET crc = crc + 1",
    ] {
        let (directory, store) = with_tasks(5).await;
        store.close().await.unwrap();
        edit(&directory.path().join("longshore.db"), sql);
        let restored = restore(directory.path(), &file).unwrap();
        assert_eq!(restored.version, 5 + STEP, "{sql}");
        assert_eq!(tasks(&open(directory.path())), [1, 2, 3], "{sql}");
    }
    let (directory, store) = with_tasks(5).await;
    store.close().await.unwrap();
    let path = directory.path().join("longshore.db");
    std::fs::write(&path, "hello").unwrap();
    let error = restore(directory.path(), &file).unwrap_err();
    assert!(matches!(error, RestoreError::Store { .. }), "{error}");
    assert!(error.to_string().contains("-wal"), "{error}");
    assert_eq!(std::fs::read(&path).unwrap(), b"hello");
    std::fs::remove_file(&path).unwrap();
    assert_eq!(restore(directory.path(), &file).unwrap().version, 5 + STEP);
}

#[tokio::test]
async fn a_directory_whose_server_keeps_its_state_elsewhere_is_refused() {
    let (_source, file) = backup_of(3).await;
    let directory = tempfile::tempdir().unwrap();
    let _server = longshore_store::lock::DirectoryLock::take(directory.path()).unwrap();
    let refused = restore(directory.path(), &file);
    assert_eq!(refused, Err(RestoreError::Other(StoreError::Locked(directory.path().to_path_buf()))));
    assert!(!directory.path().join("longshore.db").exists());
}

#[tokio::test]
async fn the_restored_file_is_not_larger_than_it_must_be() {
    let (_source, file) = backup_of(3).await;
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    store.update(samples::write(()), put_all).await.unwrap();
    store.close().await.unwrap();
    for _ in 0..5 {
        restore(directory.path(), &file).unwrap();
    }
    let path = directory.path().join("longshore.db");
    assert!(!path.with_extension("db-wal").exists(), "everything is in the one file");
    let (size, backup) = (std::fs::metadata(&path).unwrap().len(), std::fs::metadata(&file).unwrap().len());
    assert!(size <= 2 * backup, "{size} > 2 * {backup}");
}

#[tokio::test]
async fn under_load_what_is_acknowledged_after_the_restore_is_there() {
    let (directory, store) = with_tasks(0).await;
    let file = directory.path().join("backup");
    let load = Load::tolerant(&store);
    load.at_least(20).await;
    for round in 1..=10 {
        let from = directory.path().to_path_buf();
        let to = file.clone();
        let made = tokio::task::spawn_blocking(move || backup(&from, &to, true).unwrap()).await.unwrap();
        load.at_least(load.last() + 20).await;
        let (from, to) = (directory.path().to_path_buf(), file.clone());
        let before = load.acknowledged();
        let restored = tokio::task::spawn_blocking(move || restore(&from, &to).unwrap()).await.unwrap();
        assert_eq!((restored.version >> 32, restored.backup_version), (round, made.version));
        until_version(&store, restored.version).await;
        let noticed = load.acknowledged().len();
        load.at_least(load.last() + 20).await;
        let since = load.acknowledged().split_off(noticed);
        let (_directory, held) = as_store(&file);
        let (view, held) = (store.view(), held.view());
        let is_in = |state: &State, number: u64| {
            state.cluster_by_incarnation(1).unwrap().task(samples::task(1, number).id).is_some()
        };
        for number in before {
            assert_eq!(is_in(&view, number), is_in(&held, number), "task {number} of before, round {round}");
        }
        for number in since {
            assert!(is_in(&view, number), "task {number} acknowledged since, round {round}");
        }
    }
    load.end().await;
}

/// A file of format 1 with one family in it.
fn of_format_1(path: &Path) {
    let connection = Connection::open(path).unwrap();
    let mut ddl = String::from("CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;");
    for kind in Kind::ALL {
        let columns = "(key TEXT PRIMARY KEY, version INTEGER NOT NULL, body TEXT NOT NULL, crc INTEGER NOT NULL)";
        ddl += &format!("CREATE TABLE {} {columns} WITHOUT ROWID;", kind.table());
    }
    ddl += "INSERT INTO meta VALUES ('version', 5); PRAGMA application_id = 0x4c4f4e47; PRAGMA user_version = 1;";
    connection.execute_batch(&ddl).unwrap();
    let family = samples::record(Kind::Family);
    let (key, body) = (family.key(), family.encode().unwrap());
    let crc = longshore_store::record::checksum(Kind::Family, &key, 4, &body);
    connection.execute("INSERT INTO families VALUES (?1, 4, ?2, ?3)", (key, body, crc)).unwrap();
}

#[tokio::test]
async fn a_backup_in_an_older_format_is_restored_in_the_present_one() {
    let source = tempfile::tempdir().unwrap();
    of_format_1(&source.path().join("longshore.db"));
    let file = source.path().join("backup");
    let made = backup(source.path(), &file, false).unwrap();
    assert_eq!((made.version, made.records), (5, None));
    let (directory, store) = with_tasks(9).await;
    let restored = restore(directory.path(), &file).unwrap();
    assert_eq!((restored.version, restored.backup_version, restored.records), (9 + STEP, 5, 1));
    until_version(&store, restored.version).await;
    assert!(store.view().family(&samples::scope(), "web").is_some());
    assert!(tasks(&store).is_empty());
    let names: Vec<_> = std::fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!names.iter().any(|name| name.to_string_lossy().contains("restore")), "{names:?}");
    edit(&file, "UPDATE families SET body = replace(body, 'web', 'wob')");
    assert!(matches!(restore(directory.path(), &file), Err(RestoreError::Backup { .. })));
}
