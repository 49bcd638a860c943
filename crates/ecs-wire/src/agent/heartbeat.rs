//! Signs of life: the server sends one at least every 45 s, the node answers each.

use serde::{Deserialize, Serialize};

/// Server → node: is anybody there? It also triggers the node's own health checks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct HeartbeatMessage {
    /// Id that the answer repeats.
    pub message_id: String,
    /// Whether the server considers the session healthy.
    pub healthy: bool,
}

/// Node → server: the answer to a [`HeartbeatMessage`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct HeartbeatAckRequest {
    /// `messageId` of the heartbeat.
    pub message_id: String,
}
