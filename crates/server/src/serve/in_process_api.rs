//! The ECS API as the built-in node calls it: straight into the dispatch, no HTTP.

use bytes::Bytes;
use longshore_api::{Api, Caller};
use longshore_domain::Scope;
use longshore_domain::arn::EcsArn;
use longshore_ecs_wire::operations::{SubmitTaskStateChangeRequest, SubmitTaskStateChangeResponse};
use longshore_node::api::{EcsApi, EcsApiError};
use longshore_node::engine::BoxFuture;
use serde::Deserialize;

/// The dispatch, for the built-in node. Each call is made in the scope of the task it is about.
pub struct InProcessApi {
    api: Api,
}

impl InProcessApi {
    /// The node's way to this API.
    pub fn new(api: Api) -> Self {
        Self { api }
    }

    async fn submit(
        &self,
        request: SubmitTaskStateChangeRequest,
    ) -> Result<SubmitTaskStateChangeResponse, EcsApiError> {
        let caller = caller_of(request.task.as_deref().unwrap_or_default()).ok_or_else(|| EcsApiError {
            code: "InvalidParameterException".to_owned(),
            message: "Task Identifier is invalid".to_owned(),
            retryable: false,
        })?;
        let body = serde_json::to_vec(&request).map_err(|error| unreadable(&error))?;
        let answer = self.api.call(&caller, Some("SubmitTaskStateChange"), Bytes::from(body)).await;
        if answer.status == 200 {
            return serde_json::from_slice(&answer.body).map_err(|error| unreadable(&error));
        }
        let error: ErrorBody = serde_json::from_slice(&answer.body).map_err(|error| unreadable(&error))?;
        let retryable = answer.status >= 500 || error.code == "ThrottlingException";
        Err(EcsApiError { code: error.code, message: error.message, retryable })
    }
}

impl EcsApi for InProcessApi {
    fn submit_task_state_change(
        &self,
        request: SubmitTaskStateChangeRequest,
    ) -> BoxFuture<'_, Result<SubmitTaskStateChangeResponse, EcsApiError>> {
        Box::pin(self.submit(request))
    }
}

#[derive(Deserialize)]
struct ErrorBody {
    #[serde(rename = "__type")]
    code: String,
    #[serde(default)]
    message: String,
}

fn unreadable(error: &serde_json::Error) -> EcsApiError {
    EcsApiError { code: "SerializationException".to_owned(), message: error.to_string(), retryable: true }
}

/// The built-in node in the scope of a task's ARN.
fn caller_of(task: &str) -> Option<Caller> {
    let arn = EcsArn::parse(task)?;
    let scope = Scope::new(arn.account, arn.region);
    let principal = format!("arn:aws:iam::{}:root", scope.account).into();
    Some(Caller { user_id: scope.account.clone(), scope, principal })
}
