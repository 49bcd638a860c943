//! DeleteTaskDefinitions: asks for the deletion of up to ten INACTIVE revisions.
//!
//! Each becomes DELETE_IN_PROGRESS and goes when no listed task has it any more, which is the reaper's work. What cannot
//! be deleted is a failure, never an error of the whole call.

use longshore_domain::Refusal;
use longshore_domain::task_definition::{
    ReferenceError, TaskDefinitionRecord, TaskDefinitionReference, TaskDefinitionStatus,
};
use longshore_ecs_wire::operations::{DeleteTaskDefinitionsRequest, DeleteTaskDefinitionsResponse};
use longshore_ecs_wire::shapes::{Failure, TaskDefinition};
use longshore_store::{Tx, Write};

use super::render;
use crate::{Api, Caller};

const MOST: usize = 10;

const MALFORMED: &str =
    "The specified task definition identifier is invalid. Specify a valid name or ARN and try again.";
const MISSING: &str =
    "The specified task definition does not exist. Specify a valid account, family, revision and try again.";
const ACTIVE: &str =
    "The specified task definition is still in ACTIVE status. Please deregister the target and try again.";

/// Asks for deletions.
///
/// # Errors
/// None or too many references.
pub async fn delete_task_definitions(
    api: &Api,
    caller: &Caller,
    input: DeleteTaskDefinitionsRequest,
) -> Result<DeleteTaskDefinitionsResponse, Refusal> {
    let references = input.task_definitions.as_deref().unwrap_or_default();
    if references.is_empty() {
        return Err(Refusal::invalid_parameter("Task definitions cannot be empty."));
    }
    if references.len() > MOST {
        return Err(Refusal::invalid_parameter("Size of TaskDefinition references list cannot exceed 10"));
    }
    api.update(caller, input, decide).await
}

fn decide(
    tx: &mut Tx<'_>,
    write: &Write<DeleteTaskDefinitionsRequest>,
) -> Result<DeleteTaskDefinitionsResponse, Refusal> {
    let DeleteTaskDefinitionsRequest { task_definitions } = &write.input;
    let (mut deleted, mut failures) = (Vec::new(), Vec::new());
    for text in task_definitions.iter().flatten() {
        match delete(tx, write, text) {
            Ok(definition) => deleted.push(definition),
            Err(reason) => {
                failures.push(Failure { arn: Some(text.clone()), reason: Some(reason.to_owned()), detail: None });
            }
        }
    }
    Ok(DeleteTaskDefinitionsResponse { task_definitions: Some(deleted), failures: Some(failures) })
}

/// One deletion; else the reason why not. Asking again changes nothing.
fn delete(
    tx: &mut Tx<'_>,
    write: &Write<DeleteTaskDefinitionsRequest>,
    text: &str,
) -> Result<TaskDefinition, &'static str> {
    let reference = TaskDefinitionReference::parse(text, &write.scope).map_err(|error| match error {
        ReferenceError::InvalidRevision(_) => MALFORMED,
        ReferenceError::NotFound => MISSING,
    })?;
    let revision = reference.revision.ok_or(MALFORMED)?;
    let found = tx.state().task_definition(&write.scope, &reference.family, revision).cloned().ok_or(MISSING)?;
    match found.status {
        TaskDefinitionStatus::Active => Err(ACTIVE),
        TaskDefinitionStatus::DeleteInProgress => Ok(render::task_definition(&found)),
        TaskDefinitionStatus::Inactive => {
            let record = TaskDefinitionRecord {
                status: TaskDefinitionStatus::DeleteInProgress,
                delete_requested_at: Some(write.at),
                ..TaskDefinitionRecord::clone(&found)
            };
            let definition = render::task_definition(&record);
            tx.put(record);
            Ok(definition)
        }
    }
}
