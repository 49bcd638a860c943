//! The members that rules look at, borrowed alike from a request and from a registered definition.
//!
//! Validation reads requests, compatibilities are derived from definitions, and both apply the same rules of
//! Fargate; this view lets each rule be written once.

use longshore_ecs_wire::operations::RegisterTaskDefinitionRequest;
use longshore_ecs_wire::shapes::{
    Compatibility, ContainerDefinition, EphemeralStorage, InferenceAccelerator, IpcMode, NetworkMode, PidMode,
    ProxyConfiguration, RuntimePlatform, TaskDefinition, TaskDefinitionPlacementConstraint, Volume,
};

/// A definition's contents, by reference. Absent lists are empty.
pub(crate) struct Draft<'a> {
    pub(crate) family: Option<&'a str>,
    pub(crate) containers: &'a [ContainerDefinition],
    pub(crate) volumes: &'a [Volume],
    pub(crate) placement_constraints: &'a [TaskDefinitionPlacementConstraint],
    pub(crate) requires_compatibilities: &'a [Compatibility],
    pub(crate) inference_accelerators: &'a [InferenceAccelerator],
    pub(crate) network_mode: Option<&'a NetworkMode>,
    pub(crate) pid_mode: Option<&'a PidMode>,
    pub(crate) ipc_mode: Option<&'a IpcMode>,
    pub(crate) cpu: Option<&'a str>,
    pub(crate) memory: Option<&'a str>,
    pub(crate) task_role_arn: Option<&'a str>,
    pub(crate) execution_role_arn: Option<&'a str>,
    pub(crate) proxy_configuration: Option<&'a ProxyConfiguration>,
    pub(crate) ephemeral_storage: Option<&'a EphemeralStorage>,
    pub(crate) runtime_platform: Option<&'a RuntimePlatform>,
}

macro_rules! borrowed {
    ($source:expr) => {
        Self {
            family: $source.family.as_deref(),
            containers: items(&$source.container_definitions),
            volumes: items(&$source.volumes),
            placement_constraints: items(&$source.placement_constraints),
            requires_compatibilities: items(&$source.requires_compatibilities),
            inference_accelerators: items(&$source.inference_accelerators),
            network_mode: $source.network_mode.as_ref(),
            pid_mode: $source.pid_mode.as_ref(),
            ipc_mode: $source.ipc_mode.as_ref(),
            cpu: $source.cpu.as_deref(),
            memory: $source.memory.as_deref(),
            task_role_arn: $source.task_role_arn.as_deref(),
            execution_role_arn: $source.execution_role_arn.as_deref(),
            proxy_configuration: $source.proxy_configuration.as_ref(),
            ephemeral_storage: $source.ephemeral_storage.as_ref(),
            runtime_platform: $source.runtime_platform.as_ref(),
        }
    };
}

impl<'a> From<&'a RegisterTaskDefinitionRequest> for Draft<'a> {
    fn from(request: &'a RegisterTaskDefinitionRequest) -> Self {
        borrowed!(request)
    }
}

impl<'a> From<&'a TaskDefinition> for Draft<'a> {
    fn from(definition: &'a TaskDefinition) -> Self {
        borrowed!(definition)
    }
}

impl Draft<'_> {
    /// `bridge` when no mode is given.
    pub(crate) fn mode(&self) -> &str {
        mode_name(self.network_mode)
    }

    /// Whether FARGATE is asked for.
    pub(crate) fn requires_fargate(&self) -> bool {
        self.requires_compatibilities.contains(&Compatibility::Fargate)
    }

    /// Whether the definition holds a container of this name.
    pub(crate) fn has_container(&self, name: &str) -> bool {
        self.containers.iter().any(|container| container.name.as_deref() == Some(name))
    }
}

/// The network mode that counts: `bridge` when none is given.
pub(crate) fn mode_name(mode: Option<&NetworkMode>) -> &str {
    mode.map_or("bridge", NetworkMode::as_str)
}

/// The list, or an empty one.
pub(crate) fn items<T>(list: &Option<Vec<T>>) -> &[T] {
    list.as_deref().unwrap_or_default()
}

/// The text, if there is one that is not blank.
pub(crate) fn filled(text: &Option<String>) -> Option<&str> {
    text.as_deref().filter(|text| !text.trim().is_empty())
}

/// A container's name for a text.
pub(crate) fn name_of(container: &ContainerDefinition) -> &str {
    container.name.as_deref().unwrap_or_default()
}
