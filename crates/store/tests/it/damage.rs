//! What start refuses: a second server, a damaged file, a newer file, a file that is not ours. Nothing is overwritten.

use std::path::{Path, PathBuf};

use longshore_store::backend::Durable;
use longshore_store::backend::sqlite::Sqlite;
use longshore_store::{Backend, Kind, Options, Store, StoreError, Tx, UpdateError, Write};
use rusqlite::Connection;

use crate::on_disk::{Image, batch};
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
    let before = Image::of(&file);
    let Err(error) = open(directory) else { panic!("a store that should be refused was opened") };
    assert!(Image::of(&file) == before, "the refused store was changed");
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
    assert_eq!(refused, Err(UpdateError::Store(StoreError::Closed)));
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
        "UPDATE meta SET version = 0",
        "UPDATE meta SET version = version + 1",
        "UPDATE meta SET previous = 1",
        "UPDATE meta SET digest = replace(digest, substr(digest, 1, 1), 'x')",
        "UPDATE meta SET digest = '0', crc = crc + 1",
        "DELETE FROM tasks",
        "DELETE FROM client_tokens",
        "DROP TABLE clusters",
        "ALTER TABLE clusters ADD COLUMN other",
        "PRAGMA user_version = 1",
        "PRAGMA user_version = 0",
    ] {
        let (directory, file) = filled().await;
        edit(&file, sql);
        let error = refusal(directory.path());
        assert!(matches!(error, StoreError::Damaged { .. }), "{sql}: {error}");
        assert!(error.to_string().contains("restore it from a backup"), "{error}");
    }
}

/// A row as another state of the store had it: whole, with its checksum, and yet not what is true.
#[tokio::test]
async fn a_row_that_came_back_is_refused() {
    for (changed, put_back) in [
        ("DELETE FROM tasks", "INSERT INTO tasks SELECT * FROM kept"),
        ("UPDATE tasks SET version = 1", "REPLACE INTO tasks SELECT * FROM kept"),
    ] {
        let (directory, file) = filled().await;
        edit(&file, "CREATE TABLE kept AS SELECT * FROM tasks");
        let mut backend = Sqlite::open(&file).unwrap();
        backend.load(&mut |_| {}).unwrap();
        let next = if changed.starts_with("DELETE") { batch(1, 0..0, 1..2) } else { batch(1, 1..2, 0..0) };
        backend.commit(&next).unwrap();
        drop(backend);
        drop(open(directory.path()).unwrap());
        until_unlocked(directory.path());
        edit(&file, put_back);
        let error = refusal(directory.path());
        assert!(error.to_string().contains("missing, doubled or older"), "{changed}: {error}");
    }
}

/// Making a file ended early, on a full disk or by a crash.
#[tokio::test]
async fn a_file_that_was_begun_is_taken_for_a_new_one() {
    for begun in ["", "PRAGMA page_size = 8192; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL"] {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("longshore.db");
        std::fs::write(&file, []).unwrap();
        Connection::open(&file).unwrap().execute_batch(begun).unwrap();
        let store = open(directory.path()).unwrap();
        store.update(samples::write(()), put_all).await.unwrap();
        store.close().await.unwrap();
        assert_eq!(open(directory.path()).unwrap().view().version(), 1);
    }
}

/// What a replication tool or an operator keeps in the file beside ours.
#[tokio::test]
async fn tables_of_others_in_the_file_do_no_harm() {
    let (directory, file) = filled().await;
    edit(
        &file,
        "CREATE TABLE _litestream_seq (id INTEGER PRIMARY KEY, seq INTEGER); INSERT INTO _litestream_seq VALUES (1, 5)",
    );
    assert_eq!(open(directory.path()).unwrap().view().version(), 1);
}

/// Another process that knows the format and ignores the lock.
#[tokio::test]
async fn a_file_that_another_process_changed_is_read_anew() {
    let (directory, file) = filled().await;
    let store = open(directory.path()).unwrap();
    Sqlite::open(&file).unwrap().commit(&batch(1, 50..60, 0..0)).unwrap();
    let refused = store.update(samples::write(()), put_all).await;
    // The writer may have noticed by itself, before the update came.
    if let Err(UpdateError::Store(error)) = refused {
        assert_eq!(error, StoreError::Moved { expected: 1, found: 2 });
        assert!(error.to_string().contains("try again"), "{error}");
    }
    store.update(samples::write(()), put_all).await.unwrap();
    assert_eq!(store.view().cluster(&samples::scope(), "c").unwrap().tasks.len(), 11);
    store.close().await.unwrap();
    assert_eq!(open(directory.path()).unwrap().view().cluster(&samples::scope(), "c").unwrap().tasks.len(), 11);
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
