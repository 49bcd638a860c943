//! What a file of ours looks like, and whether one does: looked at through a read-only connection, before anything is
//! written.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::{Connection, OpenFlags, ffi};

use super::{fault, meta};
use crate::{Kind, StoreError};

/// `LONG` in ASCII.
pub(super) const APPLICATION_ID: i64 = 0x4c4f_4e47;
/// The newest format that this code knows.
pub(super) const FORMAT: i64 = 2;
/// Bytes of a page. Rows up to about a quarter of it lie in one piece; a longer row takes whole pages for its rest.
pub(super) const PAGE_SIZE: i64 = 8192;

/// What a path holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing, or a file whose making did not come to its end.
    Nothing,
    /// A store of an older format.
    Older,
    /// A store.
    Store,
}

/// The table of a kind.
pub(super) fn table(kind: Kind) -> String {
    format!(
        "CREATE TABLE {} (key TEXT PRIMARY KEY, version INTEGER NOT NULL, body TEXT NOT NULL, crc INTEGER NOT NULL) WITHOUT ROWID",
        kind.table()
    )
}

/// A connection that cannot write, with a transaction that sees one state for as long as it is there.
///
/// # Errors
/// Damaged, or the disk.
pub(super) fn open_to_read(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || {
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(super::BUSY)?;
        connection.execute_batch("PRAGMA cell_size_check=ON; BEGIN; SELECT 1 FROM sqlite_schema")?;
        Ok(connection)
    };
    let opened = match open() {
        Err(error) if waits_for_rollback(&error) => roll_back(path).and_then(|()| open()),
        opened => opened,
    };
    opened.map_err(|error| fault::reading(path, &error))
}

/// Whether a write outside of the log was cut off: while a new file is made, or an old one is laid out anew. Until what
/// its journal says is undone, nobody can read the file.
fn waits_for_rollback(error: &rusqlite::Error) -> bool {
    error.sqlite_error().is_some_and(|error| error.extended_code == ffi::SQLITE_READONLY_ROLLBACK)
}

/// Has SQLite undo such a write.
fn roll_back(path: &Path) -> rusqlite::Result<()> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(super::BUSY)?;
    connection.execute_batch("SELECT 1 FROM sqlite_schema")
}

/// Looks at what is at `path` without changing it.
///
/// # Errors
/// Not a store, damaged, newer, or the disk.
pub(super) fn examine(path: &Path) -> Result<Found, StoreError> {
    let damaged = |reason: &str| fault::damaged(path, reason);
    match std::fs::metadata(path) {
        Ok(file) if file.len() > 0 => {}
        Ok(_) => return Ok(Found::Nothing),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let log = path.with_extension("db-wal");
            return match std::fs::metadata(&log) {
                Ok(log) if log.len() > 0 => Err(damaged("the file is missing, but its -wal file is there")),
                _ => Ok(Found::Nothing),
            };
        }
        Err(error) => return Err(StoreError::cannot_open(path, &error)),
    }
    let connection = open_to_read(path)?;
    let read = |error: rusqlite::Error| fault::reading(path, &error);
    let pragma = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).map_err(read);
    let tables = tables(&connection).map_err(read)?;
    let (application, found) = (pragma("application_id")?, pragma("user_version")?);
    if tables.is_empty() && application == 0 && found == 0 {
        return Ok(Found::Nothing);
    }
    if application != APPLICATION_ID {
        return Err(damaged("it is not a longshore store"));
    }
    if found > FORMAT {
        return Err(StoreError::Newer { path: path.to_path_buf(), found, known: FORMAT });
    }
    let (meta, state) = match found {
        FORMAT => (meta::TABLE, Found::Store),
        1 => (super::upgrade::META_OF_FORMAT_1, Found::Older),
        _ => return Err(damaged("there is no such format")),
    };
    let wanted = Kind::ALL.iter().map(|kind| (kind.table(), table(*kind))).chain([("meta", meta.to_owned())]);
    for (name, sql) in wanted {
        if tables.get(name) != Some(&sql) {
            return Err(damaged(&format!("table {name} is missing or not as it was made")));
        }
    }
    // The schema and the list of free pages: all that loading the rows does not read.
    let check = if state == Found::Older { "PRAGMA quick_check(1)" } else { "PRAGMA quick_check(sqlite_schema)" };
    let said: String = connection.query_row(check, [], |row| row.get(0)).map_err(read)?;
    if said == "ok" { Ok(state) } else { Err(damaged(&said)) }
}

fn tables(connection: &Connection) -> rusqlite::Result<BTreeMap<String, String>> {
    let mut statement = connection.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'table'")?;
    statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

/// Makes the tables of a new file.
///
/// # Errors
/// The disk.
pub(super) fn create(connection: &Connection) -> rusqlite::Result<()> {
    let transaction = connection.unchecked_transaction()?;
    for kind in Kind::ALL {
        transaction.execute_batch(&table(*kind))?;
    }
    transaction.execute_batch(meta::TABLE)?;
    meta::Meta::default().insert(&transaction)?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", FORMAT)?;
    transaction.commit()
}
