//! The overrides as DescribeTasks shows them: every container is listed, overridden or not.
//!
//! Amazon lists containers without an override by their bare name, so clients may index by container.

use longshore_ecs_wire::shapes::{ContainerOverride, TaskDefinition, TaskOverride};

use super::override_of;
use crate::task_definition::draft::items;

/// A task's `overrides`, in the definition's order of containers; both lists are always there.
pub fn recorded_override(definition: &TaskDefinition, overrides: Option<&TaskOverride>) -> TaskOverride {
    let given = overrides.cloned().unwrap_or_default();
    let containers = items(&definition.container_definitions).iter().map(|container| {
        override_of(container, overrides)
            .cloned()
            .unwrap_or_else(|| ContainerOverride { name: container.name.clone(), ..ContainerOverride::default() })
    });
    TaskOverride {
        container_overrides: Some(containers.collect()),
        inference_accelerator_overrides: Some(given.inference_accelerator_overrides.unwrap_or_default()),
        ..given
    }
}
