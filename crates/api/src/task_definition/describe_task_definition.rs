//! DescribeTaskDefinition: one revision, of whatever status; without a revision the latest ACTIVE one.

use longshore_domain::Refusal;
use longshore_domain::task_definition::reference::unable_to_describe;
use longshore_domain::task_definition::{TaskDefinitionReference, TaskDefinitionStatus};
use longshore_ecs_wire::operations::{
    DescribeTaskDefinitionRequest, DescribeTaskDefinitionResponse, TaskDefinitionField,
};
use longshore_store::State;

use super::render;
use crate::{Api, Caller, shape_rules};

/// Describes a definition.
///
/// # Errors
/// `Unable to describe task definition.`; what is no revision; an unknown `include`.
pub fn describe_task_definition(
    api: &Api,
    caller: &Caller,
    input: &DescribeTaskDefinitionRequest,
) -> Result<DescribeTaskDefinitionResponse, Refusal> {
    shape_rules::check(input)?;
    describe(&api.view(), caller, input)
}

fn describe(
    state: &State,
    caller: &Caller,
    input: &DescribeTaskDefinitionRequest,
) -> Result<DescribeTaskDefinitionResponse, Refusal> {
    let DescribeTaskDefinitionRequest { task_definition, include } = input;
    let include = include.as_deref().unwrap_or_default();
    if include.iter().any(|field| !field.is_known()) {
        return Err(Refusal::invalid_parameter("include should be one of [TAGS]"));
    }
    let scope = &caller.scope;
    let reference = TaskDefinitionReference::parse(task_definition.as_deref().unwrap_or_default(), scope)
        .map_err(|error| error.into_refusal(unable_to_describe()))?;
    let record = match reference.revision {
        Some(revision) => state.task_definition(scope, &reference.family, revision),
        None => {
            let mut latest_first = state.revisions(scope, &reference.family).rev();
            latest_first.find(|record| record.status == TaskDefinitionStatus::Active)
        }
    };
    let record = record.ok_or_else(unable_to_describe)?;
    let tags = if include.contains(&TaskDefinitionField::Tags) { record.tags.clone() } else { Vec::new() };
    Ok(DescribeTaskDefinitionResponse { task_definition: Some(render::task_definition(record)), tags: Some(tags) })
}
