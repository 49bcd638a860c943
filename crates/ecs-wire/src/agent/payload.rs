//! Assignments: the tasks that a node is to run or to stop.

use serde::{Deserialize, Serialize};

use super::Task;

/// Server → node: tasks with the status wanted of each. Sent again until acknowledged; sending again is harmless.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PayloadMessage {
    /// ARN of the cluster. Required.
    pub cluster_arn: String,
    /// ARN of the container instance the tasks are placed on. Required.
    pub container_instance_arn: String,
    /// Id that the acknowledgement repeats. Required, not empty.
    pub message_id: String,
    /// The instance's sequence number; raises the node's number, which decides about manifests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq_num: Option<i64>,
    /// When the server made it, epoch milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generated_at: Option<i64>,
    /// The tasks; those with desired status STOPPED are handled before the others.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<Task>,
}
