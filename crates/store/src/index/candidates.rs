//! The members of one leaf's span that are still in question while the sets of a page are compared.
//!
//! A bitmap is asked bit by bit. An array is expanded into a bitmap first: searching it for each candidate costs many
//! times more, except when it is far longer than the candidates are many.

use super::intersection::Work;
use super::leaf::{LeafView, SPAN_BITS, WORDS, place};
use super::position_set::FlatView;

/// Members up to which an array is compared one by one instead of expanded.
const SHORT: usize = 8;
/// Members of a flat set for each candidate up to which they are expanded: beyond, it is shorter to look each up.
const SCATTERED: usize = 8;
/// Members of the longest array; room for so many is made at once.
const MOST: usize = 256;

/// Members of one leaf's span that every set looked at so far has, ascending.
pub(super) struct Candidates {
    /// The members, without the bits of their leaf's key.
    pub(super) lows: Vec<u16>,
    scratch: [u64; WORDS],
}

impl Default for Candidates {
    fn default() -> Self {
        Self { lows: Vec::new(), scratch: [0; WORDS] }
    }
}

impl Candidates {
    /// Starts over with these values.
    pub(super) fn set(&mut self, values: &[u16], work: &mut Work) {
        self.lows.clear();
        self.lows.reserve(MOST);
        self.lows.extend_from_slice(values);
        work.members += values.len() as u64;
    }

    /// Keeps the candidates that the leaf has.
    pub(super) fn keep(&mut self, leaf: LeafView<'_>, work: &mut Work) {
        match leaf {
            LeafView::Words(words) => {
                work.words += self.lows.len() as u64;
                keep_bits(&mut self.lows, words);
            }
            LeafView::Values(values) => self.keep_values(values, work),
        }
    }

    fn keep_values(&mut self, values: &[u16], work: &mut Work) {
        let (Some(&low), Some(&high)) = (self.lows.first(), self.lows.last()) else {
            return;
        };
        let start = values.partition_point(|v| *v < low);
        let values = &values[start..];
        let values = &values[..values.partition_point(|v| *v <= high)];
        if values.len() <= SHORT {
            work.members += (self.lows.len() * values.len()) as u64;
            self.lows.retain(|low| values.contains(low));
            return;
        }
        if self.lows.len() * 8 < values.len() {
            work.members += self.lows.len() as u64 * u64::from(values.len().ilog2() + 1);
            self.lows.retain(|low| values.binary_search(low).is_ok());
            return;
        }
        work.members += (self.lows.len() + values.len()) as u64;
        self.keep_expanded(low, high, values.iter().copied());
    }

    /// Keeps the candidates, the lowest and highest of which are these, that are among values between the two.
    #[inline]
    fn keep_expanded(&mut self, low: u16, high: u16, values: impl Iterator<Item = u16>) {
        self.scratch[place(low).0..=place(high).0].fill(0);
        for value in values {
            let (word, bit) = place(value);
            self.scratch[word] |= bit;
        }
        keep_bits(&mut self.lows, &self.scratch);
    }

    /// Keeps the candidates, of the leaf `key`, that a flat set has; `rank` moves on with the candidates.
    pub(super) fn keep_flat(&mut self, flat: &FlatView<'_>, rank: &mut usize, key: u64, work: &mut Work) {
        let (Some(&low), Some(&high)) = (self.lows.first(), self.lows.last()) else {
            return;
        };
        let before = *rank;
        let position = |low: u16| (key << SPAN_BITS) + u64::from(low);
        *rank = flat.rank_from(before, position(low));
        let start = *rank;
        let end = flat.rank_from(start, position(high)) + 1;
        let skipped = (start - before).max(1).ilog2() + (end - start).max(1).ilog2();
        work.members += self.lows.len() as u64 + u64::from(skipped);
        if end - start <= SCATTERED * self.lows.len() {
            work.members += (end - start) as u64;
            self.keep_expanded(low, high, flat.lows_of(key, start, end - start));
            *rank = end - 1;
            return;
        }
        work.members += self.lows.len() as u64;
        self.lows.retain(|low| {
            *rank = flat.rank_from(*rank, position(*low));
            flat.at(*rank) == Some(position(*low))
        });
    }
}

/// Keeps the values whose bit is set, without a branch on the bit.
fn keep_bits(lows: &mut Vec<u16>, words: &[u64; WORDS]) {
    let mut kept = 0;
    for at in 0..lows.len() {
        let low = lows[at];
        let (word, bit) = place(low);
        lows[kept] = low;
        kept += usize::from(words[word] & bit != 0);
    }
    lows.truncate(kept);
}
