//! Traversals of ListTasks, a page at a time between other things, so that they go on across kills.

use std::sync::atomic::Ordering;

use super::super::call::{Behaviour, Desired, Filter, ListTasks, Request, TaskId};
use super::super::client::{Client, Over};
use super::super::judge::Traversal;
use super::Worker;

/// Pages after which a traversal takes the largest ones.
const PATIENCE: usize = 25;

/// A traversal under way.
#[derive(Debug)]
pub struct Wandering {
    traversal: Traversal,
    /// Left out, and still to be described.
    doubtful: Option<Vec<TaskId>>,
}

impl Worker<'_> {
    /// One more page; or after the last, the question about what it left out.
    pub(super) fn wander(&mut self) -> Result<(), Over> {
        let mut wandering = match self.wandering.take() {
            Some(wandering) => wandering,
            None => Wandering { traversal: Traversal::new(self.new_list()), doubtful: None },
        };
        if let Some(doubtful) = &wandering.doubtful {
            if !describe_all(&mut self.client, &wandering.traversal, doubtful)? {
                self.wandering = Some(wandering);
            }
            return Ok(());
        }
        if wandering.traversal.pages.len() > PATIENCE {
            wandering.traversal.list.limit = 100;
        } else if self.random.chance(10) {
            wandering.traversal.list.limit = self.random.between(1, 100);
        }
        let call = self.client.call(Request::ListTasks(wandering.traversal.list.clone()))?;
        if wandering.traversal.add(&call) {
            let shared = self.client.shared;
            let doubtful = shared.check(shared.judge().traversed(&wandering.traversal))?;
            shared.counts.traversals.fetch_add(1, Ordering::Relaxed);
            let across = usize::from(call.kills > wandering.traversal.kills);
            shared.counts.traversals_across.fetch_add(across, Ordering::Relaxed);
            if doubtful.is_empty() {
                return Ok(());
            }
            wandering.doubtful = Some(doubtful);
        }
        self.wandering = Some(wandering);
        Ok(())
    }

    fn new_list(&mut self) -> ListTasks {
        let cluster = self.cluster();
        let desired = if self.random.chance(60) { Desired::Running } else { Desired::Stopped };
        let filter = match self.random.below(10) {
            0..6 => Filter::All,
            6..9 => {
                let behaviour = self.random.pick(&Behaviour::ALL).copied().unwrap_or(Behaviour::Waiting);
                Filter::Family(behaviour.family().into())
            }
            _ => {
                let remembered = self.client.shared.remembered();
                let here: Vec<_> = remembered.iter().filter(|run| run.cluster == cluster).collect();
                self.random.pick(&here).map_or(Filter::All, |run| Filter::StartedBy(run.started_by.clone()))
            }
        };
        let limit = if self.random.chance(40) { self.random.between(1, 10) } else { self.random.between(1, 100) };
        ListTasks { cluster, desired, filter, limit, token: None }
    }
}

/// Describes what a traversal left out and judges it; false if there was no answer yet.
fn describe_all(client: &mut Client<'_>, traversal: &Traversal, doubtful: &[TaskId]) -> Result<bool, Over> {
    for tasks in doubtful.chunks(100) {
        let cluster = traversal.list.cluster.clone();
        let call = client.call(Request::DescribeTasks { cluster, tasks: tasks.to_vec() })?;
        if !matches!(call.outcome, super::super::call::Outcome::Answered(_)) {
            return Ok(false);
        }
    }
    let checked = client.shared.judge().left_out(traversal, doubtful);
    client.shared.check(checked)?;
    Ok(true)
}
