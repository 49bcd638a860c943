//! The embedded backend: one SQLite file, WAL, `synchronous=FULL`, normal locking.
//!
//! One table a kind of record: `key`, `version`, `body` (JSON, readable with `sqlite3 -readonly`), `crc`. Table `meta`
//! holds the version of the last batch. `application_id` and `user_version` say what the file is and in which format.
//! A file that is damaged or of a newer format is refused, and not one byte of it is changed.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, params};

use super::{Batch, Durable};
use crate::record::checksum;
use crate::{Kind, Record, StoreError};

/// `LONG` in ASCII.
const APPLICATION_ID: i64 = 0x4c4f_4e47;
/// The newest format that this code knows.
const FORMAT: i64 = 1;

/// An open file.
pub struct Sqlite {
    path: PathBuf,
    connection: Connection,
}

impl Sqlite {
    /// Opens the file, or makes it where there is none.
    ///
    /// # Errors
    /// Damaged, newer, not ours, or the disk.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let new = std::fs::metadata(path).map_or(true, |metadata| metadata.len() == 0);
        if !new {
            Self::examine(path)?;
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let open = |error: rusqlite::Error| StoreError::Open { path: path.to_path_buf(), reason: error.to_string() };
        let connection = Connection::open_with_flags(path, flags).map_err(open)?;
        connection.busy_timeout(std::time::Duration::from_secs(10)).map_err(open)?;
        connection.pragma_update(None, "journal_mode", "WAL").map_err(open)?;
        connection.pragma_update(None, "synchronous", "FULL").map_err(open)?;
        connection.set_prepared_statement_cache_capacity(64);
        let backend = Self { path: path.to_path_buf(), connection };
        if new {
            backend.create().map_err(open)?;
        }
        Ok(backend)
    }

    /// Looks at an existing file without changing it: a read-only connection, except that SQLite may roll its WAL.
    fn examine(path: &Path) -> Result<(), StoreError> {
        let damaged = |reason: String| StoreError::Damaged { path: path.to_path_buf(), reason };
        let read = |error: rusqlite::Error| damaged(error.to_string());
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(read)?;
        let pragma = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        let application = pragma("application_id").map_err(read)?;
        if application != APPLICATION_ID {
            return Err(damaged("it is not a longshore store".into()));
        }
        let found = pragma("user_version").map_err(read)?;
        if found > FORMAT {
            return Err(StoreError::Newer { path: path.to_path_buf(), found, known: FORMAT });
        }
        let check: String = connection.pragma_query_value(None, "quick_check", |row| row.get(0)).map_err(read)?;
        if check == "ok" { Ok(()) } else { Err(damaged(check)) }
    }

    fn create(&self) -> rusqlite::Result<()> {
        let mut ddl = String::from(
            "BEGIN IMMEDIATE; CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;",
        );
        for kind in Kind::ALL {
            ddl += &format!(
                "CREATE TABLE {} (key TEXT PRIMARY KEY, version INTEGER NOT NULL, body TEXT NOT NULL, crc INTEGER NOT NULL) WITHOUT ROWID;",
                kind.table()
            );
        }
        ddl += &format!(
            "INSERT INTO meta VALUES ('version', 0); PRAGMA application_id={APPLICATION_ID}; PRAGMA user_version={FORMAT}; COMMIT;"
        );
        self.connection.execute_batch(&ddl)
    }

    fn damaged(&self, reason: impl ToString) -> StoreError {
        StoreError::Damaged { path: self.path.clone(), reason: reason.to_string() }
    }

    fn load_kind(&self, kind: Kind, newest: u64, insert: &mut dyn FnMut(Record)) -> Result<(), StoreError> {
        let table = kind.table();
        let damaged = |error: rusqlite::Error| self.damaged(error);
        let sql = format!("SELECT key, version, body, crc FROM {table}");
        let mut statement = self.connection.prepare(&sql).map_err(damaged)?;
        let mut rows = statement.query([]).map_err(damaged)?;
        while let Some(row) = rows.next().map_err(damaged)? {
            let text = |index| row.get_ref(index).and_then(|value| Ok(value.as_str()?));
            let (key, body) = (text(0).map_err(damaged)?, text(2).map_err(damaged)?);
            let version: u64 = row.get(1).map_err(damaged)?;
            let crc: u32 = row.get(3).map_err(damaged)?;
            if checksum(kind, key, version, body) != crc {
                return Err(self.damaged(format!("the checksum of row {key} in table {table} is wrong")));
            }
            if version > newest {
                return Err(self.damaged(format!("row {key} in table {table} is newer than the last batch")));
            }
            let record = Record::decode(kind, body).map_err(|error| self.damaged(error))?;
            if record.key() != key {
                return Err(self.damaged(format!("row {key} in table {table} holds another record")));
            }
            insert(record);
        }
        Ok(())
    }

    fn write(&mut self, batch: &Batch) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        for row in &batch.rows {
            let table = row.kind.table();
            match &row.body {
                Some(body) => {
                    let sql =
                        format!("INSERT OR REPLACE INTO {table} (key, version, body, crc) VALUES (?1, ?2, ?3, ?4)");
                    let crc = checksum(row.kind, &row.key, row.version, body);
                    transaction.prepare_cached(&sql)?.execute(params![row.key, row.version, body, crc])?;
                }
                None => {
                    let sql = format!("DELETE FROM {table} WHERE key = ?1");
                    transaction.prepare_cached(&sql)?.execute([&row.key])?;
                }
            }
        }
        transaction.prepare_cached("UPDATE meta SET value = ?1 WHERE name = 'version'")?.execute([batch.version])?;
        transaction.commit()
    }
}

impl Durable for Sqlite {
    fn load(&mut self, insert: &mut dyn FnMut(Record)) -> Result<u64, StoreError> {
        let version = self.version()?;
        for kind in Kind::ALL {
            self.load_kind(*kind, version, insert)?;
        }
        Ok(version)
    }

    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
        self.write(batch).map_err(|error| StoreError::Commit(error.to_string()))
    }

    fn version(&mut self) -> Result<u64, StoreError> {
        let sql = "SELECT value FROM meta WHERE name = 'version'";
        self.connection.query_row(sql, [], |row| row.get(0)).map_err(|error| self.damaged(error))
    }
}
