//! The ends of simulated processes that end by themselves: one heap and one task for all of them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use tokio::time::Instant;

use super::container::Id;

/// A planned end: when, whose, and of which run.
type End = (Instant, Id, u64);

/// Planned ends, the earliest first.
#[derive(Debug, Default)]
pub(super) struct Timers {
    ends: BinaryHeap<Reverse<End>>,
    /// Whether a task waits for them.
    pub(super) served: bool,
}

impl Timers {
    /// Plans an end; whether it is now the earliest.
    pub(super) fn plan(&mut self, at: Instant, id: Id, run: u64) -> bool {
        let earliest = self.next();
        self.ends.push(Reverse((at, id, run)));
        earliest.is_none_or(|earliest| at < earliest)
    }

    /// When the earliest end is due.
    pub(super) fn next(&self) -> Option<Instant> {
        self.ends.peek().map(|Reverse((at, ..))| *at)
    }

    /// Takes an end that is due.
    pub(super) fn pop(&mut self, now: Instant) -> Option<(Id, u64)> {
        self.next().filter(|at| *at <= now)?;
        self.ends.pop().map(|Reverse((_, id, run))| (id, run))
    }
}
