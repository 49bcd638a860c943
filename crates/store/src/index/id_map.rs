//! From a task's id to its position, in about 13 bytes a task.
//!
//! An id is 16 random bytes. The map keeps only a 32-bit fingerprint of it beside the position: sorted runs of
//! (fingerprint, position), one run a shard, the shard chosen by the fingerprint's low bits. Whether a found position
//! really has the id, the caller says (it has the rows). Shards are split and merged one at a time as the map grows and
//! shrinks (linear hashing), so no write ever pays for a rehash of the whole.
//!
//! Ids with equal fingerprints stay correct, however many; they only cost time, because they share a shard.

use super::radix::Radix;
use super::run::Run;

/// Average entries a shard at which one more shard is split off.
const FULL: usize = 192;
/// Average entries a shard at which the last shard is merged back.
const SPARSE: usize = 64;
const NODE_BITS: u32 = 4;

/// A persistent map from 16-byte ids to positions. A clone costs one reference count and never sees a later write.
#[derive(Debug, Clone)]
pub struct IdMap {
    shards: Radix<Run<Entry>, NODE_BITS>,
    shard_count: u64,
    len: usize,
}

/// Ascending by fingerprint, then position.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    fingerprint: u32,
    high: u32,
    low: u32,
}

impl Entry {
    fn new(id: &[u8; 16], position: u64) -> Self {
        Self { fingerprint: fingerprint(id), high: (position >> 32) as u32, low: position as u32 }
    }

    fn position(self) -> u64 {
        u64::from(self.high) << 32 | u64::from(self.low)
    }
}

/// 32 well-mixed bits of an id.
fn fingerprint(id: &[u8; 16]) -> u32 {
    let word = u128::from_le_bytes(*id);
    let mut hash = (word as u64) ^ ((word >> 64) as u64).rotate_left(29);
    for factor in [0x9e37_79b9_7f4a_7c15, 0xd6e8_feb8_6659_fd93] {
        hash = (hash ^ (hash >> 32)).wrapping_mul(factor);
    }
    (hash >> 32) as u32
}

/// The shard of a fingerprint among `count` shards.
fn shard_of(fingerprint: u32, count: u64) -> u64 {
    let size = count.next_power_of_two();
    let shard = u64::from(fingerprint) & (size - 1);
    if shard < count { shard } else { shard - size / 2 }
}

impl Default for IdMap {
    fn default() -> Self {
        Self { shards: Radix::default(), shard_count: 1, len: 0 }
    }
}

impl IdMap {
    /// No ids.
    pub fn new() -> Self {
        Self::default()
    }

    /// These ids, each at a position of its own; much faster than one insert after another. Goes through them twice.
    pub fn from_distinct<'a>(ids: impl Iterator<Item = (&'a [u8; 16], u64)> + Clone) -> Self {
        let len = ids.clone().count();
        let shard_count = len.div_ceil(FULL).clamp(1, 1 << 31) as u64;
        let mut ends = vec![0; shard_count as usize];
        for (id, _) in ids.clone() {
            ends[shard_of(fingerprint(id), shard_count) as usize] += 1;
        }
        // First where each shard begins; while it is filled, up to where it is.
        let mut end = 0;
        for shard in &mut ends {
            end += std::mem::replace(shard, end);
        }
        let mut entries = vec![Entry::default(); len];
        for (id, position) in ids {
            let entry = Entry::new(id, position);
            let at = &mut ends[shard_of(entry.fingerprint, shard_count) as usize];
            entries[*at] = entry;
            *at += 1;
        }
        let mut start = 0;
        let shards = ends.into_iter().enumerate().filter_map(|(shard, end)| {
            let own = &mut entries[std::mem::replace(&mut start, end)..end];
            own.sort_unstable();
            (!own.is_empty()).then(|| (shard as u64, Run::from_vec(own.to_vec())))
        });
        Self { shards: Radix::from_sorted(shards), shard_count, len }
    }

    /// How many ids; costs nothing.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no id.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The position of `id`. `matches` says whether the row at a position has this id; it is asked about every
    /// position whose id has the same fingerprint, nearly always one.
    pub fn find(&self, id: &[u8; 16], matches: impl Fn(u64) -> bool) -> Option<u64> {
        let fingerprint = fingerprint(id);
        let entries = self.shards.get(shard_of(fingerprint, self.shard_count))?.items();
        entries
            .get(entries.partition_point(|entry| entry.fingerprint < fingerprint)..)?
            .iter()
            .take_while(|entry| entry.fingerprint == fingerprint)
            .map(|entry| entry.position())
            .find(|position| matches(*position))
    }

    /// Adds `id` at `position`; false when exactly that was there already. An id that moves is removed first.
    pub fn insert(&mut self, id: &[u8; 16], position: u64) -> bool {
        let entry = Entry::new(id, position);
        let shard = self.shards.get_or_insert_with(shard_of(entry.fingerprint, self.shard_count), Run::default);
        let Err(at) = shard.items().binary_search(&entry) else {
            return false;
        };
        shard.insert(at, entry);
        self.len += 1;
        if self.len > self.shard_count as usize * FULL && self.shard_count < 1 << 31 {
            self.split();
        }
        true
    }

    /// Takes `id` at `position` out; false when it was not there.
    pub fn remove(&mut self, id: &[u8; 16], position: u64) -> bool {
        let entry = Entry::new(id, position);
        let key = shard_of(entry.fingerprint, self.shard_count);
        let found = self.shards.get(key).and_then(|shard| shard.items().binary_search(&entry).ok());
        let Some(at) = found else {
            return false;
        };
        let Some(shard) = self.shards.get_mut(key) else {
            return false;
        };
        shard.remove(at);
        if shard.items().is_empty() {
            self.shards.remove(key);
        }
        self.len -= 1;
        if self.shard_count > 1 && self.len < self.shard_count as usize * SPARSE {
            self.merge();
        }
        true
    }

    /// One more shard, which takes its entries from the shard they were in until now.
    fn split(&mut self) {
        let new = self.shard_count;
        self.shard_count += 1;
        let old = new - self.shard_count.next_power_of_two() / 2;
        let entries = self.shards.remove(old).unwrap_or_default();
        let (stay, go): (Vec<Entry>, Vec<Entry>) =
            entries.items().iter().partition(|entry| shard_of(entry.fingerprint, self.shard_count) == old);
        self.put(old, stay);
        self.put(new, go);
    }

    /// One shard fewer; its entries go where they came from.
    fn merge(&mut self) {
        let gone = self.shard_count - 1;
        let into = gone - self.shard_count.next_power_of_two() / 2;
        self.shard_count = gone;
        let mut entries = self.shards.remove(gone).unwrap_or_default().items().to_vec();
        entries.extend_from_slice(self.shards.remove(into).unwrap_or_default().items());
        entries.sort_unstable();
        self.put(into, entries);
    }

    fn put(&mut self, key: u64, entries: Vec<Entry>) {
        if !entries.is_empty() {
            self.shards.get_or_insert_with(key, || Run::from_vec(entries));
        }
    }
}

#[cfg(test)]
mod tests;
