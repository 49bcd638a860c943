//! Positions in place of sequence numbers, so that gaps left by churn cost nothing for ever.
//!
//! A position is private and says nothing but the order. As long as tasks are many among their sequence numbers, it is the
//! sequence number. When they have become few, the table is numbered anew without the gaps: the members of that moment get
//! the positions from 0 on, and later sequence numbers follow with the gaps they have.

use std::sync::Arc;

/// The relation of sequence numbers to positions. A clone costs a reference count.
#[derive(Debug, Clone, Default)]
pub(super) struct Numbering {
    /// The sequence numbers at the first positions, ascending; later ones follow with their gaps.
    dense: Option<Arc<[u64]>>,
}

impl Numbering {
    /// These ascending sequence numbers without the gaps.
    pub(super) fn new(sequences: Vec<u64>) -> Self {
        Self { dense: Some(sequences.into()) }
    }

    fn dense(&self) -> &[u64] {
        self.dense.as_deref().unwrap_or_default()
    }

    /// The position of a sequence number behind the dense ones.
    fn behind(&self, sequence: u64) -> Option<u64> {
        match self.dense() {
            [] => Some(sequence),
            dense @ [.., last] => Some(dense.len() as u64 + sequence.checked_sub(*last)?.checked_sub(1)?),
        }
    }

    /// The position of a sequence number; none, if that was left out as a gap.
    pub(super) fn position(&self, sequence: u64) -> Option<u64> {
        let dense = || self.dense().binary_search(&sequence).ok().map(|position| position as u64);
        self.behind(sequence).or_else(dense)
    }

    /// The sequence number at a position.
    pub(super) fn sequence(&self, position: u64) -> u64 {
        match self.dense() {
            [] => position,
            dense @ [.., last] => match position.checked_sub(dense.len() as u64) {
                Some(behind) => last.saturating_add(1).saturating_add(behind),
                None => dense.get(position as usize).copied().unwrap_or(*last),
            },
        }
    }

    /// The last position whose sequence number is at most this one; none: there is no such position.
    pub(super) fn up_to(&self, sequence: u64) -> Option<u64> {
        let dense = || (self.dense().partition_point(|dense| *dense <= sequence) as u64).checked_sub(1);
        self.behind(sequence).or_else(dense)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_numbering_keeps_the_order_and_knows_its_gaps() {
        let same = Numbering::default();
        assert_eq!((same.position(7), same.sequence(7), same.up_to(7)), (Some(7), 7, Some(7)));
        let new = Numbering::new(vec![3, 50, 51, 900]);
        for (position, sequence) in [3, 50, 51, 900, 901, 902].into_iter().enumerate() {
            assert_eq!(new.position(sequence), Some(position as u64));
            assert_eq!(new.sequence(position as u64), sequence);
            assert_eq!(new.up_to(sequence), Some(position as u64));
        }
        assert_eq!((new.position(2), new.position(52)), (None, None));
        assert_eq!((new.up_to(2), new.up_to(49), new.up_to(899)), (None, Some(0), Some(2)));
        let last = Numbering::new(vec![u64::MAX]);
        assert_eq!((last.position(u64::MAX), last.sequence(0), last.up_to(u64::MAX)), (Some(0), u64::MAX, Some(0)));
    }
}
