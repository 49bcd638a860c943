//! The file stays within twice its live data, also after everything has come and gone many times.

use std::path::Path;

use longshore_store::Record;
use longshore_store::backend::sqlite::Sqlite;
use longshore_store::backend::{Batch, Durable};
use longshore_store::record::Row;
use rusqlite::Connection;

use crate::on_disk::{empty, load_from, row};
use crate::samples;

fn task(sequence: u64, stage: u64) -> Record {
    let mut task = samples::task(7, sequence);
    if stage == 0 {
        task.containers[0].network_bindings.clear();
    } else {
        let hex = format!("{sequence:064x}");
        task.containers[0].runtime_id = Some(hex.as_str().into());
        task.containers[0].image_digest = Some(format!("sha256:{hex}").into());
    }
    if stage < 2 { task.into() } else { samples::stopped(task, 200).into() }
}

struct Life {
    backend: Sqlite,
    version: u64,
}

impl Life {
    fn commit(&mut self, rows: Vec<Row>) {
        let (previous, version) = (self.version, self.version + 1);
        let rows = rows.into_iter().map(|row| Row { version, ..row }).collect();
        self.backend.commit(&Batch { previous, version, rows }).unwrap();
        self.version = version;
        self.backend.tidy().unwrap();
    }

    fn put(&mut self, tasks: &[u64], stage: u64) {
        for slice in tasks.chunks(300) {
            self.commit(slice.iter().map(|sequence| row(&task(*sequence, stage), 0)).collect());
        }
    }

    fn delete(&mut self, tasks: &[u64]) {
        for slice in tasks.chunks(300) {
            self.commit(slice.iter().map(|sequence| Row { body: None, ..row(&task(*sequence, 2), 0) }).collect());
        }
    }

    /// Closes and opens it, so that the log is in the file.
    fn reopened(self, file: &Path) -> Self {
        drop(self.backend);
        let mut backend = Sqlite::open(file).unwrap();
        assert_eq!(load_from(&mut backend).unwrap().0, self.version);
        Self { backend, version: self.version }
    }
}

/// Bytes of keys and bodies, and of the file.
fn sizes(file: &Path) -> (u64, u64) {
    let connection = Connection::open(file).unwrap();
    let live = connection.query_row("SELECT sum(length(key) + length(body)) FROM tasks", [], |row| row.get(0)).unwrap();
    (live, std::fs::metadata(file).unwrap().len())
}

#[track_caller]
fn assert_within_twice(file: &Path, what: &str) {
    let (live, size) = sizes(file);
    assert!(size <= 2 * live, "{what}: {live} bytes are live, the file has {size}");
}

#[test]
fn the_file_stays_within_twice_the_live_data() {
    let (_directory, file, backend) = empty();
    let mut life = Life { backend, version: 0 };
    let kept: Vec<u64> = (1..=2_400).collect();
    life.put(&kept, 0);
    life.put(&kept, 1);
    life = life.reopened(&file);
    assert_within_twice(&file, "started");
    for round in 1..=10 {
        let tasks: Vec<u64> = (round * 10_000..round * 10_000 + 1_200).collect();
        (0..3).for_each(|stage| life.put(&tasks, stage));
        life.delete(&tasks);
    }
    life = life.reopened(&file);
    assert_within_twice(&file, "after ten rounds of start and reap");
    let (before, _) = sizes(&file);
    let gone: Vec<u64> = kept.iter().copied().filter(|sequence| sequence % 3 != 0).collect();
    life.delete(&gone);
    life = life.reopened(&file);
    assert_within_twice(&file, "after two of three, scattered, are gone");
    assert!(sizes(&file).0 < before / 2);
    drop(life);
}
