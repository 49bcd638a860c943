//! SubmitTaskStateChange: a node's report on one of its tasks.
//!
//! A report on a task that is unknown or has stopped is acknowledged and changes nothing, because a node repeats what is
//! not acknowledged for ever. Only what can never be right is refused.

use longshore_domain::arn::EcsArn;
use longshore_domain::task::TaskStatus;
use longshore_domain::task::report::{self, Report};
use longshore_domain::{EcsId, Refusal};
use longshore_ecs_wire::operations::{SubmitTaskStateChangeRequest, SubmitTaskStateChangeResponse};
use longshore_store::{Tx, Write};

use crate::{Api, Caller, shape_rules};

/// Takes a report.
///
/// # Errors
/// The task is not the ARN of a task in the caller's scope.
pub async fn submit_task_state_change(
    api: &Api,
    caller: &Caller,
    input: SubmitTaskStateChangeRequest,
) -> Result<SubmitTaskStateChangeResponse, Refusal> {
    api.update(caller, input, decide).await
}

fn decide(
    tx: &mut Tx<'_>,
    write: &Write<SubmitTaskStateChangeRequest>,
) -> Result<SubmitTaskStateChangeResponse, Refusal> {
    let SubmitTaskStateChangeRequest {
        cluster: _, // The task's ARN names its cluster.
        task,
        status,
        reason,
        containers,
        attachments: _, // Attachments come with awsvpc; a node that confirms one gets its acknowledgment.
        managed_agents: _, // They come with ExecuteCommand.
        pull_started_at,
        pull_stopped_at,
        execution_stopped_at,
    } = &write.input;
    shape_rules::check(&write.input)?;
    let malformed = || Refusal::invalid_parameter("Task Identifier is invalid");
    let arn = task.as_deref().and_then(EcsArn::parse).filter(|arn| arn.resource_type == "task");
    let arn = arn.filter(|arn| arn.is_of(&write.scope)).ok_or_else(malformed)?;
    let (cluster, id) = arn.resource.split_once('/').ok_or_else(malformed)?;
    let id: EcsId = id.parse().map_err(|_| malformed())?;
    let report = Report {
        status: status.as_deref().and_then(status_of),
        reason: reason.clone(),
        containers: containers.clone().unwrap_or_default(),
        pull_started_at: *pull_started_at,
        pull_stopped_at: *pull_stopped_at,
        execution_stopped_at: *execution_stopped_at,
    };
    let state = tx.state();
    let task = state.cluster(&write.scope, cluster).and_then(|cluster| cluster.task(id));
    if let Some(task) = task
        && let Some(definition) = state.definition_of(&task)
        && let Some(next) = report::apply(&task, &definition.container_names(), &report, write.at)
    {
        let stopping = report::begin_stopping(&next, &definition.essential_containers(), write.at);
        tx.put(stopping.unwrap_or(next));
    }
    Ok(SubmitTaskStateChangeResponse { acknowledgment: Some(id.to_string()) })
}

fn status_of(status: &str) -> Option<TaskStatus> {
    match status {
        "PENDING" => Some(TaskStatus::Pending),
        "RUNNING" => Some(TaskStatus::Running),
        "STOPPED" => Some(TaskStatus::Stopped),
        _ => None,
    }
}
