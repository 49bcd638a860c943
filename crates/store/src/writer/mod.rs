//! The one writer, in two halves that work at the same time.
//!
//! Callers leave their updates in a bounded [`queue`]. The [`decider`] runs them in order on the working state and
//! collects what they write in a batch, on top of what it decided before, durable or not. The [`committer`] makes one
//! batch after the other durable, publishes its state, passes its changes to the watches, and answers. So the next batch
//! is decided while the last one is on its way to the disk, and whatever comes meanwhile shares a commit.
//!
//! An answer of any kind (success, refusal, no change, replay) leaves only after everything it may have seen is durable.
//! A refused or panicked update is undone alone. A failed commit fails its batch and everything built on it, and both
//! halves go on from what the backend really holds. [`threads`] runs the halves in a server; [`steps`] lets a simulation
//! decide whose turn it is.

pub(crate) mod batch;
pub(crate) mod committer;
pub(crate) mod counts;
pub(crate) mod decider;
pub(crate) mod footprint;
pub(crate) mod pending;
pub(crate) mod queue;
pub(crate) mod steps;
pub(crate) mod threads;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use arc_swap::ArcSwap;

use crate::State;

/// A batch holds at most this many updates.
pub(crate) const MAX_UPDATES: usize = 1_024;
/// A batch is closed when its bodies reach this many bytes.
pub(crate) const MAX_BATCH_BYTES: usize = 8 << 20;

/// What the halves share with each other and with the readers.
#[derive(Debug, Clone)]
pub(crate) struct Published {
    /// The latest durable state.
    pub state: Arc<ArcSwap<State>>,
    /// Rises whenever a batch was not made durable, or the state came from the backend anew: what was decided on a
    /// state of an earlier epoch must not be written. It is raised after the state is set.
    pub epoch: Arc<AtomicU64>,
}

impl Published {
    /// A first state.
    pub(crate) fn new(state: State) -> Self {
        Self { state: Arc::new(ArcSwap::from_pointee(state)), epoch: Arc::default() }
    }
}
