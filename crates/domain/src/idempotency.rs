//! What a client token protects: the request that used it first, and its result.
//!
//! Written in the same transaction as the tasks it names. Scope of a token is one incarnation of a cluster.
//! Source: the ECS API reference, "Ensuring idempotency".

use std::sync::Arc;

use longshore_ecs_wire::shapes::Failure;
use serde::{Deserialize, Serialize};

use crate::{EcsId, Timestamp};

/// A token lives at most this long.
pub const LIFE_MILLIS: i64 = 24 * 3600 * 1000;
/// A token outlives the last of its tasks by this much.
pub const AFTER_LAST_TASK_MILLIS: i64 = 3600 * 1000;

/// The record of one client token.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClientTokenRecord {
    /// Incarnation of the cluster.
    pub cluster: u64,
    /// The caller's token.
    pub token: Arc<str>,
    /// SHA-256 of the normalised input, in hex.
    pub digest: Arc<str>,
    /// When it was used first.
    pub created_at: Timestamp,
    /// The tasks that were started.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<EcsId>,
    /// The failures that were answered beside them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<Failure>,
}

impl ClientTokenRecord {
    /// Whether the token still protects, at `now`, given when each of its tasks stopped
    /// (`None`: not yet; a task that is gone does not appear).
    pub fn lives(&self, now: Timestamp, mut stops: impl Iterator<Item = Option<Timestamp>>) -> bool {
        let age = now.millis() - self.created_at.millis();
        if age >= LIFE_MILLIS {
            return false;
        }
        age < AFTER_LAST_TASK_MILLIS
            || stops.any(|stop| stop.is_none_or(|at| now.millis() - at.millis() < AFTER_LAST_TASK_MILLIS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_lives_as_the_book_says() {
        let token = ClientTokenRecord {
            cluster: 1,
            token: "t".into(),
            digest: "d".into(),
            created_at: Timestamp::from_millis(0),
            tasks: vec![],
            failures: vec![],
        };
        let lives = |hours: f64, stops: &[Option<i64>]| {
            let now = Timestamp::from_millis((hours * 3_600_000.0) as i64);
            token.lives(now, stops.iter().map(|stop| stop.map(|h| Timestamp::from_millis(h * 3_600_000))))
        };
        assert!(lives(0.5, &[]));
        assert!(!lives(1.0, &[]));
        assert!(lives(23.9, &[None]));
        assert!(!lives(24.0, &[None]));
        assert!(lives(5.5, &[Some(3), Some(5)]));
        assert!(!lives(6.0, &[Some(3), Some(5)]));
    }
}
