//! Reconciliation of a fresh session: the server lists what it wants, the node asks before it stops the rest.
//!
//! A manifest is obeyed only if its `timeline` is greater than the node's number, so that an old one never stops a task
//! which a newer payload started. Nothing is stopped without the second look of the verification.

use serde::{Deserialize, Serialize};

use super::DesiredStatus;

/// By so much at least a restore raises the numbers that the server counts with, above all that it had before. A node
/// whose number rises by so much at once knows by it that the server may have forgotten what it was told.
pub const RESTORE_STEP: u64 = 1 << 32;

/// A task and the status wanted of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct TaskIdentifier {
    /// ARN of the task.
    pub task_arn: String,
    /// ARN of its cluster.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub task_cluster_arn: String,
    /// The status.
    pub desired_status: DesiredStatus,
}

/// Server → node: every task that is wanted RUNNING on this container instance.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct TaskManifestMessage {
    /// ARN of the cluster.
    pub cluster_arn: String,
    /// ARN of the container instance.
    pub container_instance_arn: String,
    /// Id that the acknowledgement and the verification repeat.
    pub message_id: String,
    /// When the server made it, epoch milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generated_at: Option<i64>,
    /// The instance's sequence number when the list was made.
    pub timeline: i64,
    /// The tasks. Empty is legal: stop all, if confirmed.
    pub tasks: Vec<TaskIdentifier>,
}

/// Node → server: tasks that are here and not in the manifest; the node asks whether to stop them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct TaskStopVerificationMessage {
    /// `messageId` of the manifest.
    pub message_id: String,
    /// The tasks, each with desired status STOPPED.
    pub stop_candidates: Vec<TaskIdentifier>,
}

/// Server → node: the candidates that are really to be stopped.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct TaskStopVerificationAck {
    /// `messageId` of the manifest; any other is ignored.
    pub message_id: String,
    /// When the server made it, epoch milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generated_at: Option<i64>,
    /// The tasks to stop.
    pub stop_tasks: Vec<TaskIdentifier>,
}
