//! DeregisterTaskDefinition: a revision becomes INACTIVE at once and for good.
//!
//! What runs of it goes on. Its tags stay. Deregistering twice changes nothing.

use longshore_domain::Refusal;
use longshore_domain::task_definition::reference::{revision_missing, unable_to_describe};
use longshore_domain::task_definition::{TaskDefinitionRecord, TaskDefinitionReference, TaskDefinitionStatus};
use longshore_ecs_wire::operations::{DeregisterTaskDefinitionRequest, DeregisterTaskDefinitionResponse};
use longshore_store::{Tx, Write};

use super::render;
use crate::{Api, Caller, shape_rules};

/// Deregisters a revision.
///
/// # Errors
/// `Revision is missing.`, what is no revision, or one that is not there.
pub async fn deregister_task_definition(
    api: &Api,
    caller: &Caller,
    input: DeregisterTaskDefinitionRequest,
) -> Result<DeregisterTaskDefinitionResponse, Refusal> {
    shape_rules::check(&input)?;
    api.update(caller, input, decide).await
}

fn decide(
    tx: &mut Tx<'_>,
    write: &Write<DeregisterTaskDefinitionRequest>,
) -> Result<DeregisterTaskDefinitionResponse, Refusal> {
    let DeregisterTaskDefinitionRequest { task_definition } = &write.input;
    let reference = TaskDefinitionReference::parse(task_definition.as_deref().unwrap_or_default(), &write.scope)
        .map_err(|error| error.into_refusal(unable_to_describe()))?;
    let revision = reference.revision.ok_or_else(revision_missing)?;
    let state = tx.state();
    let found =
        state.task_definition(&write.scope, &reference.family, revision).cloned().ok_or_else(unable_to_describe)?;
    if found.status != TaskDefinitionStatus::Active {
        return Ok(answer(&found));
    }
    let record = TaskDefinitionRecord {
        status: TaskDefinitionStatus::Inactive,
        deregistered_at: Some(write.at),
        ..TaskDefinitionRecord::clone(&found)
    };
    let response = answer(&record);
    tx.put(record);
    Ok(response)
}

fn answer(record: &TaskDefinitionRecord) -> DeregisterTaskDefinitionResponse {
    DeregisterTaskDefinitionResponse { task_definition: Some(render::task_definition(record)) }
}
