//! One suite for every backend.

use longshore_store::backend::memory::Memory;
use longshore_store::backend::sqlite::Sqlite;
use longshore_store::backend::{Batch, Durable};
use longshore_store::record::Row;
use longshore_store::{Kind, Record, StoreError};

use crate::samples;

/// A backend that can be closed and opened again.
trait Reopen {
    fn open(&self) -> Box<dyn Durable>;
}

struct OnDisk(tempfile::TempDir);

impl Reopen for OnDisk {
    fn open(&self) -> Box<dyn Durable> {
        Box::new(Sqlite::open(&self.0.path().join("longshore.db")).unwrap())
    }
}

struct InMemory(Memory);

impl Reopen for InMemory {
    fn open(&self) -> Box<dyn Durable> {
        Box::new(self.0.clone())
    }
}

fn every_backend(test: impl Fn(&dyn Reopen)) {
    test(&InMemory(Memory::default()));
    test(&OnDisk(tempfile::tempdir().unwrap()));
}

fn load(backend: &mut dyn Durable) -> (u64, Vec<Record>) {
    let mut records = Vec::new();
    let version = backend.load(&mut |record| records.push(record)).unwrap();
    (version, records)
}

fn row(record: &Record, version: u64) -> Row {
    Row { kind: record.kind(), key: record.key(), version, body: Some(record.encode().unwrap()) }
}

#[test]
fn what_is_committed_is_loaded_kind_by_kind() {
    every_backend(|place| {
        let records: Vec<Record> = Kind::ALL.iter().map(|kind| samples::record(*kind)).collect();
        let rows = records.iter().rev().map(|record| row(record, 4)).collect();
        place.open().commit(&Batch { previous: 0, version: 5, rows }).unwrap();
        assert_eq!(load(&mut *place.open()), (5, records));
    });
}

#[test]
fn a_row_is_replaced_and_deleted() {
    every_backend(|place| {
        let mut backend = place.open();
        let first = samples::record(Kind::Family);
        backend.commit(&Batch { previous: 0, version: 1, rows: vec![row(&first, 1)] }).unwrap();
        let second = Record::decode(Kind::Family, &first.encode().unwrap().replace('3', "4")).unwrap();
        backend.commit(&Batch { previous: 1, version: 2, rows: vec![row(&second, 2)] }).unwrap();
        assert_eq!(load(&mut *backend), (2, vec![second.clone()]));
        let gone = Row { body: None, ..row(&second, 3) };
        backend.commit(&Batch { previous: 2, version: 3, rows: vec![gone] }).unwrap();
        assert_eq!(load(&mut *place.open()), (3, vec![]));
    });
}

#[test]
fn a_new_backend_is_empty_and_has_version_0() {
    every_backend(|place| assert_eq!(load(&mut *place.open()), (0, vec![])));
}

#[test]
fn a_batch_on_something_else_than_the_last_one_is_refused_whole() {
    every_backend(|place| {
        let mut backend = place.open();
        let first = samples::record(Kind::Family);
        backend.commit(&Batch { previous: 0, version: 4, rows: vec![row(&first, 4)] }).unwrap();
        for previous in [0, 3, 5] {
            let other = samples::record(Kind::Cluster);
            let refused = backend.commit(&Batch { previous, version: 6, rows: vec![row(&other, 6)] });
            assert_eq!(refused, Err(StoreError::Moved { expected: previous, found: 4 }));
        }
        assert_eq!(backend.version(), Ok(4));
        assert_eq!(load(&mut *place.open()), (4, vec![first]));
    });
}
