//! A digest of a set of rows that is kept up to date row by row: the sum, over all rows, of a hash of the row.
//!
//! Adding and taking out a row cost one hash each, in any order, so two threads can each sum their half. A row that
//! vanished, came back, is there twice or in an older form changes the sum. It sees accidents; who can write the file can
//! also write a digest that fits, since the hash has no key.

use std::fmt;
use std::str::FromStr;

use crate::Kind;

/// Multiplier of the 128-bit PCG generator; any large odd number with well-spread bits would do. Part of the format.
const FACTOR: u128 = 0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645;

/// The sum over a set of rows; the empty set's is 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct SetDigest(u128);

impl SetDigest {
    /// The digest of one row. `crc` stands for its body.
    pub(crate) fn of(kind: Kind, key: &str, version: u64, crc: u32) -> Self {
        let mut hash = absorb(0, u64::from(crc) << 32 | key.len() as u64);
        hash = absorb(hash, version);
        for part in [kind.table().as_bytes(), key.as_bytes()] {
            for chunk in part.chunks(8) {
                let mut word = [0; 8];
                word[..chunk.len()].copy_from_slice(chunk);
                hash = absorb(hash, u64::from_le_bytes(word));
            }
        }
        Self(absorb(hash, 0))
    }

    /// The digest of both sets together.
    pub(crate) fn add(&mut self, other: Self) {
        self.0 = self.0.wrapping_add(other.0);
    }

    /// The digest without those rows.
    pub(crate) fn take_out(&mut self, other: Self) {
        self.0 = self.0.wrapping_sub(other.0);
    }
}

/// One round; invertible, so that no two words lead from one hash to the same one.
fn absorb(hash: u128, word: u64) -> u128 {
    let mixed = (hash ^ u128::from(word) ^ FACTOR >> 1).wrapping_mul(FACTOR);
    mixed ^ mixed >> 67
}

impl fmt::Display for SetDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl FromStr for SetDigest {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        u128::from_str_radix(text, 16).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(rows: &[SetDigest]) -> SetDigest {
        let mut sum = SetDigest::default();
        rows.iter().for_each(|row| sum.add(*row));
        sum
    }

    #[test]
    fn every_part_of_a_row_counts() {
        let row = SetDigest::of(Kind::Task, "1/2", 3, 4);
        for other in [
            SetDigest::of(Kind::Cluster, "1/2", 3, 4),
            SetDigest::of(Kind::Task, "1/3", 3, 4),
            SetDigest::of(Kind::Task, "1/2\0", 3, 4),
            SetDigest::of(Kind::Task, "", 3, 4),
            SetDigest::of(Kind::Task, "1/2", 4, 4),
            SetDigest::of(Kind::Task, "1/2", 3, 5),
        ] {
            assert_ne!(row, other);
        }
    }

    #[test]
    fn a_set_has_no_order_but_counts_its_members() {
        let [a, b] = [1, 2].map(|version| SetDigest::of(Kind::Task, "k", version, 0));
        assert_eq!(sum(&[a, b]), sum(&[b, a]));
        assert_ne!(sum(&[a, b]), sum(&[a, b, b]));
        let mut left = sum(&[a, b]);
        left.take_out(b);
        assert_eq!(left, a);
    }

    #[test]
    fn the_digest_is_part_of_the_format() {
        let row = SetDigest::of(Kind::Task, "7/000000000001", 4, 0xdead_beef);
        assert_eq!(row.to_string(), "122400e2689d2667a35a9647cc53e96a");
        assert_eq!(row.to_string().parse(), Ok(row));
    }
}
