//! Faults of SQLite in words: what went wrong, and what to do.

use std::path::Path;

use rusqlite::{Error, ErrorCode, ffi};

use crate::StoreError;

fn code(error: &Error) -> Option<(ErrorCode, i32)> {
    error.sqlite_error().map(|error| (error.code, error.extended_code))
}

/// What helps against a fault of the disk or of the way to it; `None`: it is none of those, so the file is damaged.
fn advice(error: &Error) -> Option<&'static str> {
    let (code, extended) = code(error)?;
    if [ffi::SQLITE_IOERR_SHORT_READ, ffi::SQLITE_IOERR_CORRUPTFS].contains(&extended) {
        return None;
    }
    Some(match code {
        ErrorCode::DiskFull => "the disk is full: free some space on it",
        ErrorCode::ReadOnly => "the disk or the file is read-only: make it writable for this user",
        ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::AuthorizationForStatementDenied => {
            "make the directory readable and writable for this user, and its disk not full and not read-only"
        }
        ErrorCode::SystemIoFailure | ErrorCode::NoLargeFileSupport | ErrorCode::FileLockingProtocolFailed => {
            "the disk fails: see whether it is full or read-only, and what the system's log says of it"
        }
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => "another program holds it locked: end that program",
        ErrorCode::OutOfMemory => "there is not enough memory",
        _ => return None,
    })
}

/// Opening or preparing the file failed, for a reason that may lie in its content.
pub(super) fn reading(path: &Path, error: &Error) -> StoreError {
    match advice(error) {
        Some(advice) => StoreError::Open { path: path.to_path_buf(), reason: format!("{error}; {advice}") },
        None => damaged(path, error),
    }
}

/// The file holds what it must not hold.
pub(super) fn damaged(path: &Path, reason: impl ToString) -> StoreError {
    StoreError::Damaged { path: path.to_path_buf(), reason: reason.to_string() }
}

/// A commit failed.
pub(super) fn writing(path: &Path, error: &Error) -> StoreError {
    let advice =
        advice(error).unwrap_or("the file may be damaged: make a backup, and restart the server to have it read");
    let said = path.parent().and_then(probe).map(|said| format!(" ({said})")).unwrap_or_default();
    StoreError::Commit(format!(
        "{}: {error}{said}; {advice}; reads go on, and so do writes by themselves once it is remedied",
        path.display()
    ))
}

/// What the system says of a write into the directory, which tells more than SQLite's code.
fn probe(directory: &Path) -> Option<std::io::Error> {
    let path = directory.join("longshore.probe");
    let outcome = std::fs::write(&path, [0; 4096]);
    // It may not be there.
    let _gone = std::fs::remove_file(&path);
    outcome.err()
}
