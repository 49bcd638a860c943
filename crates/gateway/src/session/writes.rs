//! What a session writes: tasks that the node has taken over, and tasks that must not be sent to it.
//!
//! One write is under way at a time and holds what has collected until then. A write that fails is tried again.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::time::Duration;

use longshore_domain::task::lifecycle::advance;
use longshore_domain::task::report::{self, Report};
use longshore_domain::task::{Actor, DesiredStatus, TaskKey, TaskRecord, TaskStatus};
use longshore_domain::{EcsId, Scope, Timestamp};
use longshore_store::{Store, StoreError, Tx, UpdateError, Write};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// The most tasks in one write; a transaction may change 100 records.
const TASKS: usize = 50;
/// Pause after a write that failed.
const PAUSE: Duration = Duration::from_secs(1);

/// What a session has learned of tasks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Learned {
    /// The node has taken these over.
    pub(super) taken: Vec<TaskKey>,
    /// These are not sent to the node, each for a reason.
    pub(super) refused: Vec<(TaskKey, String)>,
}

/// A write that has come to its end.
pub(super) struct Written {
    learned: Learned,
    outcome: Result<(), UpdateError<Infallible>>,
}

/// What is to be written.
#[derive(Debug)]
pub(super) struct Writes {
    taken: BTreeSet<TaskKey>,
    refused: BTreeMap<TaskKey, String>,
    /// The most tasks in the next write; few after a write that was too large.
    slice: usize,
    not_before: Option<Instant>,
}

impl Writes {
    pub(super) fn new() -> Self {
        Self { taken: BTreeSet::new(), refused: BTreeMap::new(), slice: TASKS, not_before: None }
    }

    pub(super) fn taken(&mut self, tasks: impl IntoIterator<Item = TaskKey>) {
        self.taken.extend(tasks);
    }

    pub(super) fn refused(&mut self, tasks: impl IntoIterator<Item = (TaskKey, String)>) {
        self.refused.extend(tasks);
    }

    /// The next write, if there is one and it may be made now.
    pub(super) fn next(&mut self, at: Timestamp, now: Instant) -> Option<Write<Learned>> {
        let waits = self.not_before.is_some_and(|not_before| now < not_before);
        if waits || (self.taken.is_empty() && self.refused.is_empty()) {
            return None;
        }
        self.not_before = None;
        let mut input = Learned::default();
        while input.taken.len() + input.refused.len() < self.slice {
            if let Some(refused) = self.refused.pop_first() {
                input.refused.push(refused);
            } else if let Some(taken) = self.taken.pop_first() {
                input.taken.push(taken);
            } else {
                break;
            }
        }
        // The tasks are of any scope, and nothing is made that needs an id.
        Some(Write { scope: Scope::new("", ""), principal: "longshore".into(), at, seed: EcsId([0; 16]), input })
    }

    /// Takes in how a write ended.
    pub(super) fn done(&mut self, written: Written, now: Instant) {
        let Err(error) = written.outcome else {
            self.slice = TASKS;
            return;
        };
        tracing::warn!(%error, "what a node's session has learned could not be written and is tried again");
        if matches!(error, UpdateError::Store(StoreError::Bound { .. })) {
            self.slice = 1;
        }
        self.not_before = Some(now + PAUSE);
        self.taken(written.learned.taken);
        self.refused(written.learned.refused);
    }

    pub(super) fn next_wake(&self) -> Option<Instant> {
        self.not_before.filter(|_| !self.taken.is_empty() || !self.refused.is_empty())
    }
}

/// Makes a write.
pub(super) async fn apply(store: Store, write: Write<Learned>) -> Written {
    let learned = write.input.clone();
    Written { outcome: store.update(write, decide).await, learned }
}

fn decide(tx: &mut Tx<'_>, write: &Write<Learned>) -> Result<(), Infallible> {
    for key in &write.input.taken {
        let taken = tx.state().task(*key).and_then(|task| pending(&task, write.at));
        if let Some(task) = taken {
            tx.put(task);
        }
    }
    for (key, reason) in &write.input.refused {
        let refused = tx.state().task(*key).and_then(|task| {
            let definition = tx.state().definition_of(&task);
            let names = definition.map(|definition| definition.container_names()).unwrap_or_default();
            stopped(&task, &names, reason, write.at)
        });
        if let Some(task) = refused {
            tx.put(task);
        }
    }
    Ok(())
}

/// The task as its node has taken it over, if that is news.
fn pending(task: &TaskRecord, at: Timestamp) -> Option<TaskRecord> {
    let mut task = task.clone();
    if !advance(&mut task.last_status, Actor::Gateway, TaskStatus::Pending) {
        return None;
    }
    task.connectivity_at = task.connectivity_at.or(Some(at.max(task.created_at)));
    task.version += 1;
    Some(task)
}

/// The task as if its node had refused it. One that is to stop anyway is left to the node.
fn stopped(task: &TaskRecord, names: &[&str], reason: &str, at: Timestamp) -> Option<TaskRecord> {
    if task.desired_status == DesiredStatus::Stopped {
        return None;
    }
    let report = Report { status: Some(TaskStatus::Stopped), reason: Some(reason.into()), ..Report::default() };
    report::apply(task, names, &report, at)
}
