//! What RunTask refuses of overrides.
//!
//! The containers are judged as they will run, so what an override breaks together with the definition is found too.

use longshore_ecs_wire::shapes::{ContainerDefinition, ContainerOverride, TaskDefinition, TaskOverride};

use super::{effective_containers, task_memory};
use crate::Refusal;
use crate::task_definition::draft::{filled, items, name_of};
use crate::task_definition::validate::{roles, sizes, storage};

/// Characters the overrides may have as JSON.
const MOST_CHARACTERS: usize = 8192;
/// Environment files a container may have.
const MOST_FILES: usize = 10;

/// Whether these overrides may be laid over the definition.
///
/// # Errors
/// InvalidParameterException for the first rule broken: total length, unknown container, then sizes.
pub fn check_overrides(definition: &TaskDefinition, overrides: &TaskOverride) -> Result<(), Refusal> {
    let length = serde_json::to_string(overrides).map_or(usize::MAX, |json| json.chars().count());
    if length > MOST_CHARACTERS {
        return Err(Refusal::invalid_parameter("Container Overrides length must be at most 8192"));
    }
    for given in items(&overrides.container_overrides) {
        check_container(definition, given)?;
    }
    check_task(overrides).map_err(as_parameter)?;
    check_effective(definition, overrides).map_err(as_parameter)
}

/// A run's fault is one of its parameters.
fn as_parameter(refusal: Refusal) -> Refusal {
    Refusal::invalid_parameter(refusal.message)
}

fn check_container(definition: &TaskDefinition, given: &ContainerOverride) -> Result<(), Refusal> {
    let known = items(&definition.container_definitions).iter().any(|container| container.name == given.name);
    if given.name.is_none() || !known {
        return Err(Refusal::invalid_parameter(format!(
            "Override for container named {} is not a container in the TaskDefinition.",
            given.name.as_deref().unwrap_or("null")
        )));
    }
    if items(&given.environment).iter().any(|variable| filled(&variable.name).is_none()) {
        return Err(Refusal::invalid_parameter("Environment variable name cannot be null or blank."));
    }
    if items(&given.environment_files).len() > MOST_FILES {
        return Err(Refusal::invalid_parameter(
            "The maximum number of environment files was exceeded. Specify ten or less and try again.",
        ));
    }
    Ok(())
}

fn check_task(overrides: &TaskOverride) -> Result<(), Refusal> {
    sizes::task_cpu(overrides.cpu.as_deref())?;
    sizes::task_memory(overrides.memory.as_deref())?;
    roles::check(overrides.task_role_arn.as_deref())?;
    roles::check(overrides.execution_role_arn.as_deref())?;
    match &overrides.ephemeral_storage {
        Some(given) => storage::check_size(given.size_in_gi_b.unwrap_or_default()),
        None => Ok(()),
    }
}

/// The containers as they will run must fit the task as it will run.
fn check_effective(definition: &TaskDefinition, overrides: &TaskOverride) -> Result<(), Refusal> {
    let containers = effective_containers(definition, Some(overrides));
    let task = task_memory(definition, Some(overrides));
    for container in &containers {
        sizes::check_alone(container)?;
        if let (Some(memory), Some(task)) = (container.memory, task)
            && i64::from(memory) > i64::from(task)
        {
            let name = name_of(container);
            return Err(Refusal::client(format!("'memory' setting for container '{name}' is greater than for task.")));
        }
    }
    let sum = |member: fn(&ContainerDefinition) -> Option<i32>| -> i64 {
        containers.iter().filter_map(|container| member(container)).map(i64::from).sum()
    };
    if task.is_some_and(|memory| sum(|container| container.memory_reservation) > i64::from(memory)) {
        return Err(sizes::sum_over_task("memoryReservation", "memory"));
    }
    let cpu = super::task_cpu(definition, Some(overrides));
    if cpu.is_some_and(|cpu| sum(|container| container.cpu) > i64::from(cpu)) {
        return Err(sizes::sum_over_task("cpu", "cpu"));
    }
    Ok(())
}
