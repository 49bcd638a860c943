//! Where every write starts: data.

use longshore_domain::{EcsId, IdSource, Scope, Timestamp};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A write as data: who wants what, when, and the seed of every id it may need.
///
/// It can be serialised whole, so that a follower can forward it to the leader.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Write<I> {
    /// Account and region of the caller.
    pub scope: Scope,
    /// ARN of the caller.
    pub principal: Arc<str>,
    /// When the write was asked for.
    pub at: Timestamp,
    /// Seed of the ids that the decision may make.
    pub seed: EcsId,
    /// The operation's input.
    pub input: I,
}

impl<I> Write<I> {
    /// The ids of this write.
    pub fn ids(&self) -> IdSource {
        IdSource::new(self.seed)
    }
}
