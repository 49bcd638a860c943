//! The writer in a simulation: nothing happens until it is told to.

use std::sync::Arc;

use tokio::sync::watch;

use super::batch::Batch;
use super::committer::Committer;
use super::decider::Decider;
use super::queue::{Abandon, Queue};

/// The two halves of a stepped store's writer ([`crate::Store::stepped`]): the same code as the threads run, one step
/// at a time, on the caller's thread. Dropping it is a crash: whoever waits is told that the store is closed.
pub struct Steps {
    // Dropped in this order: whoever waits for the end finds the queue and the backend gone.
    queue: Abandon,
    decider: Decider,
    committer: Committer,
    /// Handed over, not yet durable.
    handed: Option<Batch>,
    ended: Option<watch::Sender<()>>,
}

impl Steps {
    pub(crate) fn new(queue: Arc<Queue>, decider: Decider, committer: Committer, ended: watch::Sender<()>) -> Self {
        Self { queue: Abandon(queue), decider, committer, handed: None, ended: Some(ended) }
    }

    /// Takes what waits and decides it: as a batch of its own that goes to the committer, if that has none; else in the
    /// batch that collects behind it, on top of what is not durable yet. False if there was nothing to decide.
    pub fn decide(&mut self) -> bool {
        let progress = self.decider.progress();
        let updates = if progress.full { Default::default() } else { self.queue.0.take() };
        if updates.is_empty() && (progress.full || !progress.behind) {
            self.end_if_drained();
            return false;
        }
        self.decider.decide(updates);
        self.hand_over();
        true
    }

    /// Makes the batch that was handed over durable, publishes it and answers, or fails it; then the batch behind it
    /// takes its place. False if there was none.
    pub fn commit(&mut self) -> bool {
        let Some(batch) = self.handed.take() else {
            self.end_if_drained();
            return false;
        };
        self.committer.commit(batch, || {});
        self.hand_over();
        self.end_if_drained();
        true
    }

    /// Looks whether another process has changed what the backend holds, and tidies it, as the threads do every second.
    pub fn keep_house(&mut self) {
        self.committer.keep_house();
    }

    /// Whether updates wait to be decided.
    pub fn can_decide(&self) -> bool {
        let progress = self.decider.progress();
        !progress.full && (progress.behind || self.queue.0.has_waiting())
    }

    /// Whether a decided batch waits to be made durable.
    pub fn can_commit(&self) -> bool {
        self.handed.is_some()
    }

    fn hand_over(&mut self) {
        if self.handed.is_none() && self.decider.progress().open {
            self.handed = Some(self.decider.hand_over());
        }
    }

    /// A closed store has ended when nothing is left to do.
    fn end_if_drained(&mut self) {
        let progress = self.decider.progress();
        if self.handed.is_none() && !progress.open && !progress.behind && self.queue.0.is_drained() {
            self.ended = None;
        }
    }
}
