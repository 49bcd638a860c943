//! Where updates wait for the decider: bounded by their number and by the memory of their inputs.
//!
//! An update counts from when it is pushed until it is answered, so the bounds hold for everything that callers wait
//! for, however far behind the disk is. The queue also tells the decider when the committer can take a batch.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::pending::Pending;

/// How many updates may be unanswered before further callers are told that the writer is behind.
pub(crate) const MAX_WAITING: usize = 8_192;
/// How many bytes the inputs of unanswered updates may take before further callers are told so.
pub(crate) const MAX_WAITING_BYTES: usize = 64 << 20;

/// What the unanswered updates come to.
#[derive(Debug, Default)]
struct Load {
    updates: AtomicUsize,
    bytes: AtomicUsize,
}

/// An update's share of the bounds; given back when dropped.
#[derive(Debug)]
pub(crate) struct Charge {
    load: Arc<Load>,
    bytes: usize,
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.load.updates.fetch_sub(1, Ordering::Relaxed);
        self.load.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// What the decider is to do next.
pub(crate) enum Turn {
    /// Decide these, after what it took before.
    Decide(VecDeque<Box<dyn Pending>>),
    /// Hand the open batch to the committer, which is free.
    HandOver,
    /// Nothing will come any more.
    End,
}

/// Where the decider is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Progress {
    /// It holds a batch that was not handed over.
    pub open: bool,
    /// That batch takes no more.
    pub full: bool,
    /// It has taken updates that it has not decided.
    pub behind: bool,
}

#[derive(Default)]
struct Inner {
    waiting: VecDeque<Box<dyn Pending>>,
    /// No more updates are accepted.
    closed: bool,
    /// Nobody decides or commits any more.
    abandoned: bool,
    committer_busy: bool,
    decider_sleeps: bool,
}

/// The queue; shared by callers and writer.
#[derive(Default)]
pub(crate) struct Queue {
    inner: Mutex<Inner>,
    wake: Condvar,
    load: Arc<Load>,
}

/// The queue is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Closed;

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self, mut inner: MutexGuard<'_, Inner>) {
        let sleeps = std::mem::take(&mut inner.decider_sleeps);
        drop(inner);
        if sleeps {
            self.wake.notify_one();
        }
    }

    /// Room for an update with an input of `bytes`, unless too much is unanswered. An input of any size is let in while
    /// there is no other.
    pub(crate) fn admit(&self, bytes: usize) -> Option<Charge> {
        let load = &self.load;
        let updates = load.updates.fetch_add(1, Ordering::Relaxed);
        let before = load.bytes.fetch_add(bytes, Ordering::Relaxed);
        // Given back at once if it is not let in.
        let charge = Charge { load: Arc::clone(load), bytes };
        let fits = updates < MAX_WAITING && before.saturating_add(bytes) <= MAX_WAITING_BYTES;
        (fits || updates == 0).then_some(charge)
    }

    /// Lets an update wait.
    pub(crate) fn push(&self, update: Box<dyn Pending>) -> Result<(), Closed> {
        let mut inner = self.lock();
        if inner.closed {
            return Err(Closed);
        }
        inner.waiting.push_back(update);
        self.wake(inner);
        Ok(())
    }

    /// Accepts no more; what waits is still decided.
    pub(crate) fn close(&self) {
        let mut inner = self.lock();
        inner.closed = true;
        self.wake(inner);
    }

    /// Whether it accepts no more and nothing waits.
    pub(crate) fn is_drained(&self) -> bool {
        let inner = self.lock();
        inner.closed && inner.waiting.is_empty()
    }

    /// Half of the writer is gone: whoever waits is told that the store is closed.
    pub(crate) fn abandon(&self) {
        let mut inner = self.lock();
        inner.closed = true;
        inner.abandoned = true;
        let waiting = std::mem::take(&mut inner.waiting);
        self.wake(inner);
        // Outside the lock: it makes the callers run.
        drop(waiting);
    }

    /// The committer can take a batch.
    pub(crate) fn committer_is_free(&self) {
        let mut inner = self.lock();
        inner.committer_busy = false;
        self.wake(inner);
    }

    /// Whether anything waits.
    pub(crate) fn has_waiting(&self) -> bool {
        !self.lock().waiting.is_empty()
    }

    /// All that waits, without waiting for it.
    pub(crate) fn take(&self) -> VecDeque<Box<dyn Pending>> {
        std::mem::take(&mut self.lock().waiting)
    }

    /// What the decider is to do next; waits for it.
    pub(crate) fn turn(&self, progress: Progress) -> Turn {
        let mut inner = self.lock();
        loop {
            if inner.abandoned {
                return Turn::End;
            }
            if progress.open && !inner.committer_busy {
                inner.committer_busy = true;
                return Turn::HandOver;
            }
            if !progress.full && (progress.behind || !inner.waiting.is_empty()) {
                return Turn::Decide(std::mem::take(&mut inner.waiting));
            }
            if inner.closed && !progress.open && !progress.behind && inner.waiting.is_empty() {
                return Turn::End;
            }
            inner.decider_sleeps = true;
            inner = self.wake.wait(inner).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Abandons the queue when dropped, however its half of the writer ends.
pub(crate) struct Abandon(pub Arc<Queue>);

impl Drop for Abandon {
    fn drop(&mut self) {
        self.0.abandon();
    }
}
