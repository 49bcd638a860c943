//! Whether a definition can run on the launch type asked for.
//!
//! Compatibilities are derived anew each time, so a definition stored by an older version is judged by today's rules.

use longshore_ecs_wire::shapes::{Compatibility, LaunchType, TaskDefinition, TaskOverride};

use super::{task_cpu, task_memory};
use crate::Refusal;
use crate::task_definition::{compatibilities, fargate_sizes};

/// Whether the definition is compatible with the launch type.
///
/// # Errors
/// InvalidParameterException `Task definition does not support launch_type X.`
pub fn check_launch_type(definition: &TaskDefinition, launch_type: &LaunchType) -> Result<(), Refusal> {
    let needed = match launch_type {
        LaunchType::Ec2 => Some(Compatibility::Ec2),
        LaunchType::Fargate => Some(Compatibility::Fargate),
        LaunchType::External => Some(Compatibility::External),
        LaunchType::ManagedInstances => Some(Compatibility::ManagedInstances),
        LaunchType::Unknown(_) => None,
    };
    if needed.is_some_and(|needed| compatibilities(definition).contains(&needed)) {
        return Ok(());
    }
    Err(Refusal::invalid_parameter(format!("Task definition does not support launch_type {}.", launch_type.as_str())))
}

/// Whether Fargate has the size a run ends up with once task-level overrides are applied.
///
/// # Errors
/// ClientException `No Fargate configuration exists for given values: …`.
pub fn check_fargate_size(definition: &TaskDefinition, overrides: Option<&TaskOverride>) -> Result<(), Refusal> {
    match (task_cpu(definition, overrides), task_memory(definition, overrides)) {
        (Some(cpu), Some(memory)) => fargate_sizes::check(cpu, memory),
        (cpu, memory) => fargate_sizes::check(cpu.unwrap_or_default(), memory.unwrap_or_default()),
    }
}
