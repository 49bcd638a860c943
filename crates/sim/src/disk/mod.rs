//! A disk in memory that keeps only what a disk must keep.
//!
//! Writes go to a cache that every process of the machine sees. A sync makes a file's writes durable; until then each
//! of them may or may not survive a loss of power, in any combination, torn at sectors. Names behave alike: a created
//! or removed file is only certain once the folder was synced, which the sync of a journal does, as SQLite's own file
//! layer does it; the changes before it survive as a prefix, as in a journalling file system. A kill of the process
//! loses nothing of the cache.
//!
//! Faults are seeded: a write can fail whole or after a part, a disk can be full, a read can fail, and a sync can fail,
//! after which nobody knows what of the writes before it is durable: some are, some will be with the next sync, and
//! some never, though they can still be read. That is what Linux does.

mod file;
mod locks;
mod vfs;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::random::Random;
use file::File;
use locks::{FileLocks, SharedMemory};
pub use vfs::{Mounted, VFS};

/// Chances of faults, of a thousand calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Faults {
    /// A write fails, before or after a part of it.
    pub write: u32,
    /// A sync fails.
    pub sync: u32,
    /// A read fails.
    pub read: u32,
    /// There is no room: every write that makes a file longer fails.
    pub full: bool,
}

/// How the machine ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crash {
    /// The process is killed; the system and its cache live on.
    Kill,
    /// The power is lost.
    Power,
}

/// What a call of the disk came to when it did not succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Failure {
    /// There is no such file.
    NotFound,
    /// The end of the file comes before the end of what was to be read.
    Short,
    /// EIO.
    Broken,
    /// ENOSPC.
    Full,
}

/// The disk; clones share it.
#[derive(Debug, Clone)]
pub struct Disk(Arc<Mutex<State>>);

/// An open file: it is good until the process that opened it has ended.
#[derive(Debug, Clone, Copy)]
struct Open {
    inode: u64,
    /// Whether a sync of it syncs the folder.
    journal: bool,
    epoch: u64,
    /// Whether it was opened for reading only.
    read_only: bool,
    /// Who has it open; unique.
    holder: u64,
}

#[derive(Debug)]
enum NameChange {
    Created(String, u64),
    Removed(String),
}

#[derive(Debug)]
struct State {
    random: Random,
    files: BTreeMap<u64, File>,
    names: BTreeMap<String, u64>,
    durable_names: BTreeMap<String, u64>,
    unsynced_names: Vec<NameChange>,
    next_inode: u64,
    /// Which process may use its files.
    epoch: u64,
    /// Whether the process lives.
    alive: bool,
    /// Calls that change something, so far.
    changes: u64,
    /// The process ends with this one.
    end_at: Option<u64>,
    faults: Faults,
    failed: u64,
    next_holder: u64,
    locks: BTreeMap<u64, FileLocks>,
    memory: BTreeMap<u64, SharedMemory>,
}

impl Disk {
    /// An empty disk.
    pub fn new(random: Random) -> Self {
        Self(Arc::new(Mutex::new(State {
            random,
            files: BTreeMap::new(),
            names: BTreeMap::new(),
            durable_names: BTreeMap::new(),
            unsynced_names: Vec::new(),
            next_inode: 1,
            epoch: 0,
            alive: true,
            changes: 0,
            end_at: None,
            faults: Faults::default(),
            failed: 0,
            next_holder: 1,
            locks: BTreeMap::new(),
            memory: BTreeMap::new(),
        })))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on faults have these chances.
    pub fn set_faults(&self, faults: Faults) {
        self.lock().faults = faults;
    }

    /// The process will end in the middle of the `count`th call from now that changes something (1: the next).
    pub fn end_after(&self, count: u64) {
        let mut state = self.lock();
        state.end_at = Some(state.changes + count);
    }

    /// Whether the process lives.
    pub fn is_alive(&self) -> bool {
        self.lock().alive
    }

    /// Calls so far that changed something.
    pub fn changes(&self) -> u64 {
        self.lock().changes
    }

    /// The process will not end by itself.
    pub fn end_never(&self) {
        self.lock().end_at = None;
    }

    /// The process ends now.
    pub fn end(&self) {
        self.lock().alive = false;
    }

    /// Its files as a process sees them, with their lengths.
    fn names(&self) -> Vec<(String, usize)> {
        let state = self.lock();
        let length = |inode| state.files.get(inode).map_or(0, File::len);
        state.names.iter().map(|(name, inode)| (name.clone(), length(inode))).collect()
    }

    /// Calls so far that failed by a fault.
    pub fn failed(&self) -> u64 {
        self.lock().failed
    }

    /// Ends the process, if it still lives, and the machine with it if the power is lost; a new process may begin, on
    /// what is left.
    pub fn crash(&self, crash: Crash) {
        let state = &mut *self.lock();
        state.alive = true;
        state.end_at = None;
        state.epoch += 1;
        state.locks.clear();
        state.memory.clear();
        if crash == Crash::Power {
            let kept = state.random.index(state.unsynced_names.len() + 1);
            for change in std::mem::take(&mut state.unsynced_names).into_iter().take(kept) {
                change.apply(&mut state.durable_names);
            }
            state.names = state.durable_names.clone();
            for file in state.files.values_mut() {
                file.lose_power(&mut state.random);
            }
        }
        let State { files, names, durable_names, .. } = state;
        files.retain(|inode, _| names.values().chain(durable_names.values()).any(|named| named == inode));
    }
}

impl NameChange {
    fn apply(self, names: &mut BTreeMap<String, u64>) {
        match self {
            Self::Created(name, inode) => names.insert(name, inode),
            Self::Removed(name) => names.remove(&name),
        };
    }
}

impl State {
    /// Counts a call that changes something. When it is the last one of the process, it is still passed on, so that its
    /// effect may or may not be there, and fails afterwards.
    fn change(&mut self) -> Result<bool, Failure> {
        if !self.alive {
            return Err(Failure::Broken);
        }
        self.changes += 1;
        if self.end_at == Some(self.changes) {
            self.alive = false;
        }
        Ok(!self.alive)
    }

    fn fault(&mut self, share: u32) -> bool {
        // Without faults no chance is drawn, so that readers on several threads leave the stream as it is.
        let fails = share > 0 && self.random.per_mille(share);
        self.failed += u64::from(fails);
        fails
    }

    fn file(&mut self, open: Open) -> Result<&mut File, Failure> {
        if !self.alive || open.epoch != self.epoch {
            return Err(Failure::Broken);
        }
        self.files.get_mut(&open.inode).ok_or(Failure::Broken)
    }

    fn open(&mut self, name: &str, create: bool, read_only: bool, journal: bool) -> Result<Open, Failure> {
        let epoch = self.epoch;
        if !self.alive {
            return Err(Failure::Broken);
        }
        let holder = self.next_holder;
        self.next_holder += 1;
        if let Some(inode) = self.names.get(name) {
            return Ok(Open { inode: *inode, journal, epoch, read_only, holder });
        }
        if !create {
            return Err(Failure::NotFound);
        }
        if self.change()? && self.random.per_mille(500) {
            return Err(Failure::Broken);
        }
        let inode = self.next_inode;
        self.next_inode += 1;
        self.files.insert(inode, File::default());
        self.names.insert(name.to_owned(), inode);
        self.unsynced_names.push(NameChange::Created(name.to_owned(), inode));
        if self.alive { Ok(Open { inode, journal, epoch, read_only, holder }) } else { Err(Failure::Broken) }
    }

    fn remove(&mut self, name: &str) -> Result<(), Failure> {
        if self.change()? && self.random.per_mille(500) {
            return Err(Failure::Broken);
        }
        self.names.remove(name).ok_or(Failure::NotFound)?;
        self.unsynced_names.push(NameChange::Removed(name.to_owned()));
        if self.alive { Ok(()) } else { Err(Failure::Broken) }
    }

    fn read(&mut self, open: Open, at: usize, into: &mut [u8]) -> Result<(), Failure> {
        self.file(open)?;
        if self.fault(self.faults.read) {
            return Err(Failure::Broken);
        }
        if self.file(open)?.read(at, into) { Ok(()) } else { Err(Failure::Short) }
    }

    fn write(&mut self, open: Open, at: usize, data: &[u8]) -> Result<(), Failure> {
        let grows = at + data.len() > self.file(open)?.len();
        let last = self.change()?;
        let full = self.faults.full && grows;
        self.failed += u64::from(full);
        let fails = full || self.fault(self.faults.write);
        let part = if fails || last { self.random.index(data.len() + 1) } else { data.len() };
        let file = self.files.get_mut(&open.inode).ok_or(Failure::Broken)?;
        let room = if full { part.min(file.len().saturating_sub(at)) } else { part };
        file.write(at, data.get(..room).unwrap_or_default());
        match () {
            () if last => Err(Failure::Broken),
            () if full => Err(Failure::Full),
            () if fails => Err(Failure::Broken),
            () => Ok(()),
        }
    }

    fn set_len(&mut self, open: Open, length: usize) -> Result<(), Failure> {
        let grows = length > self.file(open)?.len();
        let last = self.change()?;
        if grows && self.faults.full {
            self.failed += 1;
            return Err(Failure::Full);
        }
        if self.fault(self.faults.write) || (last && self.random.per_mille(500)) {
            return Err(Failure::Broken);
        }
        self.files.get_mut(&open.inode).ok_or(Failure::Broken)?.set_len(length);
        if last { Err(Failure::Broken) } else { Ok(()) }
    }

    /// The locks of a file; `None` if the process of the handle has ended.
    fn locks(&mut self, open: Open) -> Option<&mut FileLocks> {
        (self.alive && open.epoch == self.epoch).then(|| self.locks.entry(open.inode).or_default())
    }

    /// The index of a file's log; `None` if the process of the handle has ended.
    fn memory(&mut self, open: Open) -> Option<&mut SharedMemory> {
        (self.alive && open.epoch == self.epoch).then(|| self.memory.entry(open.inode).or_default())
    }

    fn sync(&mut self, open: Open) -> Result<(), Failure> {
        self.file(open)?;
        let last = self.change()?;
        let fails = self.fault(self.faults.sync);
        let Self { files, random, .. } = self;
        let file = files.get_mut(&open.inode).ok_or(Failure::Broken)?;
        if fails {
            file.fail_to_sync(random);
            return Err(Failure::Broken);
        }
        if last {
            // What had come to the disk by then is decided when the power is lost; the process hears nothing.
            return Err(Failure::Broken);
        }
        file.sync();
        if open.journal {
            self.unsynced_names.clear();
            self.durable_names = self.names.clone();
        }
        Ok(())
    }
}
