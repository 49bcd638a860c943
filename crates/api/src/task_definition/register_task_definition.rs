//! RegisterTaskDefinition: a new revision of a family.
//!
//! A revision number is never given twice, not even after every revision of the family was deleted: the family's
//! record outlives them.

use std::sync::Arc;

use longshore_domain::task_definition::{
    FamilyRecord, TaskDefinitionRecord, TaskDefinitionStatus, normalise, validate,
};
use longshore_domain::{ErrorClass, Refusal};
use longshore_ecs_wire::operations::{RegisterTaskDefinitionRequest, RegisterTaskDefinitionResponse};
use longshore_store::{Tx, Write};

use super::render;
use crate::{Api, Caller, shape_rules};

/// Most revisions that a family ever has.
const MOST_REVISIONS: u32 = 1_000_000;

/// Registers a definition.
///
/// # Errors
/// The first rule that the definition breaks; the family has had all its revisions.
pub async fn register_task_definition(
    api: &Api,
    caller: &Caller,
    input: RegisterTaskDefinitionRequest,
) -> Result<RegisterTaskDefinitionResponse, Refusal> {
    validate(&input)?;
    shape_rules::check(&input)?;
    api.update(caller, input, decide).await
}

fn decide(
    tx: &mut Tx<'_>,
    write: &Write<RegisterTaskDefinitionRequest>,
) -> Result<RegisterTaskDefinitionResponse, Refusal> {
    let family: Arc<str> = write.input.family.as_deref().unwrap_or_default().into();
    let last_revision = tx.state().family(&write.scope, &family).map_or(0, |record| record.last_revision);
    if last_revision >= MOST_REVISIONS {
        return Err(Refusal::new(
            ErrorClass::LimitExceeded,
            format!("The maximum number of revisions for the task definition family '{family}' has been reached."),
        ));
    }
    let revision = last_revision + 1;
    let record = TaskDefinitionRecord {
        scope: write.scope.clone(),
        family: Arc::clone(&family),
        revision,
        status: TaskDefinitionStatus::Active,
        registered_at: write.at,
        registered_by: Arc::clone(&write.principal),
        deregistered_at: None,
        delete_requested_at: None,
        tags: write.input.tags.clone().unwrap_or_default(),
        definition: normalise(write.input.clone()),
    };
    let response = RegisterTaskDefinitionResponse {
        task_definition: Some(render::task_definition(&record)),
        tags: Some(record.tags.clone()),
    };
    tx.put(FamilyRecord { scope: write.scope.clone(), family, last_revision: revision });
    tx.put(record);
    Ok(response)
}
