//! What a store's file holds, read past the store, straight with SQLite.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};
use sha2::{Digest, Sha256};

/// How large a store's file is, and what is in it, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// The file.
    pub file: u64,
    /// Its log.
    pub log: u64,
    /// All keys and bodies.
    pub live: u64,
}

/// The sizes of a store's file.
///
/// # Errors
/// The file cannot be read.
pub fn sizes(path: &Path) -> Result<Sizes, String> {
    let length = |path: &Path| std::fs::metadata(path).map_or(0, |metadata| metadata.len());
    let live = live(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    Ok(Sizes { file: length(path), log: length(&path.with_extension("db-wal")), live })
}

fn live(path: &Path) -> rusqlite::Result<u64> {
    let connection = open(path)?;
    let mut live = 0;
    for table in tables(&connection)? {
        let sql = format!("SELECT coalesce(sum(octet_length(key) + octet_length(body)), 0) FROM {table}");
        live += connection.query_row(&sql, [], |row| row.get::<_, u64>(0))?;
    }
    Ok(live)
}

/// How long one thread takes to read every row.
///
/// # Errors
/// The file cannot be read.
pub fn scan(path: &Path) -> Result<Duration, String> {
    let started = Instant::now();
    let mut bytes = 0;
    let read = every_row(path, |key, version, body, crc| {
        bytes += key.len() + body.len() + usize::from(version < 0) + usize::from(crc < 0);
    });
    read.map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    std::hint::black_box(bytes);
    Ok(started.elapsed())
}

/// A digest of schema and rows, in hexadecimal digits.
///
/// # Errors
/// The file cannot be read.
pub fn digest(path: &Path) -> rusqlite::Result<String> {
    let connection = open(path)?;
    let mut hash = Sha256::new();
    let schema = connection
        .prepare("SELECT sql FROM sqlite_master ORDER BY name")?
        .query_map([], |row| row.get::<_, Option<String>>(0))?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    schema.into_iter().flatten().for_each(|sql| hash.update(sql));
    for pragma in ["user_version", "page_size", "auto_vacuum"] {
        hash.update(connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0))?.to_be_bytes());
    }
    every_row(path, |key, _, body, crc| {
        hash.update(key);
        hash.update(body);
        hash.update(crc.to_be_bytes());
    })?;
    Ok(faster_hex::hex_string(&hash.finalize()))
}

fn every_row(path: &Path, mut each: impl FnMut(&[u8], i64, &[u8], i64)) -> rusqlite::Result<()> {
    let connection = open(path)?;
    for table in tables(&connection)? {
        let mut statement = connection.prepare(&format!("SELECT key, version, body, crc FROM {table}"))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            each(row.get_ref(0)?.as_bytes()?, row.get(1)?, row.get_ref(2)?.as_bytes()?, row.get(3)?);
        }
    }
    Ok(())
}

fn open(path: &Path) -> rusqlite::Result<Connection> {
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
}

/// The tables that hold records.
fn tables(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let sql = "SELECT m.name FROM sqlite_master m WHERE m.type = 'table' AND \
               (SELECT count(*) FROM pragma_table_info(m.name) WHERE name IN ('key', 'body')) = 2";
    connection.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "(key TEXT PRIMARY KEY, version INTEGER NOT NULL, body TEXT NOT NULL, crc INTEGER NOT NULL)";

    #[test]
    fn keys_and_bodies_are_counted_in_bytes_and_nothing_else_is() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("store.db");
        let connection = Connection::open(&path).unwrap();
        let sql =
            format!("CREATE TABLE tasks {TABLE}; CREATE TABLE nodes {TABLE}; CREATE TABLE meta (version INTEGER)");
        connection.execute_batch(&sql).unwrap();
        connection.execute_batch("INSERT INTO tasks VALUES ('1/é', 3, '{}', 7); INSERT INTO meta VALUES (9)").unwrap();
        let Sizes { file, log, live } = sizes(&path).unwrap();
        assert_eq!((live, log), (6, 0));
        assert_eq!(file, std::fs::metadata(&path).unwrap().len());
        assert!(scan(&path).unwrap() > Duration::ZERO);
        let before = digest(&path).unwrap();
        connection.execute_batch("UPDATE meta SET version = 10; UPDATE tasks SET version = 4").unwrap();
        assert_eq!(digest(&path).unwrap(), before);
        connection.execute_batch("UPDATE tasks SET body = '[]'").unwrap();
        assert_ne!(digest(&path).unwrap(), before);
    }
}
