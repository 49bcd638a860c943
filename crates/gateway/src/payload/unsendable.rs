//! What a definition asks for and no node can be told, or that this node cannot be.
//!
//! A task never runs without something that its definition asks for: such a task is not sent, it stops with a reason
//! that names the member. What is written here only shrinks.

use longshore_domain::task::TaskRecord;
use longshore_domain::task_definition::run_rules::effective_containers;
use longshore_ecs_wire::shapes::{
    ContainerDefinition, OSFamily, RuntimePlatform, TaskDefinition, TaskOverride, Volume,
};

/// Why the task is not sent to a node of this CPU architecture (`x86_64` or `arm64`; `None`: not known), if so.
pub fn reason(task: &TaskRecord, definition: &TaskDefinition, architecture: Option<&str>) -> Option<String> {
    let overrides = task.overrides.as_deref();
    let containers = effective_containers(definition, overrides);
    of_task(definition, overrides)
        .map(not_supported)
        .or_else(|| definition.volumes.iter().flatten().find_map(of_volume))
        .or_else(|| containers.iter().find_map(|container| of_container(container)))
        .or_else(|| definition.runtime_platform.as_ref().and_then(|platform| of_platform(platform, architecture)))
}

fn not_supported(field: &str) -> String {
    format!("this server does not support {field} yet")
}

fn of_task(definition: &TaskDefinition, overrides: Option<&TaskOverride>) -> Option<&'static str> {
    let given = |arn: &Option<String>| arn.as_deref().is_some_and(|arn| !arn.is_empty());
    let accelerators = overrides.and_then(|overrides| overrides.inference_accelerator_overrides.as_ref());
    let fields = [
        (
            "taskRoleArn",
            given(&definition.task_role_arn) || overrides.is_some_and(|given_too| given(&given_too.task_role_arn)),
        ),
        ("trustedExecutionConfiguration", definition.trusted_execution_configuration.is_some()),
        ("inferenceAccelerators", definition.inference_accelerators.as_ref().is_some_and(|list| !list.is_empty())),
        ("inferenceAcceleratorOverrides", accelerators.is_some_and(|list| !list.is_empty())),
    ];
    fields.into_iter().find_map(|(field, used)| used.then_some(field))
}

fn of_volume(volume: &Volume) -> Option<String> {
    let fields = [
        ("s3filesVolumeConfiguration", volume.s3files_volume_configuration.is_some()),
        ("fsxWindowsFileServerVolumeConfiguration", volume.fsx_windows_file_server_volume_configuration.is_some()),
        ("configuredAtLaunch", volume.configured_at_launch == Some(true)),
    ];
    let field = fields.into_iter().find_map(|(field, used)| used.then_some(field))?;
    Some(format!("{} (volume '{}')", not_supported(field), volume.name.as_deref().unwrap_or_default()))
}

fn of_container(container: &ContainerDefinition) -> Option<String> {
    let fields = [
        // No node has devices to assign yet, and an assignment is what a payload carries.
        ("resourceRequirements", container.resource_requirements.as_ref().is_some_and(|list| !list.is_empty())),
        ("credentialSpecs", container.credential_specs.as_ref().is_some_and(|list| !list.is_empty())),
    ];
    let field = fields.into_iter().find_map(|(field, used)| used.then_some(field))?;
    Some(format!("{} (container '{}')", not_supported(field), container.name.as_deref().unwrap_or_default()))
}

fn of_platform(platform: &RuntimePlatform, architecture: Option<&str>) -> Option<String> {
    let RuntimePlatform { cpu_architecture, operating_system_family } = platform;
    if let Some(family) = operating_system_family.as_ref().filter(|family| **family != OSFamily::Linux) {
        return Some(not_supported(&format!("runtimePlatform.operatingSystemFamily {family}")));
    }
    let wanted = cpu_architecture.as_ref()?;
    let architecture = architecture?;
    let differs = !wanted.as_str().eq_ignore_ascii_case(architecture);
    differs.then(|| format!("runtimePlatform.cpuArchitecture is {wanted}, but the node's is {architecture}"))
}
