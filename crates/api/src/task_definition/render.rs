//! A task definition as the API shows it: what was registered, and what follows from it and from its life.

use longshore_domain::task_definition::{
    TaskDefinitionRecord, TaskDefinitionStatus as Status, compatibilities, requires_attributes,
};
use longshore_ecs_wire::shapes::{TaskDefinition, TaskDefinitionStatus};

/// The definition with ARN, revision, status, times, compatibilities and required attributes.
pub fn task_definition(record: &TaskDefinitionRecord) -> TaskDefinition {
    TaskDefinition {
        task_definition_arn: Some(record.arn()),
        family: Some(record.family.to_string()),
        revision: Some(i32::try_from(record.revision).unwrap_or(i32::MAX)),
        status: Some(match record.status {
            Status::Active => TaskDefinitionStatus::Active,
            Status::Inactive => TaskDefinitionStatus::Inactive,
            Status::DeleteInProgress => TaskDefinitionStatus::DeleteInProgress,
        }),
        requires_attributes: Some(requires_attributes(&record.definition)),
        compatibilities: Some(compatibilities(&record.definition)),
        registered_at: Some(record.registered_at),
        deregistered_at: record.deregistered_at,
        delete_requested_at: record.delete_requested_at,
        registered_by: Some(record.registered_by.to_string()),
        ..record.definition.clone()
    }
}
