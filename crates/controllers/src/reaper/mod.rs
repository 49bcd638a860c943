//! Ends retention, and nothing else does: what is still in the store is listed and described alike.
//!
//! Stopped tasks go when they have been kept for as long as configured; client tokens when they protect nothing any
//! more; deleted clusters when a new one has their name and they hold no tasks; deleted task definitions when no listed
//! task has them. What is due is found in a published state and judged again inside the transaction that removes it.
//! Tasks, the many, are looked at in the order in which they stopped, never one by one. Removal goes in slices.

mod due;
mod retire;

#[cfg(test)]
mod client_token_tests;
#[cfg(test)]
mod task_tests;
#[cfg(test)]
mod unused_tests;

use std::time::Duration;

use futures_util::future::try_join_all;
use longshore_domain::idempotency::AFTER_LAST_TASK_MILLIS;
use longshore_domain::{EcsId, Scope, Timestamp};
use longshore_store::{Kind, Store, Write};

use crate::driver::{Controller, DriverOptions, Fault, Now, Requeue};
use due::Due;
use retire::Retire;

/// How long stopped tasks are kept at least; source: the ECS developer guide's page on stopped tasks.
const LEAST_RETENTION: Duration = Duration::from_secs(3600);
/// The most records that one transaction removes.
const SLICE: usize = 50;
/// How many slices are on their way at once.
const SLICES: usize = 16;
/// The longest wait while anything is kept: the clock may jump, e.g. when a laptop wakes up.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// Client tokens younger than a day are all looked at this often at most.
const SWEEP_EVERY_MILLIS: i64 = 600_000;

/// How long stopped tasks are kept: an hour, or more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TaskRetention(Duration);

/// A retention that ECS's clients do not count with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("stopped tasks are kept for at least 3600 s, not {} s", .0.as_secs())]
pub struct RetentionTooShort(pub Duration);

impl TaskRetention {
    /// A retention of this length.
    ///
    /// # Errors
    /// It is less than an hour.
    pub fn new(length: Duration) -> Result<Self, RetentionTooShort> {
        if length < LEAST_RETENTION { Err(RetentionTooShort(length)) } else { Ok(Self(length)) }
    }

    fn millis(self) -> i64 {
        i64::try_from(self.0.as_millis()).unwrap_or(i64::MAX)
    }
}

impl Default for TaskRetention {
    fn default() -> Self {
        Self(LEAST_RETENTION)
    }
}

/// The controller that ends retention.
pub struct Reaper {
    store: Store,
    retention: TaskRetention,
    now: Now,
    /// When all client tokens are to be looked at next; none yet: when the oldest may have come to its end.
    next_sweep: Option<Timestamp>,
}

impl Reaper {
    /// A reaper over a store.
    pub fn new(store: Store, retention: TaskRetention, now: Now) -> Self {
        Self { store, retention, now, next_sweep: None }
    }

    /// How it is to be driven, so that a task is kept at most ten seconds too long.
    pub fn driver_options() -> DriverOptions {
        DriverOptions {
            quiet: Duration::from_secs(5),
            longest_pause: Duration::from_secs(5),
            ..DriverOptions::default()
        }
    }

    /// Removes what is due, until nothing is.
    async fn reap(&self) -> Result<(), Fault> {
        loop {
            let found = due::find(&self.store.view(), (self.now)(), self.retention.millis(), SLICE * SLICES);
            // Nothing removed: somebody else was faster, or the clock went back. The next run sees.
            if found.is_empty() || self.retire(found).await? == 0 {
                return Ok(());
            }
        }
    }

    /// Removes client tokens whose tasks have ended long before the tokens' own day is over.
    async fn sweep_client_tokens(&mut self) -> Result<(), Fault> {
        let now = (self.now)();
        let view = self.store.view();
        if due::next_sweep(&view, self.next_sweep).is_none_or(|at| now < at) {
            return Ok(());
        }
        let (dead, earliest) = due::sweep_client_tokens(&view, now).await;
        drop(view);
        for some in dead.chunks(SLICE * SLICES) {
            self.retire(some.to_vec()).await?;
        }
        self.next_sweep = earliest.map(|at| at.max(now.plus_millis(SWEEP_EVERY_MILLIS)));
        Ok(())
    }

    /// How many of these were still due, and are gone now.
    async fn retire(&self, found: Vec<Due>) -> Result<usize, Fault> {
        let write = |slice: &[Due]| Write {
            // The records are of any scope, and nothing is made that needs an id.
            scope: Scope::new("", ""),
            principal: "longshore".into(),
            at: (self.now)(),
            seed: EcsId([0; 16]),
            input: Retire { retention_millis: self.retention.millis(), found: slice.to_vec() },
        };
        let slices = found.chunks(SLICE).map(|slice| self.store.update(write(slice), retire::decide));
        Ok(try_join_all(slices).await?.into_iter().sum())
    }

    /// When something comes to its end next.
    fn look_again(&self) -> Requeue {
        let view = self.store.view();
        let task = view.stopped().next().map(|(at, _)| at.plus_millis(self.retention.millis()));
        let token = due::next_sweep(&view, self.next_sweep);
        match task.into_iter().chain(token).min() {
            Some(at) => {
                let wait = u64::try_from(at.millis_since((self.now)())).unwrap_or(0);
                Requeue::After(Duration::from_millis(wait.max(1)).min(LONGEST_WAIT))
            }
            None => Requeue::OnSignal,
        }
    }
}

impl Controller for Reaper {
    const NAME: &'static str = "reaper";
    const KINDS: &'static [Kind] = &[Kind::Task, Kind::ClientToken, Kind::Cluster, Kind::TaskDefinition];

    async fn reconcile(&mut self) -> Result<Requeue, Fault> {
        self.reap().await?;
        self.sweep_client_tokens().await?;
        Ok(self.look_again())
    }
}

/// The earliest time at which a client token of this age can have come to its end.
fn earliest_end(created_at: Timestamp) -> Timestamp {
    created_at.plus_millis(AFTER_LAST_TASK_MILLIS)
}
