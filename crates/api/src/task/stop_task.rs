//! StopTask: a task's desired status becomes STOPPED; its node does the rest.

use longshore_domain::Refusal;
use longshore_domain::arn::{self, InCluster};
use longshore_domain::task::{StopCode, stop};
use longshore_ecs_wire::operations::{StopTaskRequest, StopTaskResponse};
use longshore_store::{Tx, Write};

use super::render;
use crate::{Api, Caller, resolve, shape_rules};

/// Stops a task; on a task that is stopping or has stopped it changes nothing.
///
/// # Errors
/// The cluster, the identifier, or `The referenced task was not found.`
pub async fn stop_task(api: &Api, caller: &Caller, input: StopTaskRequest) -> Result<StopTaskResponse, Refusal> {
    api.update(caller, input, decide).await
}

fn decide(tx: &mut Tx<'_>, write: &Write<StopTaskRequest>) -> Result<StopTaskResponse, Refusal> {
    let StopTaskRequest { cluster, task, reason } = &write.input;
    shape_rules::check(&write.input)?;
    let cluster = resolve::active_cluster(tx.state(), &write.scope, cluster.as_deref())?;
    let identifier = task.as_deref().unwrap_or_default();
    let id = arn::id_inside_cluster(InCluster::Task, &write.scope, &cluster.record.name, identifier)?;
    let not_found = || Refusal::invalid_parameter("The referenced task was not found.");
    let task = cluster.task(id).ok_or_else(not_found)?;
    let reason = reason.as_deref().filter(|reason| !reason.is_empty());
    let shown = match stop::stop(&task, StopCode::UserInitiated, reason, write.at) {
        Some(stopping) => {
            tx.put(stopping.clone());
            stopping
        }
        None => task,
    };
    Ok(StopTaskResponse { task: Some(render::task(tx.state(), &cluster, &shown, true)) })
}
