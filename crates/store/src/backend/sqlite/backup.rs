//! A backup: the store as one file, made while a server runs or while none does.
//!
//! `VACUUM INTO` copies within one read transaction. So the copy is the state at one moment, holds everything that was
//! acknowledged before it began, never holds up the writer, and ends however much is written meanwhile; SQLite's online
//! backup in steps begins anew whenever another connection writes between two of them. The price is that the log cannot
//! be brought into the store's file until the copy is done. The copy is checked as a start checks a store, then synced,
//! then given its name: under that name there is never half a backup.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::schema::{self, Found};
use super::{fault, load};
use crate::StoreError;

/// Name of the store's file in a data directory.
pub(super) const STORE: &str = "longshore.db";
/// Where a store of format 1 has its version.
const VERSION_OF_FORMAT_1: &str = "SELECT value FROM meta WHERE name = 'version'";
/// A backup holds keys and environments: nobody but its owner reads it.
const MODE: u32 = 0o600;

/// A backup that was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backup {
    /// Version of the store that it holds.
    pub version: u64,
    /// Records in it; `None` for a store of an older format, which is copied as it is.
    pub records: Option<u64>,
    /// Its size.
    pub bytes: u64,
}

/// Why no backup was made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BackupError {
    /// There is nothing to copy.
    #[error("there is no store in {0}; give the server's directory with --data-dir")]
    NoStore(PathBuf),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file of this name is there.
    #[error("{0} is there already; choose another name, or overwrite it with --force")]
    Exists(PathBuf),
    /// The name is the store's own.
    #[error("{0} is the store itself; choose another name")]
    Itself(PathBuf),
    /// Another backup is being made under this name.
    #[error("another backup to {0} is being made")]
    Busy(PathBuf),
    /// The copy cannot be written.
    #[error("cannot write {path}: {reason}; no backup was made")]
    Write {
        /// What was to be written.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The copy is not whole; it was removed.
    #[error("the copy is not whole ({0}), so no backup was made")]
    Copy(String),
}

fn cannot_write(path: &Path) -> impl Fn(std::io::Error) -> BackupError + use<> {
    let path = path.to_path_buf();
    move |error| BackupError::Write { path: path.clone(), reason: error.to_string() }
}

/// Copies the store of `data_dir` to `file`, which is only replaced if `overwrite`.
///
/// # Errors
/// Nothing is at `file` then that was not there before.
pub fn backup(data_dir: &Path, file: &Path, overwrite: bool) -> Result<Backup, BackupError> {
    let store = data_dir.join(STORE);
    let format = match schema::examine(&store)? {
        Found::Nothing => return Err(BackupError::NoStore(data_dir.to_path_buf())),
        format => format,
    };
    let is_free = || match fs::metadata(file) {
        Ok(there) if is_same(&store, &there) => Err(BackupError::Itself(file.to_path_buf())),
        Ok(there) if there.is_dir() || !overwrite => Err(BackupError::Exists(file.to_path_buf())),
        _ => Ok(()),
    };
    is_free()?;
    let partial = Partial::begin(file)?;
    let made = copy(&store, &partial.path).and_then(|()| check(&partial.path, format)).and_then(|backup| {
        let failed = cannot_write(&partial.path);
        // Whatever SQLite made of the empty file, and whatever was there before.
        partial.lock.set_permissions(fs::Permissions::from_mode(MODE)).map_err(&failed)?;
        partial.lock.sync_all().map_err(&failed)?;
        let bytes = partial.lock.metadata().map_err(&failed)?.len();
        is_free()?;
        fs::rename(&partial.path, file).map_err(cannot_write(file))?;
        sync_folder(file).map_err(cannot_write(file))?;
        Ok(Backup { bytes, ..backup })
    });
    if made.is_err() {
        // It may have its name already.
        let _gone = fs::remove_file(&partial.path);
    }
    made
}

/// Whether the path leads to that file.
pub(super) fn is_same(path: &Path, other: &fs::Metadata) -> bool {
    fs::metadata(path).is_ok_and(|own| (own.dev(), own.ino()) == (other.dev(), other.ino()))
}

/// The file beside the backup in which it is made; what a crash has left of an earlier one is overwritten.
pub(super) struct Partial {
    pub(super) path: PathBuf,
    lock: File,
}

impl Partial {
    pub(super) fn begin(file: &Path) -> Result<Self, BackupError> {
        let mut name = file.file_name().map(ToOwned::to_owned).unwrap_or_default();
        name.push(".partial");
        let path = file.with_file_name(name);
        let failed = cannot_write(&path);
        let open = OpenOptions::new().create(true).truncate(false).write(true).mode(MODE).open(&path);
        let lock = open.map_err(&failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(BackupError::Busy(file.to_path_buf())),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        lock.set_len(0).map_err(&failed)?;
        Ok(Self { path, lock })
    }
}

/// Copies a store into an empty file.
pub(super) fn copy(store: &Path, partial: &Path) -> Result<(), BackupError> {
    let name = partial.to_str().ok_or_else(|| BackupError::Write {
        path: partial.to_path_buf(),
        reason: "its name is not UTF-8".to_owned(),
    })?;
    let read = |error: rusqlite::Error| BackupError::Store(fault::reading(store, &error));
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(store, flags).map_err(read)?;
    connection.busy_timeout(super::BUSY).map_err(read)?;
    let copied = connection.execute("VACUUM INTO ?1", [name]);
    copied.map(|_| ()).map_err(|error| BackupError::Write {
        path: partial.to_path_buf(),
        reason: format!("{error}; see whether its disk is full, and the store is whole"),
    })
}

/// Reads all of the copy, as a start does.
fn check(partial: &Path, format: Found) -> Result<Backup, BackupError> {
    let bad = |error: StoreError| BackupError::Copy(reason_of(error));
    if schema::examine(partial).map_err(bad)? != format {
        return Err(BackupError::Copy("it is of another format".to_owned()));
    }
    if format == Found::Older {
        let version = schema::open_to_read(partial).map_err(bad)?.query_row(VERSION_OF_FORMAT_1, [], |row| row.get(0));
        let version = version.map_err(|error| BackupError::Copy(error.to_string()))?;
        return Ok(Backup { version, records: None, bytes: 0 });
    }
    let mut records = 0;
    let meta = load::load(partial, &mut |_| records += 1).map_err(bad)?;
    Ok(Backup { version: meta.version, records: Some(records), bytes: 0 })
}

/// What is wrong with a file, without the advice for a store.
pub(super) fn reason_of(error: StoreError) -> String {
    match error {
        StoreError::Damaged { reason, .. } | StoreError::Open { reason, .. } => reason,
        StoreError::Newer { found, known, .. } => {
            format!("it was written by a newer longshore, in format {found}; this one knows {known}")
        }
        other => other.to_string(),
    }
}

/// Makes the name of a file durable.
fn sync_folder(file: &Path) -> std::io::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}
