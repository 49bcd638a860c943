//! What a node's report does to a task.
//!
//! A report is taken as far as it is news: containers and the task only move forward, a report for a task that has
//! stopped changes nothing, and one container may stand in a report twice (RUNNING, then STOPPED). Timestamps are kept
//! in the order of life even where the node's clock is behind. Source: SubmitTaskStateChange as Amazon's agent uses it.

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
    let floor = next.created_at;
    set_once(&mut next.pull_started_at, report.pull_started_at, floor);
    set_once(&mut next.pull_stopped_at, report.pull_stopped_at, next.pull_started_at.unwrap_or(floor));
    if let Some(status) = report.status
        && advance(&mut next.last_status, Actor::Node, status)
    {
        match status {
            TaskStatus::Running => next.started_at = Some(now.max(next.pull_started_at.unwrap_or(floor))),
            TaskStatus::Stopped => stopped(&mut next, report, now),
            TaskStatus::Pending => next.connectivity_at = next.connectivity_at.or(Some(now)),
            _ => {}
        }
    }
    if next == *task {
        return None;
    }
    next.version += 1;
    Some(next)
}

fn set_once(field: &mut Option<Timestamp>, reported: Option<Timestamp>, floor: Timestamp) {
    if field.is_none() {
        *field = reported.map(|at| at.max(floor));
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
    let ended = report.execution_stopped_at.unwrap_or(now).min(now).max(began);
    task.execution_stopped_at = Some(ended);
    if task.desired_status == DesiredStatus::Running {
        task.desired_status = DesiredStatus::Stopped;
        task.stopping_at = Some(now.max(ended));
        let ran = task.started_at.is_some() || task.containers.iter().any(|container| container.exit_code.is_some());
        let reason = nonempty(report.reason.as_deref());
        if ran {
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
