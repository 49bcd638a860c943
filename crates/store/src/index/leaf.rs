//! The members of a position set within one span of 8,192 positions.
//!
//! Three shapes by size: up to 7 members stand in the leaf itself (so that a sparse set costs little), up to 256 in a
//! sorted array of `u16`, more in a bitmap of 1 KiB: at 256 it costs 4 bytes a member, as a flat set does, and two of
//! them meet five times faster than two arrays. A leaf changes back to a smaller shape well below the size at which it
//! grew, so that one member coming and going does not convert it each time.

use std::sync::Arc;

use super::run::Run;

/// Bits of a position that its leaf holds; the rest is the leaf's key.
pub(super) const SPAN_BITS: u32 = 13;
/// Words of a bitmap leaf.
pub(super) const WORDS: usize = 1 << (SPAN_BITS - 6);

const FEW: usize = 7;
const FEW_AGAIN: usize = 4;
const ARRAY: usize = 256;
const ARRAY_AGAIN: usize = 192;

/// A bitmap leaf and how many bits of it are set.
#[derive(Debug, Clone)]
pub(super) struct Bitmap {
    len: u16,
    words: [u64; WORDS],
}

/// A set of numbers below 8,192.
#[derive(Debug, Clone)]
pub(super) enum Leaf {
    /// The first `len` values, ascending.
    Few { len: u8, values: [u16; FEW] },
    /// Ascending values.
    Array(Run<u16>),
    /// One bit a value.
    Bitmap(Arc<Bitmap>),
}

/// What a leaf is made of, for reading.
#[derive(Debug, Clone, Copy)]
pub(super) enum LeafView<'a> {
    /// Ascending values.
    Values(&'a [u16]),
    /// One bit a value.
    Words(&'a [u64; WORDS]),
}

/// The word and the bit of a value.
#[inline]
pub(super) fn place(value: u16) -> (usize, u64) {
    (usize::from(value >> 6) & (WORDS - 1), 1 << (value & 63))
}

impl Default for Leaf {
    fn default() -> Self {
        Self::Few { len: 0, values: [0; FEW] }
    }
}

impl Leaf {
    /// A leaf of these ascending values, each below 8,192.
    pub(super) fn from_sorted(sorted: &[u16]) -> Self {
        if sorted.len() <= FEW {
            let mut values = [0; FEW];
            values[..sorted.len()].copy_from_slice(sorted);
            Self::Few { len: sorted.len() as u8, values }
        } else if sorted.len() <= ARRAY {
            Self::Array(Run::from_vec(sorted.to_vec()))
        } else {
            let mut words = [0; WORDS];
            for &value in sorted {
                let (word, bit) = place(value);
                words[word] |= bit;
            }
            Self::Bitmap(Arc::new(Bitmap { len: sorted.len() as u16, words }))
        }
    }

    /// The members, as they are stored.
    #[inline]
    pub(super) fn view(&self) -> LeafView<'_> {
        match self {
            Self::Few { len, values } => LeafView::Values(values.get(..usize::from(*len)).unwrap_or(values)),
            Self::Array(values) => LeafView::Values(values.items()),
            Self::Bitmap(bitmap) => LeafView::Words(&bitmap.words),
        }
    }

    /// How many members.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Few { len, .. } => usize::from(*len),
            Self::Array(values) => values.items().len(),
            Self::Bitmap(bitmap) => usize::from(bitmap.len),
        }
    }

    /// Whether `value` is a member.
    pub(super) fn contains(&self, value: u16) -> bool {
        match self.view() {
            LeafView::Values(values) => values.binary_search(&value).is_ok(),
            LeafView::Words(words) => {
                let (word, bit) = place(value);
                words[word] & bit != 0
            }
        }
    }

    /// The smallest member that is at least `value`.
    pub(super) fn successor(&self, value: u16) -> Option<u16> {
        match self.view() {
            LeafView::Values(values) => values.get(values.partition_point(|v| *v < value)).copied(),
            LeafView::Words(words) => {
                let (first, bit) = place(value);
                let mut mask = !(bit - 1);
                for (at, word) in words.iter().enumerate().skip(first) {
                    if word & mask != 0 {
                        return Some((at as u16) << 6 | (word & mask).trailing_zeros() as u16);
                    }
                    mask = u64::MAX;
                }
                None
            }
        }
    }

    /// The largest member.
    pub(super) fn last(&self) -> Option<u16> {
        match self.view() {
            LeafView::Values(values) => values.last().copied(),
            LeafView::Words(words) => {
                let at = words.iter().rposition(|word| *word != 0)?;
                Some((at as u16) << 6 | words[at].ilog2() as u16)
            }
        }
    }

    /// Adds a value that is not a member yet.
    pub(super) fn insert(&mut self, value: u16) {
        match self {
            Self::Few { len, values } if usize::from(*len) < FEW => {
                let count = usize::from(*len);
                let at = values[..count].partition_point(|v| *v < value);
                values[at..=count].rotate_right(1);
                values[at] = value;
                *len += 1;
            }
            Self::Array(values) if values.items().len() < ARRAY => {
                values.insert(values.items().partition_point(|v| *v < value), value);
            }
            Self::Bitmap(bitmap) => {
                let (word, bit) = place(value);
                let bitmap = Arc::make_mut(bitmap);
                bitmap.words[word] |= bit;
                bitmap.len += 1;
            }
            Self::Few { .. } | Self::Array(_) => {
                let mut members = self.to_vec();
                members.insert(members.partition_point(|v| *v < value), value);
                *self = Self::from_sorted(&members);
            }
        }
    }

    /// Takes a member out.
    pub(super) fn remove(&mut self, value: u16) {
        match self {
            Self::Few { len, values } => {
                let count = usize::from(*len);
                if let Some(at) = values[..count].iter().position(|v| *v == value) {
                    values[at..count].rotate_left(1);
                    *len -= 1;
                }
            }
            Self::Array(values) => {
                if let Ok(at) = values.items().binary_search(&value) {
                    values.remove(at);
                }
            }
            Self::Bitmap(bitmap) => {
                let (word, bit) = place(value);
                let bitmap = Arc::make_mut(bitmap);
                bitmap.words[word] &= !bit;
                bitmap.len -= 1;
            }
        }
        let shrunk = match self {
            Self::Few { .. } => false,
            Self::Array(values) => values.items().len() <= FEW_AGAIN,
            Self::Bitmap(bitmap) => usize::from(bitmap.len) <= ARRAY_AGAIN,
        };
        if shrunk {
            *self = Self::from_sorted(&self.to_vec());
        }
    }

    fn to_vec(&self) -> Vec<u16> {
        let mut members = Vec::with_capacity(self.len() + 1);
        let mut next = self.successor(0);
        while let Some(value) = next {
            members.push(value);
            next = self.successor(value + 1).filter(|_| value + 1 < 1 << SPAN_BITS);
        }
        members
    }
}
