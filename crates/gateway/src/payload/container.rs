//! One container of a payload.

use longshore_domain::arn;
use longshore_ecs_wire::agent::{self, Container};
use longshore_ecs_wire::shapes::{self, ContainerDefinition, KeyValuePair};

use super::{Run, docker_words, secrets};

/// Tells programs where they run; source: the ECS developer guide's page on task metadata.
const EXECUTION_ENV: &str = "AWS_EXECUTION_ENV";

/// The container as the node runs it, from its definition with the overrides laid over it.
pub(super) fn container(run: &Run<'_>, definition: &ContainerDefinition) -> Container {
    let ContainerDefinition {
        name,
        image,
        cpu,
        memory,
        essential,
        restart_policy,
        entry_point,
        command,
        environment,
        secrets: _,                // See `secrets::of_container`.
        repository_credentials: _, // See `secrets::registry`.
        start_timeout,
        stop_timeout,
        firelens_configuration: _, // These: see `connections`.
        environment_files: _,
        links: _,
        port_mappings: _,
        mount_points: _,
        volumes_from: _,
        depends_on: _,
        resource_requirements: _, // Refused by `unsendable`.
        credential_specs: _,      // Refused by `unsendable`.
        version_consistency: _,   // A service's matter.
        memory_reservation: _,    // These, and what follows, travel in Docker's words.
        linux_parameters: _,
        hostname: _,
        user: _,
        working_directory: _,
        disable_networking: _,
        privileged: _,
        readonly_root_filesystem: _,
        dns_servers: _,
        dns_search_domains: _,
        extra_hosts: _,
        docker_security_options: _,
        interactive: _,
        pseudo_terminal: _,
        docker_labels: _,
        ulimits: _,
        log_configuration: _,
        system_controls: _,
        health_check,
    } = definition;
    let name = name.clone().unwrap_or_default();
    Container {
        container_arn: Some(arn::container(run.scope(), &run.cluster.name, run.task.id, &name)),
        runtime_id: runtime_id(run, &name),
        image: image.clone().unwrap_or_default(),
        command: command.clone(),
        entry_point: entry_point.clone(),
        cpu: cpu.unwrap_or(0).into(),
        memory: memory.unwrap_or(0).into(),
        essential: essential.unwrap_or(true),
        environment: environment_of(run, environment.as_deref().unwrap_or_default()),
        start_timeout: start_timeout.map(i64::from),
        stop_timeout: stop_timeout.map(i64::from),
        secrets: secrets::of_container(run.scope(), definition),
        registry_authentication: secrets::registry(run.scope(), definition),
        logs_auth_strategy: docker_words::logs_auth_strategy(run, definition),
        health_check_type: health_check.as_ref().filter(|check| docker_words::checks(check)).map(|_| "docker".into()),
        managed_agents: if run.task.enable_execute_command { vec![execute_command_agent()] } else { vec![] },
        restart_policy: restart_policy.as_ref().map(restart),
        overrides: None, // Merged already.
        docker_config: Some(docker_words::docker_config(run, definition)),
        name,
        ..connections(definition)
    }
}

/// What ties the container to the host and to others.
fn connections(definition: &ContainerDefinition) -> Container {
    Container {
        environment_files: definition.environment_files.iter().flatten().map(environment_file).collect(),
        firelens_configuration: definition.firelens_configuration.as_ref().map(firelens),
        links: definition.links.clone().unwrap_or_default(),
        port_mappings: definition.port_mappings.iter().flatten().map(port_mapping).collect(),
        mount_points: definition.mount_points.iter().flatten().map(mount_point).collect(),
        volumes_from: definition.volumes_from.iter().flatten().map(volume_from).collect(),
        depends_on: definition.depends_on.iter().flatten().map(dependency).collect(),
        ..Container::default()
    }
}

/// The engine's id, if the node has reported it.
fn runtime_id(run: &Run<'_>, name: &str) -> Option<String> {
    let definitions = run.definition.container_definitions.as_deref().unwrap_or_default();
    let index = definitions.iter().position(|definition| definition.name.as_deref() == Some(name))?;
    run.task.containers.get(index)?.runtime_id.as_deref().map(Into::into)
}

pub(super) fn pair(pair: &KeyValuePair) -> (String, String) {
    let KeyValuePair { name, value } = pair;
    (name.clone().unwrap_or_default(), value.clone().unwrap_or_default())
}

/// What the definition says of where it runs wins over what we say.
fn environment_of(run: &Run<'_>, given: &[KeyValuePair]) -> std::collections::BTreeMap<String, String> {
    let ours = (EXECUTION_ENV.to_owned(), format!("AWS_ECS_{}", run.task.launch_type.as_str()));
    std::iter::once(ours).chain(given.iter().map(pair)).collect()
}

fn environment_file(file: &shapes::EnvironmentFile) -> agent::EnvironmentFile {
    let shapes::EnvironmentFile { value, r#type } = file;
    agent::EnvironmentFile {
        value: value.clone().unwrap_or_default(),
        kind: r#type.as_ref().unwrap_or(&shapes::EnvironmentFileType::S3).to_string(),
    }
}

fn port_mapping(mapping: &shapes::PortMapping) -> agent::PortMapping {
    let shapes::PortMapping {
        container_port,
        host_port,
        protocol,
        container_port_range,
        name: _,         // Service Connect's.
        app_protocol: _, // Service Connect's.
    } = mapping;
    agent::PortMapping {
        container_port: container_port.map(i64::from),
        container_port_range: container_port_range.clone(),
        host_port: host_port.map(i64::from),
        protocol: protocol.as_ref().map(ToString::to_string),
    }
}

fn mount_point(mount: &shapes::MountPoint) -> agent::MountPoint {
    let shapes::MountPoint { source_volume, container_path, read_only } = mount;
    agent::MountPoint {
        source_volume: source_volume.clone().unwrap_or_default(),
        container_path: container_path.clone().unwrap_or_default(),
        read_only: read_only.unwrap_or(false),
    }
}

fn volume_from(volume: &shapes::VolumeFrom) -> agent::VolumeFrom {
    let shapes::VolumeFrom { source_container, read_only } = volume;
    agent::VolumeFrom {
        source_container: source_container.clone().unwrap_or_default(),
        read_only: read_only.unwrap_or(false),
    }
}

fn dependency(dependency: &shapes::ContainerDependency) -> agent::ContainerDependency {
    let shapes::ContainerDependency { container_name, condition } = dependency;
    agent::ContainerDependency {
        container_name: container_name.clone().unwrap_or_default(),
        condition: condition.as_ref().map(ToString::to_string).unwrap_or_default(),
    }
}

fn firelens(router: &shapes::FirelensConfiguration) -> agent::FirelensConfiguration {
    let shapes::FirelensConfiguration { r#type, options } = router;
    agent::FirelensConfiguration {
        kind: r#type.as_ref().map(ToString::to_string).unwrap_or_default(),
        options: options.clone().unwrap_or_default(),
    }
}

fn restart(policy: &shapes::ContainerRestartPolicy) -> agent::RestartPolicy {
    let shapes::ContainerRestartPolicy { enabled, ignored_exit_codes, restart_attempt_period } = policy;
    agent::RestartPolicy {
        enabled: enabled.unwrap_or(false),
        ignored_exit_codes: ignored_exit_codes.iter().flatten().map(|code| i64::from(*code)).collect(),
        restart_attempt_period: restart_attempt_period.map(i64::from),
    }
}

fn execute_command_agent() -> agent::ManagedAgent {
    agent::ManagedAgent {
        name: "ExecuteCommandAgent".into(),
        properties: [("sessionLimit".to_owned(), "2".to_owned())].into(),
    }
}
