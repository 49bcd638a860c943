//! What the tests of the file share: a store below its writer, images of its files, and what is loaded from them.

use std::path::{Path, PathBuf};

use longshore_store::backend::sqlite::Sqlite;
use longshore_store::backend::{Batch, Durable};
use longshore_store::record::Row;
use longshore_store::{Record, StoreError};

use crate::samples;

/// A new directory; in memory where the system has such a place, since no test of these loses power.
pub fn directory() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory).unwrap() } else { tempfile::tempdir().unwrap() }
}

/// Version and records by key, as they are loaded.
pub type Loaded = (u64, Vec<(String, Record)>);

/// Loads what the store at `file` holds.
pub fn load(file: &Path) -> Result<Loaded, StoreError> {
    load_from(&mut Sqlite::open(file)?)
}

pub fn load_from(backend: &mut dyn Durable) -> Result<Loaded, StoreError> {
    let mut records = Vec::new();
    let version = backend.load(&mut |record| records.push((record.key(), record)))?;
    records.sort_by(|a, b| (a.1.kind(), &a.0).cmp(&(b.1.kind(), &b.0)));
    Ok((version, records))
}

pub fn row(record: &Record, version: u64) -> Row {
    Row { kind: record.kind(), key: record.key(), version, body: Some(record.encode().unwrap()) }
}

/// A batch of version `previous + 1` that puts and deletes these tasks of cluster 7.
pub fn batch(previous: u64, put: impl Iterator<Item = u64>, delete: impl Iterator<Item = u64>) -> Batch {
    let version = previous + 1;
    let task = |sequence| Record::from(samples::task(7, sequence));
    let mut rows: Vec<Row> = put.map(|sequence| row(&task(sequence), version)).collect();
    rows.extend(delete.map(|sequence| Row { body: None, ..row(&task(sequence), version) }));
    Batch { previous, version, rows }
}

/// An open, empty store in a new directory, and its file.
pub fn empty() -> (tempfile::TempDir, PathBuf, Sqlite) {
    let directory = directory();
    let file = directory.path().join("longshore.db");
    let mut backend = Sqlite::open(&file).unwrap();
    assert_eq!(load_from(&mut backend), Ok((0, vec![])));
    (directory, file, backend)
}

/// The files of a store as a crash would leave them: all but what lives in memory.
#[derive(Clone, PartialEq, Eq)]
pub struct Image {
    pub file: Vec<u8>,
    pub log: Vec<u8>,
    pub witness: Vec<u8>,
}

impl Image {
    pub fn of(file: &Path) -> Self {
        let read = |path: PathBuf| std::fs::read(path).unwrap_or_default();
        Self {
            file: read(file.into()),
            log: read(file.with_extension("db-wal")),
            witness: read(file.with_extension("version")),
        }
    }

    /// Writes it into a new directory.
    pub fn put(&self) -> (tempfile::TempDir, PathBuf) {
        let directory = directory();
        let file = directory.path().join("longshore.db");
        let parts = [(file.clone(), &self.file), (file.with_extension("db-wal"), &self.log)];
        for (path, bytes) in parts.into_iter().chain([(file.with_extension("version"), &self.witness)]) {
            if !bytes.is_empty() {
                std::fs::write(path, bytes).unwrap();
            }
        }
        (directory, file)
    }

    /// Loads from a copy of it; a refused one is left as it was.
    pub fn load(&self) -> Result<Loaded, StoreError> {
        let (_directory, file) = self.put();
        let loaded = load(&file);
        if let Err(error) = &loaded {
            assert!(Self::of(&file) == *self, "a refused store was changed: {error}");
        }
        loaded
    }
}

/// Random numbers that a seed repeats (splitmix64).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    /// Changes some bytes in a row, at least one, somewhere from `from` on.
    pub fn garble(&mut self, bytes: &mut [u8], from: usize) {
        let at = from + self.below(bytes.len() - from);
        let length = [1, 1, 4, 64, 4096][self.below(5)];
        for byte in bytes.iter_mut().skip(at).take(length) {
            *byte ^= (self.next() | 1) as u8;
        }
    }
}
