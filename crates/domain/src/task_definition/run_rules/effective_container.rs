//! One container of a run: its definition with the run's override laid over it.
//!
//! Deterministic and idempotent: laying the same override twice changes nothing more.

use longshore_ecs_wire::shapes::{ContainerDefinition, ContainerOverride, KeyValuePair};

use crate::task_definition::draft::items;

/// The container as it runs.
///
/// Environment is merged by name, the override winning and new variables following the definition's; command, cpu,
/// memory, memoryReservation, environmentFiles and resourceRequirements replace what the definition says. Lists that
/// are given empty override nothing. Source: the API model's text on ContainerOverride.
pub fn effective_container(definition: &ContainerDefinition, given: &ContainerOverride) -> ContainerDefinition {
    ContainerDefinition {
        command: instead(&given.command, &definition.command),
        environment: merged_environment(&definition.environment, items(&given.environment)),
        environment_files: instead(&given.environment_files, &definition.environment_files),
        resource_requirements: instead(&given.resource_requirements, &definition.resource_requirements),
        cpu: given.cpu.or(definition.cpu),
        memory: given.memory.or(definition.memory),
        memory_reservation: given.memory_reservation.or(definition.memory_reservation),
        ..definition.clone()
    }
}

fn instead<T: Clone>(given: &Option<Vec<T>>, defined: &Option<Vec<T>>) -> Option<Vec<T>> {
    match given {
        Some(list) if !list.is_empty() => given.clone(),
        _ => defined.clone(),
    }
}

fn merged_environment(defined: &Option<Vec<KeyValuePair>>, given: &[KeyValuePair]) -> Option<Vec<KeyValuePair>> {
    if given.is_empty() {
        return defined.clone();
    }
    let mut merged = items(defined).to_vec();
    for variable in given {
        let mut same_name = merged.iter_mut().filter(|other| other.name == variable.name).peekable();
        if same_name.peek().is_none() {
            merged.push(variable.clone());
        } else {
            same_name.for_each(|other| other.value.clone_from(&variable.value));
        }
    }
    Some(merged)
}
