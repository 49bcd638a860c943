//! What a node's report does to a task.
//!
//! A report is taken as far as it is news: containers and the task only move forward, a report for a task that has
//! stopped changes nothing, and one container may stand in a report twice (RUNNING, then STOPPED). Timestamps are kept
//! in the order of life, and none lies in the future, even where the node's clock is behind or ahead. Source:
//! SubmitTaskStateChange as Amazon's agent uses it.

use longshore_ecs_wire::operations::ContainerStateChange;
use longshore_ecs_wire::shapes::NetworkBinding;

use super::lifecycle::advance;
use super::stop::cut;
use super::{Actor, ContainerRecord, ContainerStatus, DesiredStatus, StopCode, TaskRecord, TaskStatus};
use crate::Timestamp;

/// The reason of a task whose essential container ended.
pub const ESSENTIAL_EXITED: &str = "Essential container in task exited";

/// A node's report on one task.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Report {
    /// Where the node says the task is; absent when it only reports containers or attachments.
    pub status: Option<TaskStatus>,
    /// Why, in the node's words.
    pub reason: Option<String>,
    /// Changes of containers, in order.
    pub containers: Vec<ContainerStateChange>,
    /// When the first pull began.
    pub pull_started_at: Option<Timestamp>,
    /// When the last pull ended.
    pub pull_stopped_at: Option<Timestamp>,
    /// When the last container ended.
    pub execution_stopped_at: Option<Timestamp>,
}

/// The task after the report, or `None` if it holds no news. `names` are the containers of its definition, in order.
pub fn apply(task: &TaskRecord, names: &[&str], report: &Report, now: Timestamp) -> Option<TaskRecord> {
    if task.last_status == TaskStatus::Stopped {
        return None;
    }
    let mut next = task.clone();
    for change in &report.containers {
        let index = names.iter().position(|name| change.container_name.as_deref() == Some(*name));
        if let Some(container) = index.and_then(|index| next.containers.get_mut(index)) {
            apply_container(container, change);
        }
    }
    apply_pulls(&mut next, report, now);
    if let Some(status) = report.status
        && advance(&mut next.last_status, Actor::Node, status)
    {
        match status {
            TaskStatus::Running => next.started_at = Some(now.max(next.pull_started_at.unwrap_or(next.created_at))),
            TaskStatus::Stopped => stopped(&mut next, report, now),
            _ => {}
        }
    }
    if next == *task {
        return None;
    }
    next.version += 1;
    Some(next)
}

/// A running task begins to stop when an essential container has ended, though others may still be stopping: what is
/// wanted of it is STOPPED from then on. `essential` says which containers are, in the definition's order.
pub fn begin_stopping(task: &TaskRecord, essential: &[bool], now: Timestamp) -> Option<TaskRecord> {
    let mut containers = task.containers.iter().zip(essential);
    let ended =
        containers.any(|(container, essential)| *essential && container.last_status == ContainerStatus::Stopped);
    if !ended || task.last_status != TaskStatus::Running || task.desired_status == DesiredStatus::Stopped {
        return None;
    }
    let mut next = task.clone();
    next.desired_status = DesiredStatus::Stopped;
    next.stopping_at = Some(now.max(next.started_at.unwrap_or(next.created_at)));
    next.stop_code = Some(StopCode::EssentialContainerExited);
    next.stopped_reason = Some(ESSENTIAL_EXITED.into());
    Some(next)
}

/// Pull times, and when the node was reached: before it pulled, even if it says so only afterwards.
fn apply_pulls(task: &mut TaskRecord, report: &Report, now: Timestamp) {
    let pull = report.pull_started_at.or(report.pull_stopped_at);
    if task.connectivity_at.is_none()
        && (pull.is_some() || matches!(report.status, Some(TaskStatus::Pending | TaskStatus::Running)))
    {
        task.connectivity_at = Some(pull.unwrap_or(now).min(now).max(task.created_at));
    }
    let floor = task.connectivity_at.unwrap_or(task.created_at);
    let ceiling = task.pull_stopped_at.unwrap_or(now);
    set_once(&mut task.pull_started_at, report.pull_started_at, floor, ceiling);
    set_once(&mut task.pull_stopped_at, report.pull_stopped_at, task.pull_started_at.unwrap_or(floor), now);
}

fn set_once(field: &mut Option<Timestamp>, reported: Option<Timestamp>, floor: Timestamp, ceiling: Timestamp) {
    if field.is_none() {
        *field = reported.map(|at| at.min(ceiling).max(floor));
    }
}

fn apply_container(container: &mut ContainerRecord, change: &ContainerStateChange) {
    let status = match change.status.as_deref() {
        Some("RUNNING") => ContainerStatus::Running,
        Some("STOPPED") => ContainerStatus::Stopped,
        _ => ContainerStatus::Pending,
    };
    container.last_status = container.last_status.max(status);
    if let Some(id) = nonempty(change.runtime_id.as_deref()) {
        container.runtime_id = Some(id.into());
    }
    if let Some(digest) = nonempty(change.image_digest.as_deref()) {
        container.image_digest = Some(digest.into());
    }
    if let Some(reason) = nonempty(change.reason.as_deref()) {
        container.reason = Some(cut(reason));
    }
    container.exit_code = change.exit_code.or(container.exit_code);
    if let Some(bindings) = change.network_bindings.as_ref().filter(|bindings| !bindings.is_empty()) {
        let mut bindings: Vec<NetworkBinding> = bindings.clone();
        bindings.sort_by_key(|binding| (binding.container_port, binding.host_port));
        container.network_bindings = bindings;
    }
}

fn nonempty(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}

/// Fills in what a task has when it has stopped.
fn stopped(task: &mut TaskRecord, report: &Report, now: Timestamp) {
    for container in &mut task.containers {
        container.last_status = ContainerStatus::Stopped;
    }
    let began = task.started_at.or(task.pull_stopped_at).unwrap_or(task.created_at);
    if task.started_at.is_none() && task.containers.iter().all(|container| container.exit_code.is_some()) {
        // All of it ran, too briefly for a report in between.
        task.started_at = Some(began);
    }
    let ended = report.execution_stopped_at.unwrap_or(now).min(now).max(began);
    task.execution_stopped_at = Some(ended);
    if task.desired_status == DesiredStatus::Running {
        task.desired_status = DesiredStatus::Stopped;
        task.stopping_at = Some(now.max(ended));
        let reason = nonempty(report.reason.as_deref());
        let exited = task.containers.iter().any(|container| container.exit_code.is_some());
        if let (Some(_), Some(reason)) = (task.started_at, reason) {
            // Its node stopped it by itself, and says why.
            task.stop_code = Some(StopCode::TerminationNotice);
            task.stopped_reason = Some(cut(reason));
        } else if task.started_at.is_some() || (exited && reason.is_none()) {
            task.stop_code = Some(StopCode::EssentialContainerExited);
            task.stopped_reason = Some(ESSENTIAL_EXITED.into());
        } else {
            task.stop_code = Some(StopCode::TaskFailedToStart);
            let first = task.containers.iter().find_map(|container| container.reason.clone());
            task.stopped_reason = reason.map(cut).or(first).or_else(|| Some("Task failed to start".into()));
        }
    }
    let stopping = task.stopping_at.unwrap_or(ended);
    task.stopped_at = Some(now.max(ended).max(stopping));
}

#[cfg(test)]
mod tests;
