//! What a listing asks of the task table, and what it gets.

use std::sync::Arc;

use longshore_domain::task::{DesiredStatus, LaunchType, TaskStatus};
use longshore_domain::{EcsId, Timestamp};

/// What tasks are listed by, with the value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Dimension {
    /// Every task.
    All,
    /// `family`.
    Family(Arc<str>),
    /// `startedBy`.
    StartedBy(Arc<str>),
    /// `serviceName`.
    Service(Arc<str>),
    /// `daemonName`.
    Daemon(Arc<str>),
    /// `containerInstance`.
    ContainerInstance(EcsId),
    /// `launchType`.
    LaunchType(LaunchType),
}

/// Which tasks a listing wants: one desired status, and every one of these dimensions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskFilter {
    /// Desired status.
    pub desired_status: DesiredStatus,
    /// All of these; empty: every task.
    pub dimensions: Vec<Dimension>,
}

/// One page of task ids.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TaskPage {
    /// Ids in creation order.
    pub ids: Vec<EcsId>,
    /// Sequence number after which the next page begins.
    pub cursor: Option<u64>,
    /// Whether there may be more after it.
    pub more: bool,
}

/// How many tasks of a launch type are in which part of life.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TaskCounts {
    /// Last status RUNNING.
    pub running: usize,
    /// Last status before RUNNING.
    pub pending: usize,
}

impl TaskCounts {
    /// The count of the tasks with this last status, if they are counted.
    pub(super) fn of_mut(&mut self, last_status: TaskStatus) -> Option<&mut usize> {
        match last_status {
            TaskStatus::Running => Some(&mut self.running),
            TaskStatus::Provisioning | TaskStatus::Pending | TaskStatus::Activating => Some(&mut self.pending),
            _ => None,
        }
    }
}

/// Where a task is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TaskLife {
    /// Desired status.
    pub desired_status: DesiredStatus,
    /// Last status.
    pub last_status: TaskStatus,
    /// The machine it is placed on.
    pub node: Option<EcsId>,
    /// `stoppedAt`.
    pub stopped_at: Option<Timestamp>,
}
