//! What to do next for a task: a pure function of what is known.
//!
//! Promises, whatever happens in whatever order: a container is created at most once unless its creation failed for
//! certain; nothing is created or started once the task is to stop; at most one call is under way per container; what
//! the server has not been told of is not removed.

use longshore_ecs_wire::Timestamp;
use longshore_ecs_wire::agent::DesiredStatus;

use super::container_state::{ContainerState, Existence, Phase};
use super::report::{self, Report};
use super::task_state::TaskState;

/// One thing to do. The number is the container's position.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Step {
    /// Bring the image.
    Pull(usize),
    /// Create the container.
    Create(usize),
    /// Start it.
    Start(usize),
    /// Look at it.
    Inspect(usize),
    /// Stop it.
    Stop(usize),
    /// Remove it.
    Remove(usize),
    /// Tell the server.
    Report(Box<Report>),
}

/// What to do.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Plan {
    /// What can be done at once and at the same time, in this order.
    pub steps: Vec<Step>,
    /// When to plan again even if nothing happens.
    pub look_again: Option<Timestamp>,
    /// Nothing is left to do, now or later.
    pub finished: bool,
}

impl Plan {
    fn wait_until(&mut self, at: Option<Timestamp>) {
        self.look_again = match (self.look_again, at) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
    }
}

/// The next steps of a task. Stopped containers are removed `cleanup_wait_millis` after their end.
pub(crate) fn plan(state: &TaskState, cleanup_wait_millis: i64, now: Timestamp) -> Plan {
    let mut plan = Plan::default();
    if let Some(report) = report::due(state) {
        match state.report.retry_at.filter(|at| *at > now) {
            Some(at) => plan.wait_until(Some(at)),
            None => plan.steps.push(Step::Report(Box::new(report))),
        }
    }
    for (index, container) in state.containers.iter().enumerate() {
        if container.busy.is_none() {
            let wanted = wants(state, container, cleanup_wait_millis);
            match wanted.iter().find(|wanted| wanted.is_due(now)) {
                Some(wanted) => plan.steps.push((wanted.step)(index)),
                None => wanted.iter().for_each(|wanted| plan.wait_until(wanted.not_before)),
            }
        }
    }
    let at_rest = |container: &ContainerState| container.busy.is_none() && container.exists == Existence::No;
    plan.finished = state.report.knows_the_end() && state.containers.iter().all(at_rest);
    plan
}

/// Something that a container needs.
struct Wanted {
    step: fn(usize) -> Step,
    not_before: Option<Timestamp>,
}

impl Wanted {
    fn is_due(&self, now: Timestamp) -> bool {
        self.not_before.is_none_or(|at| at <= now)
    }
}

/// What a container needs, the most urgent first; one at a time is done.
fn wants(state: &TaskState, container: &ContainerState, cleanup_wait_millis: i64) -> Vec<Wanted> {
    let stop = state.desired == DesiredStatus::Stopped;
    let mut wanted = Vec::new();
    let mut want = |step: fn(usize) -> Step, not_before| wanted.push(Wanted { step, not_before });
    match container.phase {
        Phase::Waiting if !stop => want(Step::Pull, None),
        Phase::Pulled if !stop => want(Step::Create, None),
        Phase::Waiting | Phase::Pulled | Phase::Removed => {}
        Phase::Created | Phase::Started | Phase::Running | Phase::Stopped => {
            if container.look && container.exists != Existence::No {
                want(Step::Inspect, container.look_retry.at);
            } else if container.phase == Phase::Created && !stop {
                want(Step::Start, None);
            }
            if stop && container.alive {
                want(Step::Stop, container.stop_retry.at);
            }
            if let Some(end) = removable_since(state, container) {
                let due = end.plus_millis(cleanup_wait_millis);
                want(Step::Remove, Some(due).max(container.remove_retry.at));
            }
        }
    }
    wanted
}

/// When a container ended that may be removed.
fn removable_since(state: &TaskState, container: &ContainerState) -> Option<Timestamp> {
    let removable =
        container.phase == Phase::Stopped && container.exists != Existence::No && state.report.knows_the_end();
    container.finished_at.filter(|_| removable)
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
