//! One file: what is durable, what was written since, and what is read.

use crate::random::Random;

/// A sector is written whole or not at all.
const SECTOR: usize = 512;

/// A file of the modelled disk.
#[derive(Debug, Default)]
pub(super) struct File {
    /// What is durable for certain.
    synced: Vec<u8>,
    /// Changes since then, in order.
    pending: Vec<Change>,
    /// What a read finds.
    cached: Vec<u8>,
}

#[derive(Debug)]
enum Change {
    Write { at: usize, data: Vec<u8> },
    Length(usize),
}

impl File {
    pub(super) fn len(&self) -> usize {
        self.cached.len()
    }

    /// Fills `into` from `at` on, with zeros beyond the end; whether nothing was beyond it.
    pub(super) fn read(&self, at: usize, into: &mut [u8]) -> bool {
        let found = self.cached.get(at..).unwrap_or_default();
        let count = found.len().min(into.len());
        let (within, beyond) = into.split_at_mut(count);
        within.copy_from_slice(&found[..count]);
        beyond.fill(0);
        beyond.is_empty()
    }

    pub(super) fn write(&mut self, at: usize, data: &[u8]) {
        put(&mut self.cached, at, data);
        self.pending.push(Change::Write { at, data: data.to_vec() });
    }

    pub(super) fn set_len(&mut self, length: usize) {
        self.cached.resize(length, 0);
        self.pending.push(Change::Length(length));
    }

    pub(super) fn sync(&mut self) {
        for change in self.pending.drain(..) {
            change.apply(&mut self.synced);
        }
    }

    /// Of each change since the last sync it is open whether it is durable now, will be with the next sync, or never.
    pub(super) fn fail_to_sync(&mut self, random: &mut Random) {
        for change in std::mem::take(&mut self.pending) {
            match random.below(3) {
                0 => change.apply(&mut self.synced),
                1 => self.pending.push(change),
                _ => {}
            }
        }
    }

    /// Some of the changes since the last sync survive.
    pub(super) fn lose_power(&mut self, random: &mut Random) {
        let way = random.below(5);
        let prefix = random.index(self.pending.len() + 1);
        for (number, change) in std::mem::take(&mut self.pending).into_iter().enumerate() {
            match way {
                0 => {}
                1 => change.apply(&mut self.synced),
                2 if number < prefix => change.apply(&mut self.synced),
                2 => {}
                3 if random.per_mille(500) => change.apply(&mut self.synced),
                3 => {}
                _ => change.apply_torn(&mut self.synced, random),
            }
        }
        self.cached.clone_from(&self.synced);
    }
}

impl Change {
    fn apply(self, to: &mut Vec<u8>) {
        match self {
            Self::Write { at, data } => put(to, at, &data),
            Self::Length(length) => to.resize(length, 0),
        }
    }

    /// Some of its sectors.
    fn apply_torn(self, to: &mut Vec<u8>, random: &mut Random) {
        let Self::Write { mut at, data } = self else {
            if random.per_mille(500) {
                self.apply(to);
            }
            return;
        };
        let mut rest = data.as_slice();
        while !rest.is_empty() {
            let (sector, after) = rest.split_at(rest.len().min(SECTOR - at % SECTOR));
            if random.per_mille(500) {
                put(to, at, sector);
            }
            at += sector.len();
            rest = after;
        }
    }
}

fn put(to: &mut Vec<u8>, at: usize, data: &[u8]) {
    let end = at + data.len();
    if to.len() < end && !data.is_empty() {
        to.resize(end, 0);
    }
    if let Some(place) = to.get_mut(at..end) {
        place.copy_from_slice(data);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(file: &File) -> Vec<u8> {
        let mut into = vec![0; file.len()];
        assert!(file.read(0, &mut into));
        into
    }

    #[test]
    fn what_is_synced_survives_and_what_is_not_may() {
        let mut outcomes = std::collections::BTreeSet::new();
        for seed in 0..200 {
            let mut file = File::default();
            file.write(0, &[1; 1024]);
            file.sync();
            file.write(0, &[2; 1024]);
            file.write(1024, &[3; 512]);
            assert_eq!(content(&file).len(), 1536);
            file.lose_power(&mut Random::new(seed));
            let kept = content(&file);
            outcomes.insert((kept[0], kept[512], kept.get(1024).copied()));
        }
        let all: Vec<_> = [1, 2]
            .into_iter()
            .flat_map(|first| [1, 2].map(|second| (first, second)))
            .flat_map(|(first, second)| [None, Some(3)].map(|third| (first, second, third)))
            .collect();
        assert_eq!(outcomes.into_iter().collect::<Vec<_>>(), all, "every combination of sectors");
    }

    #[test]
    fn after_a_failed_sync_some_is_durable_and_some_never_will_be() {
        let (mut durable, mut lost) = (0, 0);
        for seed in 0..60 {
            let mut file = File::default();
            file.write(0, &[1; 512]);
            file.fail_to_sync(&mut Random::new(seed));
            assert_eq!(content(&file), [1; 512], "it is still read");
            file.sync();
            file.lose_power(&mut Random::new(seed));
            if file.len() == 512 { durable += 1 } else { lost += 1 }
        }
        assert!(durable > 20 && lost > 5, "{durable} {lost}");
    }

    #[test]
    fn a_read_beyond_the_end_gives_zeros_and_says_so() {
        let mut file = File::default();
        file.write(2, &[7, 7]);
        let mut into = [9; 6];
        assert!(!file.read(1, &mut into));
        assert_eq!(into, [0, 7, 7, 0, 0, 0]);
        file.set_len(3);
        assert_eq!(content(&file), [0, 0, 7]);
    }
}
