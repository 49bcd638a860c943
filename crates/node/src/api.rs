//! The part of the ECS API that a node calls.
//!
//! In one process the server hands in its own dispatch; a node on another machine goes over HTTP. The runner cannot
//! tell the difference. An implementation gives every call a deadline; it does not retry, the runner does.

use longshore_ecs_wire::operations::{SubmitTaskStateChangeRequest, SubmitTaskStateChangeResponse};

use crate::engine::BoxFuture;

/// The error of a report that can never be right. The runner drops such a report and repeats any other.
pub const INVALID_PARAMETER: &str = "InvalidParameterException";

/// Why a call of the ECS API failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct EcsApiError {
    /// Name of the exception, e.g. `ServerException`; for a failed connection a name of the caller's choice.
    pub code: String,
    /// The text.
    pub message: String,
    /// Whether the same call may succeed later.
    pub retryable: bool,
}

/// Calls of a node to the server.
pub trait EcsApi: Send + Sync + 'static {
    /// Reports what became of a task. Success means that the server has it on disk.
    fn submit_task_state_change(
        &self,
        request: SubmitTaskStateChangeRequest,
    ) -> BoxFuture<'_, Result<SubmitTaskStateChangeResponse, EcsApiError>>;
}
