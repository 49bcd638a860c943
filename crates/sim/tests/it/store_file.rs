//! The store's file on the modelled disk: what it must survive at each single call of the disk.

use longshore_domain::EcsId;
use longshore_domain::secret::SecretRecord;
use longshore_sim::disk::{Crash, Disk, Faults, Mounted};
use longshore_sim::random::Random;
use longshore_store::backend::sqlite::Sqlite;
use longshore_store::backend::{Batch, Durable};
use longshore_store::record::{Record, Row};
use longshore_store::{Kind, StoreError};

struct Machine {
    disk: Disk,
    mounted: Mounted,
    _folder: tempfile::TempDir,
}

impl Machine {
    fn new(seed: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk::new(Random::new(seed));
        let mounted = Mounted::new(disk.clone(), folder.path()).unwrap();
        Self { disk, mounted, _folder: folder }
    }

    /// Opens the store; its version.
    fn open(&self) -> Result<(Sqlite, u64), StoreError> {
        self.mounted.show().unwrap();
        let mut backend = Sqlite::open(&self.mounted.folder().join("longshore.db"))?;
        let version = backend.load(&mut |_| {})?;
        Ok((backend, version))
    }

    fn end(&self, backend: Option<Sqlite>, crash: Crash) {
        self.disk.end();
        drop(backend);
        self.disk.crash(crash);
    }
}

fn commit(backend: &mut Sqlite, version: u64) -> Result<(), StoreError> {
    let record = Record::from(SecretRecord { name: format!("key-{version}"), key: [EcsId([1; 16]); 2] });
    let row = Row { kind: Kind::Secret, key: record.key(), version, body: Some(record.encode()?) };
    backend.commit(&Batch { previous: version - 1, version, rows: vec![row] })
}

#[test]
fn a_store_whose_making_was_cut_off_anywhere_is_made_at_the_next_start() {
    for crash in [Crash::Kill, Crash::Power] {
        for call in 1..80 {
            let machine = Machine::new(call);
            machine.disk.end_after(call);
            let opened = machine.open().ok().map(|(backend, _)| backend);
            machine.end(opened, crash);
            let (mut backend, version) = machine.open().unwrap_or_else(|error| panic!("{crash:?} {call}: {error}"));
            assert_eq!(version, 0);
            commit(&mut backend, 1).unwrap();
        }
    }
}

#[test]
fn a_commit_survives_a_loss_of_power_after_a_sync_that_failed_and_a_restart() {
    for seed in 0..40 {
        let machine = Machine::new(seed);
        let (mut backend, _) = machine.open().unwrap();
        for version in 1..=5 {
            commit(&mut backend, version).unwrap();
        }
        machine.disk.set_faults(Faults { sync: 1000, ..Faults::default() });
        commit(&mut backend, 6).unwrap_err();
        machine.disk.set_faults(Faults::default());
        machine.end(Some(backend), Crash::Kill);
        // What the failed commit wrote can still be read, though it may never reach the disk.
        let (mut backend, seen) = machine.open().unwrap();
        machine.end(None, Crash::Power);
        drop(backend);
        let (again, version) = machine.open().unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        assert_eq!(version, seen, "seed {seed}: what was read at the start is durable");
        backend = again;
        for version in seen + 1..seen + 4 {
            commit(&mut backend, version).unwrap();
        }
        machine.end(Some(backend), Crash::Power);
        let (_, version) = machine.open().unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        assert_eq!(version, seen + 3, "seed {seed}");
    }
}
