//! What can go wrong in the store.

use std::path::PathBuf;

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
        "{path} is damaged: {reason}; restore it from a backup, or move it away to start empty; \
         the file has not been changed"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// A record cannot be written as JSON.
    #[error("a record of table {table} cannot be encoded: {reason}")]
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
    /// One update wanted to change more than the bounds allow.
    #[error("an update exceeds the bound of {bound} ({what})")]
    Bound {
        /// What is bounded.
        what: &'static str,
        /// The bound.
        bound: usize,
    },
    /// The code that decides an update panicked; the update is undone.
    #[error("an update panicked: {0}")]
    Panicked(String),
    /// The writer has ended.
    #[error("the store is closed")]
    Closed,
    /// The disk did not answer in time; whether the update is durable is not known.
    #[error("the store did not answer within {0} s")]
    Deadline(u64),
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
