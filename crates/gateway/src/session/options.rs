//! What a session is given, and how it ends.

use std::time::Duration;

/// How messages name the node. Tasks carry their own ARNs; these two are only required to be there, and are what the
/// node's sequence number belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionIdentity {
    /// ARN of a cluster; not empty.
    pub cluster_arn: String,
    /// ARN of a container instance; not empty.
    pub container_instance_arn: String,
}

/// Deadlines and sizes of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionOptions {
    /// Between two heartbeats. A node ends a session in which nothing comes for a minute.
    pub heartbeat_every: Duration,
    /// A heartbeat that is not answered for this long ends the session.
    pub heartbeat_deadline: Duration,
    /// A payload that is not acknowledged for this long is sent again.
    pub ack_deadline: Duration,
    /// The most tasks in one payload.
    pub tasks_per_payload: usize,
    /// How many payloads may be unacknowledged before tasks to start wait. Tasks to stop never do.
    pub payload_window: usize,
}

impl Default for SessionOptions {
    fn default() -> Self {
        Self {
            heartbeat_every: Duration::from_secs(30),
            heartbeat_deadline: Duration::from_secs(90),
            ack_deadline: Duration::from_secs(60),
            tasks_per_payload: 10,
            payload_window: 100,
        }
    }
}

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionEnd {
    /// The node closed it, or its connection broke.
    ClosedByNode,
    /// The node did not answer heartbeats.
    HeartbeatsMissed,
}
