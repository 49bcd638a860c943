//! What can go wrong in the store.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// A fault of the store itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Another server has the data directory.
    #[error("{0} is in use by another longshore server; stop it, or choose another --data-dir")]
    Locked(PathBuf),
    /// The directory or the file cannot be opened.
    #[error("cannot open {path}: {reason}")]
    Open {
        /// What was opened.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The file is of a newer version of Longshore.
    #[error(
        "{path} was written by a newer longshore (format {found}, this one knows {known}); \
         start that version, or choose another --data-dir; the file has not been changed"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: i64,
        /// The newest format known here.
        known: i64,
    },
    /// The file is damaged.
    #[error(
        "{path} is damaged: {reason}; restore it from a backup, or move it away to start empty (with its -wal file, if \
         there is one); the file has not been changed"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// The file is whole, but older than what was acknowledged.
    #[error(
        "{path} holds version {found}, but version {seen} was acknowledged: it is an older copy, or its -wal file is \
         missing; put the newer file and its -wal file back, or restore a backup with `longshore restore`, or remove \
         {witness} to accept the loss; the file has not been changed"
    )]
    Behind {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u64,
        /// The version that was acknowledged.
        seen: u64,
        /// What remembers that version.
        witness: PathBuf,
    },
    /// A record cannot be written as JSON.
    #[error("a record of table {table} cannot be encoded: {reason}; nothing of this update is there")]
    Encode {
        /// Table.
        table: &'static str,
        /// Why not.
        reason: String,
    },
    /// A body is not a record.
    #[error("a row of table {table} cannot be read: {reason}")]
    Decode {
        /// Table.
        table: &'static str,
        /// Why not.
        reason: String,
    },
    /// A commit failed; nothing of its batch is there.
    #[error("cannot write to the store: {0}")]
    Commit(String),
    /// The store is not what a batch was built on; nothing of the batch is there.
    #[error(
        "the store was changed by another process (it is at version {found}, not {expected}); this write was undone and \
         the state is read anew; try again, and let no other program write the store's file"
    )]
    Moved {
        /// The version that the batch is built on.
        expected: u64,
        /// The version that the backend holds.
        found: u64,
    },
    /// One update wanted to change more than the bounds allow.
    #[error("an update exceeds the bound of {bound} ({what}); nothing of it is there; divide it")]
    Bound {
        /// What is bounded.
        what: &'static str,
        /// The bound.
        bound: usize,
    },
    /// The code that decides an update panicked; the update is undone.
    #[error("an update panicked and was undone: {0}; please report it")]
    Panicked(String),
    /// The writer has ended.
    #[error("the store is closed; start the server again")]
    Closed,
    /// The disk did not answer in time; whether the update is durable is not known.
    #[error("the store did not answer within {0} s; the write may or may not be there; see whether its disk works")]
    Deadline(u64),
}

impl StoreError {
    /// A file or directory that cannot be opened, with what helps.
    pub(crate) fn cannot_open(path: &Path, error: &std::io::Error) -> Self {
        let advice = match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "; the disk is full: free some space on it",
            ErrorKind::ReadOnlyFilesystem => "; make its disk writable, or choose another --data-dir",
            ErrorKind::PermissionDenied => "; let this user read and write it, or choose another --data-dir",
            ErrorKind::NotADirectory => "; choose another --data-dir",
            _ => "; see whether its disk works, or choose another --data-dir",
        };
        Self::Open { path: path.to_path_buf(), reason: format!("{error}{advice}") }
    }
}

/// Why an update was not applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UpdateError<E> {
    /// The decision refused; the refusal is as durable as any answer.
    #[error("refused")]
    Refused(E),
    /// Too many updates wait; try again.
    #[error("the writer is behind")]
    Busy,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
