//! The version that was last made durable, in a small file of its own beside the store's.
//!
//! Nothing inside a file can tell that the whole file is an older copy, or that its `-wal` file was taken away between two
//! commits. This file can: it is written after each commit, without waiting for the disk, so after a crash it may be
//! behind the store and is never ahead of it. A store that is behind it is refused.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::StoreError;

/// Digits and a line's end, always as many, so that a write replaces the one before.
const LENGTH: u64 = 21;

/// The file; made when first written.
#[derive(Debug)]
pub(super) struct Witness {
    path: PathBuf,
    file: Option<File>,
}

impl Witness {
    /// The witness of the store at `store`: the same name, ending in `.version`.
    pub(super) fn beside(store: &Path) -> Self {
        Self { path: store.with_extension("version"), file: None }
    }

    /// The version it has seen; 0 if it has seen none, or says something else.
    ///
    /// # Errors
    /// The disk.
    pub(super) fn seen(&self) -> Result<u64, StoreError> {
        let mut text = String::new();
        match File::open(&self.path).and_then(|file| file.take(LENGTH).read_to_string(&mut text)) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
            Err(error) if error.kind() == ErrorKind::InvalidData => text.clear(),
            Err(error) => return Err(StoreError::cannot_open(&self.path, &error)),
        }
        let seen = text.trim_end().parse();
        if seen.is_err() {
            tracing::warn!(path = %self.path.display(), "the file holds no version; it is written anew");
        }
        Ok(seen.unwrap_or(0))
    }

    /// Refuses a store that is behind what was seen; takes over its version otherwise.
    ///
    /// # Errors
    /// [`StoreError::Behind`], or the disk.
    pub(super) fn check(&mut self, store: &Path, version: u64) -> Result<(), StoreError> {
        let seen = self.seen()?;
        if version < seen {
            let witness = self.path.clone();
            return Err(StoreError::Behind { path: store.to_path_buf(), found: version, seen, witness });
        }
        if version > seen {
            self.saw(version);
        }
        Ok(())
    }

    /// Refuses an empty file where there was a store; a file that is gone was moved away on purpose.
    ///
    /// # Errors
    /// [`StoreError::Behind`], or the disk.
    pub(super) fn allows_an_empty_file(&self, store: &Path) -> Result<(), StoreError> {
        let seen = self.seen()?;
        if store.exists() && seen > 0 {
            let witness = self.path.clone();
            return Err(StoreError::Behind { path: store.to_path_buf(), found: 0, seen, witness });
        }
        match std::fs::remove_file(&self.path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(StoreError::cannot_open(&self.path, &error)),
            _ => Ok(()),
        }
    }

    /// Notes a durable version. That it fails is no reason to fail a batch that is durable.
    pub(super) fn saw(&mut self, version: u64) {
        if let Err(error) = self.write(version) {
            self.file = None;
            tracing::warn!(path = %self.path.display(), %error, "the last version cannot be noted");
        }
    }

    fn write(&mut self, version: u64) -> std::io::Result<()> {
        let file = match self.file.take() {
            Some(file) => file,
            None => OpenOptions::new().create(true).truncate(false).write(true).open(&self.path)?,
        };
        file.write_all_at(format!("{version:020}\n").as_bytes(), 0)?;
        self.file = Some(file);
        Ok(())
    }
}
