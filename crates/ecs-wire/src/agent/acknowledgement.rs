//! The node's answers to messages that want one.

use serde::{Deserialize, Serialize};

/// Node → server: the message was understood and taken over. A missing one means "send again".
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct AckRequest {
    /// Cluster, as the message named it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub cluster: String,
    /// Container instance ARN, as the message named it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub container_instance: String,
    /// `messageId` of the message that is acknowledged.
    pub message_id: String,
}

/// Node → server: the message was understood and refused.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct NackRequest {
    /// Cluster, as the message named it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub cluster: String,
    /// Container instance ARN, as the message named it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub container_instance: String,
    /// `messageId` of the message that is refused.
    pub message_id: String,
    /// Why.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
}
