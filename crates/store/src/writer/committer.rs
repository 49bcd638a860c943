//! The committing half: makes batches durable one after the other, publishes, passes changes on, answers.
//!
//! It refuses a batch of another epoch than its own: that was decided on something that is not there. After a commit
//! that was reported as failed the backend is asked what it holds, since it can be there all the same; until the backend
//! answers, nothing is committed. If the backend holds something else than was written here (another process has
//! changed the file), the whole state is loaded anew and every watcher has to take a snapshot.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Published;
use super::batch::Batch;
use super::counts::Counts;
use crate::backend::{self, Durable};
use crate::watch::Watchers;
use crate::{State, StoreError};

pub(crate) struct Committer {
    backend: Box<dyn Durable>,
    published: Published,
    watchers: Watchers,
    counts: Arc<Counts>,
    epoch: u64,
    /// Version of the published state, which is durable.
    durable: u64,
    /// Whether the backend is known to hold just that.
    sure: bool,
}

impl Committer {
    pub(crate) fn new(
        backend: Box<dyn Durable>,
        published: Published,
        watchers: Watchers,
        counts: Arc<Counts>,
    ) -> Self {
        let durable = published.state.load().version();
        let epoch = published.epoch.load(Ordering::Acquire);
        Self { backend, published, watchers, counts, epoch, durable, sure: true }
    }

    /// Makes a batch durable, publishes it, lets `go_on` know that the next one may come, and answers.
    pub(crate) fn commit(&mut self, batch: Batch, go_on: impl FnOnce()) {
        let Batch { epoch, previous, state, rows, changes, updates } = batch;
        let written = rows.len();
        let outcome = self.make_durable(epoch, previous, state.version(), rows);
        match &outcome {
            Ok(false) => {}
            Ok(true) => {
                self.durable = state.version();
                Counts::add(&self.counts.batches, 1);
                Counts::add(&self.counts.updates, updates.len());
                Counts::add(&self.counts.rows, written);
                let published = &self.published.state;
                self.watchers.publish(changes, || published.store(state));
            }
            Err(error) => {
                tracing::error!(%error, updates = updates.len(), "a batch was not written");
                Counts::add(&self.counts.failed, 1);
                // One of an earlier epoch takes nobody with it who has begun anew since.
                if epoch == self.epoch {
                    self.new_epoch();
                }
            }
        }
        go_on();
        let failed = outcome.err();
        for decided in updates {
            decided.update.answer(failed.clone().or(decided.fault));
        }
    }

    /// Looks whether another process has changed what the backend holds.
    pub(crate) fn look(&mut self) {
        if let Err(error) = self.make_sure() {
            tracing::warn!(%error, "the store cannot be read");
        }
    }

    /// What is to be done now and then, whether anything is written or not.
    pub(crate) fn keep_house(&mut self) {
        self.look();
        if let Err(error) = self.backend.tidy() {
            tracing::warn!(%error, "the store's housekeeping failed");
        }
    }

    /// Whether anything was to be written.
    fn make_durable(
        &mut self,
        epoch: u64,
        previous: u64,
        version: u64,
        rows: Vec<crate::record::Row>,
    ) -> Result<bool, StoreError> {
        if !self.sure {
            self.make_sure()?;
        }
        if epoch != self.epoch || previous != self.durable {
            return Err(StoreError::Commit("what it was built on was not written".into()));
        }
        if rows.is_empty() {
            return Ok(false);
        }
        let Err(error) = self.backend.commit(&backend::Batch { previous, version, rows }) else { return Ok(true) };
        self.sure = false;
        match self.backend.version() {
            // What has moved was moved by somebody else, to whatever version.
            _ if matches!(error, StoreError::Moved { .. }) => self.look(),
            Ok(held) if held == version => {
                tracing::warn!(%error, "a commit was reported as failed, but it is durable");
                self.sure = true;
                return Ok(true);
            }
            Ok(held) if held == previous => self.sure = true,
            Ok(_) => self.look(),
            Err(unknown) => {
                tracing::error!(error = %unknown, "what the store holds after a failed commit is not known")
            }
        }
        Err(error)
    }

    /// Asks the backend what it holds, and takes that over if it is something else.
    fn make_sure(&mut self) -> Result<(), StoreError> {
        self.sure = false;
        if self.backend.version()? != self.durable {
            self.reload()?;
        }
        self.sure = true;
        Ok(())
    }

    fn reload(&mut self) -> Result<(), StoreError> {
        let state = Arc::new(State::load(&mut *self.backend)?);
        let version = state.version();
        tracing::warn!(version, before = self.durable, "the store was changed from outside and is loaded anew");
        self.durable = version;
        let published = &self.published.state;
        self.watchers.reset(version, || published.store(state));
        self.new_epoch();
        Ok(())
    }

    fn new_epoch(&mut self) {
        self.epoch += 1;
        self.published.epoch.store(self.epoch, Ordering::Release);
    }
}
