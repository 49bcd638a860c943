//! What Amazon fills in when a definition is registered.
//!
//! Source: real answers of RegisterTaskDefinition and terraform-provider-aws, which has to know them to compare
//! definitions. Members that Amazon leaves out when they are not given stay out; given empty lists stay empty.
//! Normalising what is normal already changes nothing.

use longshore_ecs_wire::operations::RegisterTaskDefinitionRequest;
use longshore_ecs_wire::shapes::{
    ContainerDefinition, HealthCheck, HostVolumeProperties, PortMapping, TaskDefinition, TransportProtocol, Volume,
};

use super::draft::mode_name;
use super::task_size;

/// The registered contents of a definition that passed [`super::validate`].
///
/// ARN, revision, status, compatibilities, required attributes, and who registered it when, are the caller's to add:
/// they are derived or are facts of the registration. Tags are no part of a definition and are left behind.
pub fn normalise(request: RegisterTaskDefinitionRequest) -> TaskDefinition {
    let has_host_ports = match mode_name(request.network_mode.as_ref()) {
        "awsvpc" | "host" => HostPorts::SameAsContainer,
        "none" => HostPorts::None,
        _ => HostPorts::Dynamic,
    };
    let containers = request.container_definitions.unwrap_or_default();
    let plain = |text: Option<String>, size: fn(&str) -> Option<u32>| {
        text.map(|text| size(&text).map_or(text, |number| number.to_string()))
    };
    TaskDefinition {
        container_definitions: Some(
            containers.into_iter().map(|container| normal_container(container, has_host_ports)).collect(),
        ),
        family: request.family,
        task_role_arn: request.task_role_arn,
        execution_role_arn: request.execution_role_arn,
        network_mode: request.network_mode,
        volumes: Some(request.volumes.unwrap_or_default().into_iter().map(normal_volume).collect()),
        placement_constraints: Some(request.placement_constraints.unwrap_or_default()),
        runtime_platform: request.runtime_platform,
        requires_compatibilities: request.requires_compatibilities,
        cpu: plain(request.cpu, task_size::cpu_units),
        memory: plain(request.memory, task_size::memory_mib),
        inference_accelerators: request.inference_accelerators,
        pid_mode: request.pid_mode,
        ipc_mode: request.ipc_mode,
        proxy_configuration: request.proxy_configuration,
        ephemeral_storage: request.ephemeral_storage,
        enable_fault_injection: Some(request.enable_fault_injection.unwrap_or(false)),
        trusted_execution_configuration: request.trusted_execution_configuration,
        ..TaskDefinition::default()
    }
}

/// What an absent host port becomes.
#[derive(Clone, Copy)]
enum HostPorts {
    /// awsvpc, host.
    SameAsContainer,
    /// bridge: 0, the engine chooses.
    Dynamic,
    /// none.
    None,
}

fn normal_container(container: ContainerDefinition, host_ports: HostPorts) -> ContainerDefinition {
    let mappings = container.port_mappings.unwrap_or_default();
    ContainerDefinition {
        cpu: Some(container.cpu.unwrap_or(0)),
        essential: Some(container.essential.unwrap_or(true)),
        environment: Some(container.environment.unwrap_or_default()),
        mount_points: Some(container.mount_points.unwrap_or_default()),
        volumes_from: Some(container.volumes_from.unwrap_or_default()),
        system_controls: Some(container.system_controls.unwrap_or_default()),
        port_mappings: Some(mappings.into_iter().map(|mapping| normal_mapping(mapping, host_ports)).collect()),
        health_check: container.health_check.map(normal_health_check),
        ..container
    }
}

/// A range has no host port: the agent reports the range it found.
fn normal_mapping(mapping: PortMapping, host_ports: HostPorts) -> PortMapping {
    let default = match host_ports {
        HostPorts::SameAsContainer => mapping.container_port,
        HostPorts::Dynamic if mapping.container_port.is_some() => Some(0),
        HostPorts::Dynamic | HostPorts::None => None,
    };
    PortMapping {
        host_port: mapping.host_port.or(default),
        protocol: Some(match mapping.protocol {
            Some(TransportProtocol::Udp) => TransportProtocol::Udp,
            _ => TransportProtocol::Tcp,
        }),
        ..mapping
    }
}

fn normal_health_check(check: HealthCheck) -> HealthCheck {
    HealthCheck {
        interval: Some(check.interval.unwrap_or(30)),
        timeout: Some(check.timeout.unwrap_or(5)),
        retries: Some(check.retries.unwrap_or(3)),
        ..check
    }
}

/// A volume of which only the name is given is an empty host volume; an EFS volume begins at the root.
fn normal_volume(mut volume: Volume) -> Volume {
    let other_kind = volume.docker_volume_configuration.is_some()
        || volume.efs_volume_configuration.is_some()
        || volume.s3files_volume_configuration.is_some()
        || volume.fsx_windows_file_server_volume_configuration.is_some()
        || volume.configured_at_launch == Some(true);
    if volume.host.is_none() && !other_kind {
        volume.host = Some(HostVolumeProperties::default());
    }
    if let Some(efs) = &mut volume.efs_volume_configuration {
        efs.root_directory.get_or_insert_with(|| "/".to_owned());
    }
    volume
}
