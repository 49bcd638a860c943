//! The modelled disks as SQLite's default file system.
//!
//! One file system is registered for the whole process; the folder of a path says which disk is meant. Everything of
//! SQLite above it (pager, log, checkpoints, recovery, locking) is what runs in the product, in the product's modes.

use std::collections::BTreeMap;
use std::io::{Error, ErrorKind};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use sqlite_vfs::wip::{WalIndex, WalIndexLock};
use sqlite_vfs::{DatabaseHandle, LockKind, OpenAccess, OpenKind, OpenOptions, Vfs};

use super::locks::{REGION, SharedMemory};
use super::{Disk, Failure, Open};
use crate::random::Random;

/// Name of the file system in SQLite.
pub const VFS: &str = "longshore-sim";

/// How the names of SQLite's files begin: the store's file, its log and its journal.
const SHOWN: &str = "longshore.db";

/// The disks in use, by folder.
static DISKS: Mutex<BTreeMap<PathBuf, Disk>> = Mutex::new(BTreeMap::new());

fn disks() -> MutexGuard<'static, BTreeMap<PathBuf, Disk>> {
    DISKS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A disk that SQLite finds in a folder until this is dropped. The folder need not be there.
#[derive(Debug)]
pub struct Mounted {
    folder: PathBuf,
}

impl Mounted {
    /// Mounts a disk. From the first one on, SQLite knows no other files in this process.
    ///
    /// # Errors
    /// SQLite does not take the file system.
    pub fn new(disk: Disk, folder: &Path) -> Result<Self, String> {
        static REGISTERED: OnceLock<Result<(), String>> = OnceLock::new();
        REGISTERED.get_or_init(|| sqlite_vfs::register(VFS, Disks, true).map_err(|error| error.to_string())).clone()?;
        disks().insert(folder.to_path_buf(), disk);
        Ok(Self { folder: folder.to_path_buf() })
    }

    /// Makes the real folder show which files the disk has, for a program that looks for them past SQLite. They hold
    /// nothing.
    ///
    /// # Errors
    /// The real folder cannot be written.
    pub fn show(&self) -> Result<(), Error> {
        let disk = disks().get(&self.folder).cloned();
        for name in std::fs::read_dir(&self.folder)?.filter_map(|entry| entry.ok()?.file_name().into_string().ok()) {
            if name.starts_with(SHOWN) {
                std::fs::remove_file(self.folder.join(name))?;
            }
        }
        for (name, length) in disk.map(|disk| disk.names()).unwrap_or_default() {
            std::fs::write(self.folder.join(name), if length > 0 { "modelled" } else { "" })?;
        }
        Ok(())
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        disks().remove(&self.folder);
    }
}

struct Disks;

/// The disk of a path, and the name on it. Temporary files have no disk: SQLite needs none for what the store does.
fn find(path: &str) -> Result<(Disk, &str), Error> {
    let on_no_disk = || Error::other(format!("{path} is on no disk"));
    let (folder, name) = path.rsplit_once('/').ok_or_else(on_no_disk)?;
    let disk = disks().get(Path::new(folder)).cloned().ok_or_else(on_no_disk)?;
    Ok((disk, name))
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NotFound => ErrorKind::NotFound.into(),
            Failure::Short => ErrorKind::UnexpectedEof.into(),
            Failure::Broken => Self::other("input/output error"),
            // What the binding passes on to SQLite as SQLITE_FULL.
            Failure::Full => ErrorKind::WriteZero.into(),
        }
    }
}

impl Vfs for Disks {
    type Handle = Handle;

    fn open(&self, path: &str, options: OpenOptions) -> Result<Handle, Error> {
        let (disk, name) = find(path)?;
        let create = matches!(options.access, OpenAccess::Create | OpenAccess::CreateNew);
        let read_only = options.access == OpenAccess::Read;
        let journal = matches!(options.kind, OpenKind::MainJournal | OpenKind::SuperJournal | OpenKind::Wal);
        let open = disk.lock().open(name, create, read_only, journal)?;
        Ok(Handle { disk, open })
    }

    fn delete(&self, path: &str) -> Result<(), Error> {
        let (disk, name) = find(path)?;
        disk.lock().remove(name)?;
        Ok(())
    }

    fn exists(&self, path: &str) -> Result<bool, Error> {
        let (disk, name) = find(path)?;
        let state = disk.lock();
        if state.alive { Ok(state.names.contains_key(name)) } else { Err(Failure::Broken.into()) }
    }

    fn temporary_name(&self) -> String {
        "temporary".into()
    }

    /// SQLite asks once in a process.
    fn random(&self, buffer: &mut [i8]) {
        let mut random = Random::new(0);
        buffer.fill_with(|| i8::from_ne_bytes([random.number().to_be_bytes()[0]]));
    }

    /// Only connections on several threads ever wait for each other.
    fn sleep(&self, duration: Duration) -> Duration {
        std::thread::yield_now();
        duration
    }
}

/// An open file.
struct Handle {
    disk: Disk,
    open: Open,
}

impl Drop for Handle {
    fn drop(&mut self) {
        if let Some(locks) = self.disk.lock().locks(self.open) {
            locks.forget(self.open.holder);
        }
    }
}

fn position(offset: u64) -> Result<usize, Error> {
    usize::try_from(offset).map_err(Error::other)
}

impl DatabaseHandle for Handle {
    type WalIndex = Index;

    fn size(&self) -> Result<u64, Error> {
        Ok(self.disk.lock().file(self.open)?.len() as u64)
    }

    fn read_exact_at(&mut self, buffer: &mut [u8], offset: u64) -> Result<(), Error> {
        Ok(self.disk.lock().read(self.open, position(offset)?, buffer)?)
    }

    fn write_all_at(&mut self, buffer: &[u8], offset: u64) -> Result<(), Error> {
        Ok(self.disk.lock().write(self.open, position(offset)?, buffer)?)
    }

    fn sync(&mut self, _data_only: bool) -> Result<(), Error> {
        Ok(self.disk.lock().sync(self.open)?)
    }

    fn set_len(&mut self, size: u64) -> Result<(), Error> {
        Ok(self.disk.lock().set_len(self.open, position(size)?)?)
    }

    fn lock(&mut self, lock: LockKind) -> Result<bool, Error> {
        if self.open.read_only && LockKind::Shared < lock {
            return Err(ErrorKind::PermissionDenied.into());
        }
        let holder = self.open.holder;
        // A process that has ended holds and meets no locks; what it does next fails anyway.
        Ok(self.disk.lock().locks(self.open).is_none_or(|locks| locks.lock(holder, lock)))
    }

    fn reserved(&mut self) -> Result<bool, Error> {
        Ok(self.disk.lock().locks(self.open).is_some_and(|locks| locks.is_reserved()))
    }

    fn current_lock(&self) -> Result<LockKind, Error> {
        let holder = self.open.holder;
        Ok(self.disk.lock().locks(self.open).map_or(LockKind::None, |locks| locks.held_by(holder)))
    }

    fn wal_index(&self, _readonly: bool) -> Result<Index, Error> {
        let index = Index { disk: self.disk.clone(), open: self.open };
        index.with(SharedMemory::enter)?;
        Ok(index)
    }
}

/// One connection's part in the index of a log.
struct Index {
    disk: Disk,
    open: Open,
}

impl Index {
    fn with<T>(&self, act: impl FnOnce(&mut SharedMemory) -> T) -> Result<T, Error> {
        self.disk.lock().memory(self.open).map(act).ok_or_else(|| Failure::Broken.into())
    }
}

impl Drop for Index {
    fn drop(&mut self) {
        // Without its process there is nothing to leave.
        let _gone = self.with(|memory| memory.leave(self.open.holder));
    }
}

impl WalIndex for Index {
    fn map(&mut self, region: u32) -> Result<[u8; REGION], Error> {
        let mut into = [0; REGION];
        self.pull(region, &mut into)?;
        Ok(into)
    }

    fn lock(&mut self, locks: Range<u8>, lock: WalIndexLock) -> Result<bool, Error> {
        let holder = self.open.holder;
        self.with(|memory| match lock {
            WalIndexLock::None => {
                memory.unlock(holder, locks);
                true
            }
            WalIndexLock::Shared => memory.lock(holder, locks, false),
            WalIndexLock::Exclusive => memory.lock(holder, locks, true),
        })
    }

    fn delete(self) -> Result<(), Error> {
        Ok(())
    }

    fn pull(&mut self, region: u32, into: &mut [u8; REGION]) -> Result<(), Error> {
        self.with(|memory| memory.pull(region, into))
    }

    fn push(&mut self, region: u32, from: &[u8; REGION]) -> Result<(), Error> {
        self.with(|memory| memory.push(region, from))
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::{Connection, OpenFlags};

    use super::super::{Crash, Faults};
    use super::*;

    fn mount(disk: &Disk, name: &str) -> Mounted {
        Mounted::new(disk.clone(), &Path::new("/modelled").join(name)).unwrap()
    }

    fn connect(mounted: &Mounted) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(mounted.folder().join("a.db"), flags)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "wal_autocheckpoint", 20)?;
        connection.execute_batch("CREATE TABLE IF NOT EXISTS t (n INTEGER PRIMARY KEY, text TEXT)")?;
        Ok(connection)
    }

    /// Commits rows until the process ends; the last one that was acknowledged.
    fn commit_rows(connection: &Connection, from: u64) -> u64 {
        let text = "x".repeat(3000);
        let mut acknowledged = from;
        for number in from + 1..from + 200 {
            if connection.execute("INSERT INTO t VALUES (?1, ?2)", (number, &text)).is_err() {
                break;
            }
            acknowledged = number;
        }
        acknowledged
    }

    fn last_row(connection: &Connection) -> u64 {
        connection.query_row("SELECT coalesce(max(n), 0) FROM t", [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn sqlite_keeps_its_promise_on_a_disk_that_loses_what_is_not_synced() {
        for seed in 0..60 {
            let mut random = Random::new(seed);
            let disk = Disk::new(random.fork());
            let mounted = mount(&disk, "promise");
            let mut acknowledged = 0;
            for _ in 0..6 {
                disk.end_after(random.between(1, 150));
                if let Ok(connection) = connect(&mounted) {
                    acknowledged = commit_rows(&connection, last_row(&connection));
                }
                assert!(!disk.is_alive());
                disk.crash(if random.per_mille(700) { Crash::Power } else { Crash::Kill });
                let connection = connect(&mounted).unwrap();
                let kept = last_row(&connection);
                assert!((acknowledged..=acknowledged + 1).contains(&kept), "seed {seed}: {kept} of {acknowledged}");
                acknowledged = kept;
                let check: String = connection.pragma_query_value(None, "integrity_check", |row| row.get(0)).unwrap();
                assert_eq!(check, "ok");
            }
        }
    }

    #[test]
    fn without_syncs_it_does_not() {
        let loses = (0..60).any(|seed| {
            let disk = Disk::new(Random::new(seed));
            let mounted = mount(&disk, "careless");
            let connection = connect(&mounted).unwrap();
            connection.pragma_update(None, "synchronous", "OFF").unwrap();
            let acknowledged = commit_rows(&connection, 0);
            disk.end();
            drop(connection);
            disk.crash(Crash::Power);
            let kept =
                connect(&mounted).and_then(|again| again.query_row("SELECT max(n) FROM t", [], |row| row.get(0)));
            kept.is_ok_and(|kept: Option<u64>| kept.unwrap_or(0) < acknowledged)
        });
        assert!(loses, "the disk keeps what nobody asked it to keep");
    }

    #[test]
    fn a_fault_is_an_error_and_no_loss() {
        let faults = Faults { write: 30, sync: 30, read: 30, full: false };
        for (number, faults) in [faults, Faults { full: true, ..Faults::default() }].into_iter().enumerate() {
            let disk = Disk::new(Random::new(number as u64));
            let mounted = mount(&disk, "fault");
            let connection = connect(&mounted).unwrap();
            let acknowledged = commit_rows(&connection, 0);
            disk.set_faults(faults);
            let acknowledged = commit_rows(&connection, acknowledged);
            assert!(disk.failed() > 0);
            disk.set_faults(Faults::default());
            assert_eq!(last_row(&connection), acknowledged);
            let acknowledged = commit_rows(&connection, acknowledged);
            disk.crash(Crash::Power);
            drop(connection);
            assert_eq!(last_row(&connect(&mounted).unwrap()), acknowledged);
        }
    }
}
