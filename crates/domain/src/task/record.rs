//! A task as it is stored.

use std::sync::Arc;

use longshore_ecs_wire::shapes::{NetworkBinding, NetworkConfiguration, Tag, TaskOverride};
use serde::{Deserialize, Serialize};

use super::{DesiredStatus, TaskStatus};
use crate::{EcsId, Resources, Timestamp};

/// Names one task in the whole store: incarnation of its cluster, and its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TaskKey {
    /// Incarnation of the cluster.
    pub cluster: u64,
    /// The task's id.
    pub id: EcsId,
}

/// A task. What follows from its definition (image, names, defaults) and its place (ARNs) is not here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskRecord {
    /// Incarnation of its cluster.
    pub cluster: u64,
    /// Its id.
    pub id: EcsId,
    /// Place in the creation order of the cluster; immutable, never reused.
    pub sequence: u64,
    /// Family of its definition.
    pub family: Arc<str>,
    /// Revision of its definition.
    pub revision: u32,
    /// `group`; a service's tasks have `service:NAME`, a daemon's `daemon:NAME`.
    pub group: Arc<str>,
    /// `startedBy`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_by: Option<Arc<str>>,
    /// `launchType`.
    pub launch_type: LaunchType,
    /// `capacityProviderName`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity_provider: Option<Arc<str>>,
    /// The machine it is placed on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<EcsId>,
    /// The container instance it is placed on; none for FARGATE.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container_instance: Option<EcsId>,
    /// What it takes of its machine.
    pub resources: Resources,
    /// Written by API and controllers.
    pub desired_status: DesiredStatus,
    /// Written from what the node reports.
    pub last_status: TaskStatus,
    /// Starts at 1, rises with each change that makes an event.
    pub version: u64,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// `connectivityAt`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connectivity_at: Option<Timestamp>,
    /// `pullStartedAt`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pull_started_at: Option<Timestamp>,
    /// `pullStoppedAt`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pull_stopped_at: Option<Timestamp>,
    /// `startedAt`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// `stoppingAt`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopping_at: Option<Timestamp>,
    /// `executionStoppedAt`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution_stopped_at: Option<Timestamp>,
    /// `stoppedAt`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped_at: Option<Timestamp>,
    /// `stopCode`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_code: Option<StopCode>,
    /// `stoppedReason`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped_reason: Option<Arc<str>>,
    /// What is known of each container, in the definition's order.
    pub containers: Vec<ContainerRecord>,
    /// `overrides`, as given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overrides: Option<Arc<TaskOverride>>,
    /// `networkConfiguration`, as given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network_configuration: Option<Arc<NetworkConfiguration>>,
    /// `platformVersion`; only FARGATE.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform_version: Option<Arc<str>>,
    /// `enableExecuteCommand`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub enable_execute_command: bool,
    /// Tags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Tag>,
}

impl TaskRecord {
    /// Its key.
    pub fn key(&self) -> TaskKey {
        TaskKey { cluster: self.cluster, id: self.id }
    }

    /// The service it belongs to.
    pub fn service(&self) -> Option<&str> {
        self.group.strip_prefix("service:")
    }

    /// The daemon it belongs to.
    pub fn daemon(&self) -> Option<&str> {
        self.group.strip_prefix("daemon:")
    }
}

/// What is known of one container of a task.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContainerRecord {
    /// PENDING until its node reports.
    pub last_status: ContainerStatus,
    /// The engine's id of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime_id: Option<Arc<str>>,
    /// `sha256:…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_digest: Option<Arc<str>>,
    /// Absent if it never ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// Error text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Arc<str>>,
    /// Published ports.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub network_bindings: Vec<NetworkBinding>,
}

/// Status of a container, as clients see it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ContainerStatus {
    /// Not started yet.
    #[default]
    Pending,
    /// Started.
    Running,
    /// Ended, or never to be started.
    Stopped,
}

impl ContainerStatus {
    /// ECS's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Running => "RUNNING",
            Self::Stopped => "STOPPED",
        }
    }
}

/// Launch type of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LaunchType {
    /// On a container instance.
    Ec2,
    /// On capacity that belongs to no one.
    Fargate,
    /// On a container instance that is not an EC2 machine.
    External,
    /// On an instance that the service manages.
    ManagedInstances,
}

impl LaunchType {
    /// Every launch type.
    pub const ALL: [Self; 4] = [Self::Ec2, Self::Fargate, Self::External, Self::ManagedInstances];

    /// ECS's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ec2 => "EC2",
            Self::Fargate => "FARGATE",
            Self::External => "EXTERNAL",
            Self::ManagedInstances => "MANAGED_INSTANCES",
        }
    }
}

/// Why a task stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum StopCode {
    /// It never ran.
    TaskFailedToStart,
    /// An essential container ended.
    EssentialContainerExited,
    /// StopTask.
    UserInitiated,
    /// A service's scheduler.
    ServiceSchedulerInitiated,
    /// Its spot capacity went away.
    SpotInterruption,
    /// Its host went away.
    TerminationNotice,
}

impl StopCode {
    /// ECS's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TaskFailedToStart => "TaskFailedToStart",
            Self::EssentialContainerExited => "EssentialContainerExited",
            Self::UserInitiated => "UserInitiated",
            Self::ServiceSchedulerInitiated => "ServiceSchedulerInitiated",
            Self::SpotInterruption => "SpotInterruption",
            Self::TerminationNotice => "TerminationNotice",
        }
    }
}
