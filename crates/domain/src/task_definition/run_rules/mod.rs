//! What RunTask and StartTask ask of a definition, and what a run makes of it with its overrides.
//!
//! Refusals here are InvalidParameterExceptions, even where registration gives the same fault a ClientException; only
//! a size that Fargate does not have is a ClientException in both.

mod effective_container;
mod launch_type;
mod network_configuration;
mod overrides;
mod recorded_override;
mod required_resources;
mod unprivileged;

pub use effective_container::effective_container;
pub use launch_type::{check_fargate_size, check_launch_type};
pub use network_configuration::check_network_configuration;
pub use overrides::check_overrides;
pub use recorded_override::recorded_override;
pub use required_resources::{required_resources, task_cpu, task_memory};
pub use unprivileged::check_unprivileged;

use std::borrow::Cow;

use longshore_ecs_wire::shapes::{ContainerDefinition, ContainerOverride, TaskDefinition, TaskOverride};

use super::draft::items;

/// The definition's containers as a run with these overrides has them, in the definition's order.
pub fn effective_containers<'a>(
    definition: &'a TaskDefinition,
    overrides: Option<&TaskOverride>,
) -> Vec<Cow<'a, ContainerDefinition>> {
    let effective = |container: &'a ContainerDefinition| match override_of(container, overrides) {
        Some(given) => Cow::Owned(effective_container(container, given)),
        None => Cow::Borrowed(container),
    };
    items(&definition.container_definitions).iter().map(effective).collect()
}

/// The override of this container. Should one be named twice, the last counts.
fn override_of<'a>(
    container: &ContainerDefinition,
    overrides: Option<&'a TaskOverride>,
) -> Option<&'a ContainerOverride> {
    let given = overrides.map_or(&[][..], |overrides| items(&overrides.container_overrides));
    given.iter().rev().find(|given| given.name == container.name)
}

#[cfg(test)]
mod tests;
