//! A task as a payload carries it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Container, ElasticNetworkInterface, IamRoleCredentials, Volume};

/// The status the server wants of a task. It only ever moves from RUNNING to STOPPED.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum DesiredStatus {
    /// Run it.
    #[default]
    Running,
    /// Stop it.
    Stopped,
}

/// A task to run, or, with `arn` and `desired_status` alone, to stop.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Task {
    /// ARN of the task: `…:task/<cluster>/<id>`.
    pub arn: String,
    /// ARN of its cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_cluster_arn: Option<String>,
    /// Family of its definition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family: Option<String>,
    /// Revision of its definition, as a string.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The status wanted.
    pub desired_status: DesiredStatus,
    /// Account that owns the definition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_definition_account_id: Option<String>,
    /// JSON string of the overrides; for information, the engine does not use it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overrides: Option<String>,
    /// The containers, overrides merged.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub containers: Vec<Container>,
    /// Volumes that containers mount.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub volumes: Vec<Volume>,
    /// CPU limit of the task, in vCPUs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu: Option<f64>,
    /// Memory limit of the task, MiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<i64>,
    /// Credentials of the task role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_credentials: Option<IamRoleCredentials>,
    /// Credentials of the execution role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub execution_role_credentials: Option<IamRoleCredentials>,
    /// Network interfaces of an awsvpc task.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub elastic_network_interfaces: Vec<ElasticNetworkInterface>,
    /// GPUs and accelerators.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub associations: Vec<Association>,
    /// Process namespace: `host` or `task`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pid_mode: Option<String>,
    /// IPC namespace: `host`, `task` or `none`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipc_mode: Option<String>,
    /// App Mesh proxy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxy_configuration: Option<ProxyConfiguration>,
    /// EC2, FARGATE or EXTERNAL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub launch_type: Option<String>,
    /// awsvpc, host, none, bridge; empty or absent: bridge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network_mode: Option<String>,
    /// Service that started it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_name: Option<String>,
    /// Its group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Attachments that are confirmed apart (EBS volumes).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
    /// Whether containers may inject faults through the endpoints.
    #[serde(skip_serializing_if = "super::is_false")]
    pub enable_fault_injection: bool,
    /// Availability zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
}

/// A device assigned to containers of a task.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Association {
    /// Name of the device.
    pub name: String,
    /// `gpu` or `elastic-inference`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Data that containers may read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<AssociationContent>,
    /// Names of the containers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub containers: Vec<String>,
}

/// The data of an [`Association`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct AssociationContent {
    /// The data.
    pub value: String,
    /// How it is encoded.
    pub encoding: String,
}

/// App Mesh proxy of a task.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ProxyConfiguration {
    /// `APPMESH`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The proxy's container.
    pub container_name: String,
    /// Its settings.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub properties: BTreeMap<String, String>,
}

/// An attachment of a task.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Attachment {
    /// ARN of the attachment.
    pub attachment_arn: String,
    /// Its type, e.g. `amazonebs`.
    pub attachment_type: String,
    /// Its settings.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attachment_properties: Vec<AttachmentProperty>,
}

/// One setting of an [`Attachment`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct AttachmentProperty {
    /// Name.
    pub name: String,
    /// Value.
    pub value: String,
}
