//! What the writer has done, for metrics and benchmarks.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters that only rise.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub batches: AtomicU64,
    pub updates: AtomicU64,
    pub rows: AtomicU64,
    pub failed: AtomicU64,
    pub turned_away: AtomicU64,
}

/// What the writer of a store has done since it was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WriterCounts {
    /// Batches made durable; those that changed nothing do not count.
    pub batches: u64,
    /// Updates answered in them.
    pub updates: u64,
    /// Rows written by them.
    pub rows: u64,
    /// Batches that failed.
    pub failed: u64,
    /// Updates that were turned away because too much was unanswered.
    pub turned_away: u64,
}

impl Counts {
    pub(crate) fn add(counter: &AtomicU64, count: usize) {
        counter.fetch_add(count as u64, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> WriterCounts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        WriterCounts {
            batches: read(&self.batches),
            updates: read(&self.updates),
            rows: read(&self.rows),
            failed: read(&self.failed),
            turned_away: read(&self.turned_away),
        }
    }
}
