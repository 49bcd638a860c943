//! What start refuses: a second server, a damaged file, a newer file, a file that is not ours. Nothing is overwritten.

use std::path::{Path, PathBuf};

use longshore_store::{Backend, Kind, Options, Store, StoreError, Tx, Write};
use rusqlite::Connection;

use crate::samples;

fn open(directory: &Path) -> Result<Store, StoreError> {
    Store::open(Options::new(Backend::Sqlite(directory.to_path_buf())))
}

fn put_all(tx: &mut Tx<'_>, _: &Write<()>) -> Result<(), ()> {
    for kind in Kind::ALL {
        tx.put(samples::record(*kind));
    }
    Ok(())
}

/// A directory with a store that holds one record of each kind, and its file.
async fn filled() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    store.update(samples::write(()), put_all).await.unwrap();
    store.close().await.unwrap();
    let file = directory.path().join("longshore.db");
    (directory, file)
}

/// The writer's thread lets go of the lock when it has ended.
fn until_unlocked(directory: &Path) {
    let begun = std::time::Instant::now();
    while longshore_store::lock::DirectoryLock::take(directory).is_err() {
        assert!(begun.elapsed().as_secs() < 10, "the lock is still held");
        std::thread::yield_now();
    }
}

fn refusal(directory: &Path) -> StoreError {
    let file = directory.join("longshore.db");
    let before = std::fs::read(&file).unwrap();
    let Err(error) = open(directory) else { panic!("a store that should be refused was opened") };
    assert!(std::fs::read(&file).unwrap() == before, "the refused file was changed");
    until_unlocked(directory);
    error
}

fn edit(file: &Path, sql: &str) {
    Connection::open(file).unwrap().execute_batch(&format!("{sql}; PRAGMA wal_checkpoint(TRUNCATE);")).unwrap();
}

#[tokio::test]
async fn a_second_server_is_refused_and_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let _first = open(directory.path()).unwrap();
    let Err(error) = open(directory.path()) else { panic!("two servers on one directory") };
    assert_eq!(error, StoreError::Locked(directory.path().to_path_buf()));
    assert!(error.to_string().contains("in use by another longshore server"));
}

#[tokio::test]
async fn a_closed_store_is_one_whole_file_that_another_may_open() {
    let (directory, file) = filled().await;
    assert!(!file.with_extension("db-wal").exists(), "everything is in the one file");
    let store = open(directory.path()).unwrap();
    store.close().await.unwrap();
    let refused = store.update(samples::write(()), put_all).await;
    assert_eq!(refused, Err(longshore_store::UpdateError::Store(StoreError::Closed)));
    store.close().await.unwrap();
    assert_eq!(store.view().version(), 1);
    open(directory.path()).unwrap();
}

#[tokio::test]
async fn a_changed_row_is_refused() {
    for sql in [
        "UPDATE tasks SET body = replace(body, 'web', 'wob')",
        "UPDATE tasks SET crc = crc + 1",
        "UPDATE tasks SET key = '7/x'",
        "UPDATE tasks SET version = 0",
        "UPDATE families SET body = '{}'",
        "DELETE FROM meta",
        "UPDATE meta SET value = 0",
        "DROP TABLE clusters",
    ] {
        let (directory, file) = filled().await;
        edit(&file, sql);
        let error = refusal(directory.path());
        assert!(matches!(error, StoreError::Damaged { .. }), "{sql}: {error}");
        assert!(error.to_string().contains("restore it from a backup"), "{error}");
    }
}

#[tokio::test]
async fn garbage_and_strangers_are_refused() {
    let (directory, file) = filled().await;
    let bytes = std::fs::read(&file).unwrap();
    let garbled: Vec<u8> = bytes.iter().map(|byte| byte ^ 0x5a).collect();
    let truncated = &bytes[..bytes.len() / 2];
    for damaged in [&garbled[..], b"hello", truncated] {
        std::fs::write(&file, damaged).unwrap();
        assert!(matches!(refusal(directory.path()), StoreError::Damaged { .. }));
    }
    std::fs::remove_file(&file).unwrap();
    edit(&file, "CREATE TABLE theirs (x)");
    assert!(refusal(directory.path()).to_string().contains("not a longshore store"));
}

#[tokio::test]
async fn a_newer_format_is_refused() {
    let (directory, file) = filled().await;
    edit(&file, "PRAGMA user_version = 99");
    let error = refusal(directory.path());
    assert!(matches!(error, StoreError::Newer { found: 99, .. }), "{error}");
    assert!(error.to_string().contains("newer longshore"));
}

#[tokio::test]
async fn an_undamaged_store_opens_again_with_everything() {
    let (directory, file) = filled().await;
    let store = open(directory.path()).unwrap();
    let view = store.view();
    assert_eq!(view.version(), 1);
    let cluster = view.cluster(&samples::scope(), "c").unwrap();
    assert_eq!(cluster.tasks.len(), 1);
    assert_eq!(cluster.container_instances.len(), 1);
    assert_eq!(cluster.client_tokens.len(), 1);
    // Another program may read the live file.
    let readable: i64 = Connection::open(&file)
        .unwrap()
        .query_row("SELECT json_extract(body, '$.revision') FROM tasks", [], |row| row.get(0))
        .unwrap();
    assert_eq!(readable, 3);
}
