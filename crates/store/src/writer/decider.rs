//! The deciding half: runs updates in order on the working state and collects what they write.
//!
//! The working state runs ahead of what is durable. Whatever changes the epoch (a batch that was not made durable, a
//! state that came anew from the backend) ends that: the batch under way is doomed, and the next one begins from the
//! published state. Undoing an update costs nothing as long as none has to be undone: there is a state to go back to at
//! the beginning of a batch, and the edits since then are made again.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Published;
use super::batch::{Batch, Open};
use super::pending::Pending;
use super::queue::Progress;
use crate::tx::Edit;
use crate::{State, Tx};

pub(crate) struct Decider {
    published: Published,
    /// Epoch of the state under way.
    epoch: u64,
    state: State,
    /// Version of the state that the open batch began from.
    previous: u64,
    open: Open,
    /// Taken from the queue, not decided yet.
    taken: VecDeque<Box<dyn Pending>>,
    /// An earlier state of the open batch, and what was done since.
    checkpoint: State,
    edits: Vec<Edit>,
}

impl Decider {
    pub(crate) fn new(published: Published) -> Self {
        let epoch = published.epoch.load(Ordering::Acquire);
        let state = State::clone(&published.state.load());
        Self {
            published,
            epoch,
            previous: state.version(),
            checkpoint: state.clone(),
            state,
            open: Open::default(),
            taken: VecDeque::new(),
            edits: Vec::new(),
        }
    }

    /// Where it is.
    pub(crate) fn progress(&self) -> Progress {
        Progress { open: !self.open.is_empty(), full: self.open.is_full(), behind: !self.taken.is_empty() }
    }

    /// Decides these after what it has taken before, until the open batch is full.
    pub(crate) fn decide(&mut self, mut updates: VecDeque<Box<dyn Pending>>) {
        if self.taken.is_empty() {
            self.taken = updates;
        } else {
            self.taken.append(&mut updates);
        }
        if self.open.is_empty() {
            self.begin();
        }
        while !self.open.is_full()
            && let Some(update) = self.taken.pop_front()
        {
            self.decide_one(update);
        }
    }

    /// The open batch; the next one goes on from where it leads to.
    pub(crate) fn hand_over(&mut self) -> Batch {
        let state = Arc::new(self.state.clone());
        let batch = std::mem::take(&mut self.open).close(self.epoch, self.previous, state);
        #[cfg(feature = "planted-bugs")]
        let batch = self.planted_bugs(batch);
        batch
    }

    #[cfg(feature = "planted-bugs")]
    fn planted_bugs(&self, mut batch: Batch) -> Batch {
        use crate::planted::{Bug, has};
        if has(Bug::EarlyPublish) {
            self.published.state.store(Arc::clone(&batch.state));
        }
        if has(Bug::AnswerBeforeDurability) {
            batch.updates.drain(..).for_each(|decided| decided.update.answer(decided.fault));
        }
        batch
    }

    /// Begins a batch, on the published state if what was decided before does not hold any more.
    fn begin(&mut self) {
        let epoch = self.published.epoch.load(Ordering::Acquire);
        if epoch != self.epoch {
            self.epoch = epoch;
            self.state = State::clone(&self.published.state.load());
        }
        self.previous = self.state.version();
        self.set_checkpoint();
    }

    fn decide_one(&mut self, mut update: Box<dyn Pending>) {
        let version = self.state.version();
        let mut tx = Tx::new(&mut self.state);
        let decided = update.decide(&mut tx);
        let wrote = tx.has_written();
        let finished = tx.finish();
        match (decided, finished) {
            (Ok(true), Ok(mut effects)) if wrote => {
                self.edits.append(&mut effects.edits);
                self.open.add(update, effects);
            }
            (decided, finished) => {
                self.undo(version, wrote);
                let fault = match decided {
                    Err(panicked) => Some(panicked),
                    Ok(true) => finished.err(),
                    Ok(false) => None,
                };
                if let Some(fault) = &fault {
                    tracing::error!(%fault, "an update was undone");
                }
                self.open.add_without_effect(update, fault);
            }
        }
    }

    /// Goes back to `version`, which was the last but for the update to be undone.
    fn undo(&mut self, version: u64, wrote: bool) {
        if wrote {
            self.state = self.checkpoint.clone();
            for edit in &self.edits {
                edit.make(&mut self.state);
            }
        }
        self.state.version = version;
        if wrote {
            self.set_checkpoint();
        }
    }

    fn set_checkpoint(&mut self) {
        self.checkpoint = self.state.clone();
        self.edits.clear();
    }
}
