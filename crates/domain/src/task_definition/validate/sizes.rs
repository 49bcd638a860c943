//! cpu and memory of the task and of its containers.
//!
//! The checks of a container by itself serve runs with overrides too.

use longshore_ecs_wire::shapes::ContainerDefinition;

use super::invalid_container_setting;
use crate::Refusal;
use crate::task_definition::draft::{Draft, name_of};
use crate::task_definition::task_size;

/// CPU units a task outside Fargate may have (source: the API model).
const EC2_CPU: std::ops::RangeInclusive<u32> = 128..=196_608;
/// MiB below which no engine starts a container.
const LEAST_MEMORY: i32 = 4;

/// A task-level setting that is no size.
pub(in crate::task_definition) fn invalid_task_setting(setting: &str) -> Refusal {
    Refusal::client(format!(
        "Invalid '{setting}' setting for task. For more information, see the Troubleshooting section of the \
         Amazon ECS Developer Guide."
    ))
}

/// The task's CPU units, if given.
pub(in crate::task_definition) fn task_cpu(text: Option<&str>) -> Result<Option<u32>, Refusal> {
    text.map(|text| task_size::cpu_units(text).ok_or_else(|| invalid_task_setting("cpu"))).transpose()
}

/// The task's MiB, if given.
pub(in crate::task_definition) fn task_memory(text: Option<&str>) -> Result<Option<u32>, Refusal> {
    text.map(|text| task_size::memory_mib(text).ok_or_else(|| invalid_task_setting("memory"))).transpose()
}

pub(super) fn check_task(draft: &Draft<'_>) -> Result<(), Refusal> {
    let cpu = task_cpu(draft.cpu)?;
    if !draft.requires_fargate() && cpu.is_some_and(|cpu| !EC2_CPU.contains(&cpu)) {
        return Err(invalid_task_setting("cpu"));
    }
    task_memory(draft.memory).map(drop)
}

pub(super) fn check_containers(draft: &Draft<'_>) -> Result<(), Refusal> {
    let task_memory = task_memory(draft.memory)?;
    for container in draft.containers {
        check_container(container, task_memory)?;
    }
    let sum = |member: fn(&ContainerDefinition) -> Option<i32>| -> i64 {
        draft.containers.iter().filter_map(member).map(i64::from).sum()
    };
    if task_cpu(draft.cpu)?.is_some_and(|cpu| sum(|container| container.cpu) > i64::from(cpu)) {
        return Err(sum_over_task("cpu", "cpu"));
    }
    if task_memory.is_some_and(|memory| sum(|container| container.memory_reservation) > i64::from(memory)) {
        return Err(sum_over_task("memoryReservation", "memory"));
    }
    Ok(())
}

/// The containers of a task claim more than the task has.
pub(in crate::task_definition) fn sum_over_task(container_setting: &str, task_setting: &str) -> Refusal {
    Refusal::client(format!(
        "The sum of all container '{container_setting}' values cannot be greater than the value of the task \
         '{task_setting}'."
    ))
}

/// A container's hard limit lies below what is reserved for it.
pub(in crate::task_definition) fn memory_below_reservation(container: &str) -> Refusal {
    Refusal::client(format!(
        "Invalid setting for container '{container}'. 'memory' must be greater than or equal to 'memoryReservation'."
    ))
}

/// The settings of a container by themselves, and against its task's memory.
fn check_container(container: &ContainerDefinition, task_memory: Option<u32>) -> Result<(), Refusal> {
    let name = name_of(container);
    check_alone(container)?;
    if task_memory.is_none() && container.memory.is_none() && container.memory_reservation.is_none() {
        return Err(Refusal::client(format!(
            "Invalid setting for container '{name}'. At least one of 'memory' or 'memoryReservation' must be specified."
        )));
    }
    match (container.memory, task_memory) {
        (Some(memory), Some(task)) if i64::from(memory) > i64::from(task) => {
            Err(Refusal::client(format!("The 'memory' setting for container '{name}' is greater than for the task.")))
        }
        _ => Ok(()),
    }
}

/// The settings of a container by themselves.
pub(in crate::task_definition) fn check_alone(container: &ContainerDefinition) -> Result<(), Refusal> {
    let name = name_of(container);
    if container.cpu.is_some_and(|cpu| cpu < 0) {
        return Err(invalid_container_setting("cpu", name));
    }
    if container.memory.is_some_and(|memory| memory < LEAST_MEMORY) {
        return Err(invalid_container_setting("memory", name));
    }
    if container.memory_reservation.is_some_and(|memory| memory < LEAST_MEMORY) {
        return Err(invalid_container_setting("memoryReservation", name));
    }
    match (container.memory, container.memory_reservation) {
        (Some(memory), Some(reservation)) if memory < reservation => Err(memory_below_reservation(name)),
        _ => Ok(()),
    }
}
