//! A restore: the content of a backup in place of a store's, in one transaction on the store's own file.
//!
//! So it is whole or not at all, however it ends, with a server running and without one. A running server notices at its
//! next commit, which finds another version than it builds on, or within a second, and loads everything anew. The
//! version is raised above both by 2^32: whatever anybody has seen of the store before, this is newer. The backup is
//! checked as a start checks a store before the transaction begins, and row by row once more while it is copied.

use std::fs;
use std::path::{Path, PathBuf};

use longshore_ecs_wire::agent::RESTORE_STEP;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::backup::{self, BackupError, Partial, STORE, is_same, reason_of};
use super::digest::SetDigest;
use super::meta::Meta;
use super::schema::{self, Found};
use super::witness::Witness;
use super::{fault, load, upgrade};
use crate::lock::DirectoryLock;
use crate::record::checksum;
use crate::{Kind, StoreError};

/// A restore that was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restored {
    /// Version of the store now.
    pub version: u64,
    /// Version that the backup holds.
    pub backup_version: u64,
    /// Records in it.
    pub records: u64,
    /// Version of the store before; 0 if there was none.
    pub before: u64,
}

/// Why nothing was restored. Nothing has been changed then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError {
    /// The backup is none.
    #[error("{path} cannot be restored: {reason}; nothing has been changed")]
    Backup {
        /// The backup.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The store is damaged so far that nothing can be written to it.
    #[error(
        "{path} is damaged so far that it cannot be written ({reason}); stop the server if one runs, move the file and \
         those beside it that end in -wal and -shm away, and restore again; nothing has been changed"
    )]
    Store {
        /// The store's file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The store cannot be opened or written.
    #[error(transparent)]
    Other(#[from] StoreError),
}

/// Puts the content of `file` in place of that of the store in `data_dir`, which is made if there is none.
///
/// # Errors
/// The backup is not whole, or the store cannot be written.
pub fn restore(data_dir: &Path, file: &Path) -> Result<Restored, RestoreError> {
    let backup = Source::open(data_dir, file)?;
    let path = data_dir.join(STORE);
    if fs::metadata(file).is_ok_and(|file| is_same(&path, &file)) {
        return Err(bad_backup(file, "it is the store itself"));
    }
    fs::create_dir_all(data_dir).map_err(|error| StoreError::cannot_open(data_dir, &error))?;
    let found = schema::examine(&path).map_err(|error| bad_store(&path, error))?;
    // Where there is no file, a server that runs keeps its state elsewhere, and one that starts must wait.
    let _lock = (found == Found::Nothing).then(|| DirectoryLock::take(data_dir)).transpose()?;
    let mut store = super::connect(&path, found).map_err(|error| fault::reading(&path, &error))?;
    match found {
        Found::Nothing => schema::create(&store).map_err(|error| fault::writing(&path, &error))?,
        Found::Older => upgrade::upgrade(&mut store, &path)?,
        Found::Store => {}
    }
    let mut witness = Witness::beside(&path);
    let seen = witness.seen()?;
    let restored = replace(&mut store, &path, &backup, seen)?;
    witness.saw(restored.version);
    // What is there now is good, so the log may be brought into the file.
    let tidied = store.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false);
    tidied.map_err(|error| fault::reading(&path, &error))?;
    Ok(restored)
}

fn bad_backup(path: &Path, reason: impl ToString) -> RestoreError {
    RestoreError::Backup { path: path.to_path_buf(), reason: reason.to_string() }
}

fn bad_store(path: &Path, error: StoreError) -> RestoreError {
    match error {
        StoreError::Damaged { reason, .. } => RestoreError::Store { path: path.to_path_buf(), reason },
        other => other.into(),
    }
}

/// A backup that was found whole, and a read transaction on it.
struct Source {
    path: PathBuf,
    connection: Connection,
    meta: Meta,
    /// Of a backup in an older format: the copy in the present one that is read instead.
    _copy: Option<Copy>,
}

/// A file that goes when it is dropped.
struct Copy(Partial);

impl Drop for Copy {
    fn drop(&mut self) {
        // Nothing depends on its going.
        let _gone = fs::remove_file(&self.0.path);
    }
}

impl Source {
    fn open(data_dir: &Path, file: &Path) -> Result<Self, RestoreError> {
        let bad = |error: StoreError| bad_backup(file, reason_of(error));
        let copy = match schema::examine(file).map_err(bad)? {
            Found::Nothing => return Err(bad_backup(file, "there is no such file, or it is empty")),
            Found::Older => Some(upgraded(data_dir, file)?),
            Found::Store => None,
        };
        let path = copy.as_ref().map_or(file, |copy| copy.0.path.as_path()).to_path_buf();
        let connection = schema::open_to_read(&path).map_err(bad)?;
        let said = Meta::read(&connection).map_err(|error| bad(fault::reading(&path, &error)))?;
        let meta = said.map_err(|reason| bad_backup(file, reason))?;
        if load::load(&path, &mut drop).map_err(bad)? != meta {
            return Err(bad_backup(file, "it is being written; make a backup of it, and restore that"));
        }
        Ok(Self { path: file.to_path_buf(), connection, meta, _copy: copy })
    }
}

/// A copy of an older backup, brought to the present format.
fn upgraded(data_dir: &Path, file: &Path) -> Result<Copy, RestoreError> {
    fs::create_dir_all(data_dir).map_err(|error| StoreError::cannot_open(data_dir, &error))?;
    let cannot = |error: BackupError| bad_backup(file, error);
    let copy = Copy(Partial::begin(&data_dir.join("longshore.restore")).map_err(cannot)?);
    backup::copy(file, &copy.0.path).map_err(cannot)?;
    let mut connection = Connection::open(&copy.0.path).map_err(|error| bad_backup(file, error))?;
    upgrade::upgrade(&mut connection, &copy.0.path).map_err(|error| bad_backup(file, reason_of(error)))?;
    Ok(copy)
}

/// The transaction. `seen` is the newest version that the store is known to have had.
fn replace(store: &mut Connection, path: &Path, backup: &Source, seen: u64) -> Result<Restored, RestoreError> {
    let write = |error: rusqlite::Error| match fault::reading(path, &error) {
        // A damaged page in the way of the rows.
        damaged @ StoreError::Damaged { .. } => bad_store(path, damaged),
        _ => fault::writing(path, &error).into(),
    };
    let transaction = store.transaction_with_behavior(TransactionBehavior::Immediate).map_err(write)?;
    let before = version_of(&transaction).map_err(write)?;
    let highest = before.max(seen).max(backup.meta.version);
    let version = highest.checked_add(RESTORE_STEP).filter(|version| i64::try_from(*version).is_ok());
    let version = version.ok_or_else(|| bad_backup(&backup.path, "its version is too high to be raised"))?;
    let (mut digest, mut records) = (SetDigest::default(), 0);
    for kind in Kind::ALL {
        let copied = copy_kind(&transaction, *kind, backup, &mut digest).map_err(|error| match error {
            CopyError::Read(error) => bad_backup(&backup.path, error),
            CopyError::Row(key) => bad_backup(&backup.path, format!("row {key} in table {} has changed", kind.table())),
            CopyError::Write(error) => write(error),
        })?;
        records += copied;
    }
    if digest != backup.meta.digest {
        return Err(bad_backup(&backup.path, "its rows have changed while it was read"));
    }
    transaction.execute("DELETE FROM meta", []).map_err(write)?;
    Meta { version, previous: before, digest }.insert(&transaction).map_err(write)?;
    transaction.commit().map_err(write)?;
    Ok(Restored { version, backup_version: backup.meta.version, records, before })
}

/// The version that the store says it has; where its own word is damaged, the newest of its rows.
fn version_of(transaction: &Transaction<'_>) -> rusqlite::Result<u64> {
    if let Ok(meta) = Meta::read(transaction)? {
        return Ok(meta.version);
    }
    let mut newest = 0;
    for kind in Kind::ALL {
        let sql = format!("SELECT coalesce(max(version), 0) FROM {}", kind.table());
        newest = newest.max(transaction.query_row(&sql, [], |row| row.get(0))?);
    }
    Ok(newest)
}

/// Which side of the copy failed.
enum CopyError {
    Read(rusqlite::Error),
    Row(String),
    Write(rusqlite::Error),
}

/// Puts the backup's rows of a kind in place of the store's; how many there are.
fn copy_kind(
    transaction: &Transaction<'_>,
    kind: Kind,
    backup: &Source,
    digest: &mut SetDigest,
) -> Result<u64, CopyError> {
    let table = kind.table();
    let delete = format!("DELETE FROM {table}");
    transaction.execute(&delete, []).map_err(CopyError::Write)?;
    let put = format!("INSERT INTO {table} (key, version, body, crc) VALUES (?1, ?2, ?3, ?4)");
    let mut put = transaction.prepare(&put).map_err(CopyError::Write)?;
    let select = format!("SELECT key, version, body, crc FROM {table} ORDER BY key");
    let mut select = backup.connection.prepare(&select).map_err(CopyError::Read)?;
    let mut rows = select.query([]).map_err(CopyError::Read)?;
    let mut copied = 0;
    while let Some(row) = rows.next().map_err(CopyError::Read)? {
        let text = |index| row.get_ref(index).and_then(|value| Ok(value.as_str()?)).map_err(CopyError::Read);
        let (key, body) = (text(0)?, text(2)?);
        let version: u64 = row.get(1).map_err(CopyError::Read)?;
        let crc: u32 = row.get(3).map_err(CopyError::Read)?;
        if checksum(kind, key, version, body) != crc {
            return Err(CopyError::Row(key.to_owned()));
        }
        put.execute(params![key, version, body, crc]).map_err(CopyError::Write)?;
        digest.add(SetDigest::of(kind, key, version, crc));
        copied += 1;
    }
    Ok(copied)
}
