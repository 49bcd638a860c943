//! One server a data directory.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use crate::StoreError;

/// Holds the lock file of a data directory until it is dropped, or the process ends in any way.
#[derive(Debug)]
pub struct DirectoryLock {
    _file: File,
}

impl DirectoryLock {
    /// Takes the lock of `directory`, which must exist.
    ///
    /// # Errors
    /// [`StoreError::Locked`] if another process has it.
    pub fn take(directory: &Path) -> Result<Self, StoreError> {
        let path = directory.join("longshore.lock");
        let open = |error: std::io::Error| StoreError::cannot_open(&path, &error);
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(open)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(StoreError::Locked(directory.to_path_buf())),
            Err(TryLockError::Error(error)) => Err(open(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_lock_is_refused_until_the_first_is_gone() {
        let directory = tempfile::tempdir().unwrap();
        let first = DirectoryLock::take(directory.path()).unwrap();
        assert_eq!(
            DirectoryLock::take(directory.path()).unwrap_err(),
            StoreError::Locked(directory.path().to_path_buf())
        );
        drop(first);
        DirectoryLock::take(directory.path()).unwrap();
    }
}
