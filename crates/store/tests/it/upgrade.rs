//! A file of format 1 is brought to the present one, whole or not at all.

use longshore_store::record::checksum;
use longshore_store::{Kind, Record, StoreError};
use rusqlite::{Connection, params};

use crate::on_disk::{self, Image, load};
use crate::samples;

/// A file as the first release made it: 4 KiB pages, no digest, tasks keyed by their id.
fn of_format_1(records: &[Record]) -> Image {
    let directory = on_disk::directory();
    let file = directory.path().join("longshore.db");
    let connection = Connection::open(&file).unwrap();
    let mut sql = String::from(
        "PRAGMA page_size=4096; PRAGMA journal_mode=WAL; BEGIN; CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;",
    );
    for kind in Kind::ALL {
        let table = kind.table();
        sql += &format!(
            "CREATE TABLE {table} (key TEXT PRIMARY KEY, version INTEGER NOT NULL, body TEXT NOT NULL, crc INTEGER NOT NULL) WITHOUT ROWID;"
        );
    }
    sql += "INSERT INTO meta VALUES ('version', 9); PRAGMA application_id=1280265799; PRAGMA user_version=1; COMMIT";
    connection.execute_batch(&sql).unwrap();
    for record in records {
        let (kind, body) = (record.kind(), record.encode().unwrap());
        let key = match record {
            Record::Task(task) => format!("{}/{}", task.cluster, task.id),
            _ => record.key(),
        };
        let sql = format!("INSERT INTO {} VALUES (?1, ?2, ?3, ?4)", kind.table());
        connection.execute(&sql, params![key, 8, body, checksum(kind, &key, 8, &body)]).unwrap();
    }
    drop(connection);
    Image::of(&file)
}

fn records() -> Vec<Record> {
    let mut records: Vec<Record> = Kind::ALL.iter().map(|kind| samples::record(*kind)).collect();
    records.extend((2..300).map(|sequence| samples::task(7, sequence).into()));
    records
}

#[test]
fn format_1_is_brought_to_the_present_one_with_everything() {
    let mut records = records();
    let (_directory, file) = of_format_1(&records).put();
    let (version, loaded) = load(&file).unwrap();
    assert_eq!(version, 9);
    records.sort_by_key(|record| (record.kind(), record.key()));
    assert_eq!(loaded.into_iter().map(|(_, record)| record).collect::<Vec<_>>(), records);
    let connection = Connection::open(&file).unwrap();
    for (name, value) in [("user_version", 2), ("page_size", 8192), ("auto_vacuum", 2)] {
        let found: i64 = connection.pragma_query_value(None, name, |row| row.get(0)).unwrap();
        assert_eq!(found, value, "{name}");
    }
    assert_eq!(load(&file).unwrap().1.len(), records.len(), "and it opens again");
}

#[test]
fn a_damaged_file_of_format_1_is_refused_and_not_changed() {
    for sql in [
        "UPDATE tasks SET body = replace(body, 'web', 'wob') WHERE key LIKE '%9'",
        "UPDATE client_tokens SET crc = crc + 1",
        "UPDATE meta SET value = 7",
        "DELETE FROM meta",
        "DROP TABLE tasks",
    ] {
        let (_directory, file) = of_format_1(&records()).put();
        Connection::open(&file).unwrap().execute_batch(sql).unwrap();
        let damaged = Image::of(&file);
        let (_directory, file) = damaged.put();
        let error = load(&file).unwrap_err();
        assert!(matches!(error, StoreError::Damaged { .. }), "{sql}: {error}");
        assert!(Image::of(&file).file == damaged.file, "{sql}: the refused file was changed");
    }
}
