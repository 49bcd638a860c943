//! What the connections of one process share of one database: file locks, and the memory that indexes its log.
//!
//! Rules: SQLite's "File Locking and Concurrency" and "WAL-mode File Format" (eight locks, each shared by many or held
//! by one). All of it is gone when the process ends.

use std::collections::BTreeMap;
use std::ops::Range;

use sqlite_vfs::LockKind;

/// Bytes of one region of the index.
pub(super) const REGION: usize = 32_768;
/// How many locks the index has.
const LOCKS: usize = 8;

/// The locks of one database, by who holds them.
#[derive(Debug, Default)]
pub(super) struct FileLocks(BTreeMap<u64, LockKind>);

impl FileLocks {
    /// Gives `holder` this lock, or not.
    pub(super) fn lock(&mut self, holder: u64, wanted: LockKind) -> bool {
        let others = self.0.iter().filter(|(other, _)| **other != holder).map(|(_, lock)| *lock);
        let highest = others.fold(LockKind::None, |one, other| if one < other { other } else { one });
        let granted = match wanted {
            LockKind::None => true,
            LockKind::Shared => highest < LockKind::Pending,
            LockKind::Reserved | LockKind::Pending => highest < LockKind::Reserved,
            LockKind::Exclusive => highest == LockKind::None,
        };
        if granted {
            self.0.insert(holder, wanted);
        }
        granted
    }

    pub(super) fn is_reserved(&self) -> bool {
        self.0.values().any(|lock| LockKind::Shared < *lock)
    }

    pub(super) fn held_by(&self, holder: u64) -> LockKind {
        self.0.get(&holder).copied().unwrap_or(LockKind::None)
    }

    pub(super) fn forget(&mut self, holder: u64) {
        self.0.remove(&holder);
    }
}

/// How a connection holds a lock of the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hold {
    Shared,
    Exclusive,
}

/// The memory that indexes the log of one database.
#[derive(Debug, Default)]
pub(super) struct SharedMemory {
    regions: BTreeMap<u32, Box<[u8]>>,
    users: u64,
    held: [BTreeMap<u64, Hold>; LOCKS],
}

impl SharedMemory {
    pub(super) fn enter(&mut self) {
        self.users += 1;
    }

    /// Lets go of everything; with the last user the memory is forgotten.
    pub(super) fn leave(&mut self, holder: u64) {
        for lock in &mut self.held {
            lock.remove(&holder);
        }
        self.users = self.users.saturating_sub(1);
        if self.users == 0 {
            self.regions.clear();
        }
    }

    /// A region as it is; zeros if nobody has written it.
    pub(super) fn pull(&self, region: u32, into: &mut [u8; REGION]) {
        match self.regions.get(&region) {
            Some(held) => into.copy_from_slice(held),
            None => into.fill(0),
        }
    }

    pub(super) fn push(&mut self, region: u32, from: &[u8; REGION]) {
        self.regions.insert(region, Box::from(from.as_slice()));
    }

    pub(super) fn unlock(&mut self, holder: u64, locks: Range<u8>) {
        for lock in self.of(locks) {
            lock.remove(&holder);
        }
    }

    /// All of these locks, or none.
    pub(super) fn lock(&mut self, holder: u64, locks: Range<u8>, exclusive: bool) -> bool {
        let free = |lock: &mut BTreeMap<u64, Hold>| {
            lock.iter().filter(|(other, _)| **other != holder).all(|(_, hold)| !exclusive && *hold == Hold::Shared)
        };
        let granted = self.of(locks.clone()).iter_mut().all(free);
        if granted {
            let hold = if exclusive { Hold::Exclusive } else { Hold::Shared };
            for lock in self.of(locks) {
                lock.insert(holder, hold);
            }
        }
        granted
    }

    fn of(&mut self, locks: Range<u8>) -> &mut [BTreeMap<u64, Hold>] {
        self.held.get_mut(usize::from(locks.start)..usize::from(locks.end)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_many_readers_or_one_writer() {
        let mut locks = FileLocks::default();
        assert!(locks.lock(1, LockKind::Shared) && locks.lock(2, LockKind::Shared));
        assert!(locks.lock(1, LockKind::Reserved) && !locks.lock(2, LockKind::Reserved));
        assert!(!locks.lock(1, LockKind::Exclusive));
        locks.forget(2);
        assert!(locks.lock(1, LockKind::Exclusive) && !locks.lock(2, LockKind::Shared));
        assert!(locks.is_reserved() && locks.lock(1, LockKind::Shared) && !locks.is_reserved());
    }

    #[test]
    fn a_lock_of_the_index_is_shared_or_one_connections() {
        let mut memory = SharedMemory::default();
        assert!(memory.lock(1, 3..4, false) && memory.lock(2, 3..4, false));
        assert!(!memory.lock(1, 2..5, true), "2 shares one of them");
        memory.unlock(2, 3..4);
        assert!(memory.lock(1, 2..5, true) && !memory.lock(2, 4..5, false));
        memory.enter();
        memory.push(0, &[7; REGION]);
        memory.leave(1);
        let mut into = [1; REGION];
        memory.pull(0, &mut into);
        assert_eq!(into, [0; REGION], "nobody uses it any more");
        assert!(memory.lock(2, 0..8, true));
    }
}
