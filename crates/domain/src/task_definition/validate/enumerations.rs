//! Values outside the enumerations of the API model.
//!
//! Two stay legal on purpose: any `protocol` counts as tcp, and any `logDriver` is taken for one that the instances
//! have (source: github.com/aws/amazon-ecs-agent issue 2286).

use longshore_ecs_wire::shapes::{
    ApplicationProtocol, CPUArchitecture, Compatibility, ContainerCondition, EnvironmentFileType,
    FirelensConfigurationType, IpcMode, NetworkMode, OSFamily, PidMode, ResourceType, UlimitName,
};

use crate::Refusal;
use crate::task_definition::draft::{Draft, items};

pub(super) fn check(draft: &Draft<'_>) -> Result<(), Refusal> {
    check_task(draft)?;
    for container in draft.containers {
        for mapping in items(&container.port_mappings) {
            if let Some(ApplicationProtocol::Unknown(_)) = mapping.app_protocol {
                return Err(one_of("app protocol", ApplicationProtocol::VALUES));
            }
        }
        for dependency in items(&container.depends_on) {
            if matches!(dependency.condition, None | Some(ContainerCondition::Unknown(_))) {
                return Err(one_of("container dependency condition", ContainerCondition::VALUES));
            }
        }
        for ulimit in items(&container.ulimits) {
            if matches!(ulimit.name, None | Some(UlimitName::Unknown(_))) {
                return Err(one_of("ulimit name", UlimitName::VALUES));
            }
        }
        for file in items(&container.environment_files) {
            if matches!(file.r#type, None | Some(EnvironmentFileType::Unknown(_))) {
                return Err(one_of("environment file type", EnvironmentFileType::VALUES));
            }
        }
        for requirement in items(&container.resource_requirements) {
            if matches!(requirement.r#type, None | Some(ResourceType::Unknown(_))) {
                return Err(one_of("resource type", ResourceType::VALUES));
            }
        }
        let firelens = container.firelens_configuration.as_ref();
        if matches!(firelens.map(|firelens| &firelens.r#type), Some(None | Some(FirelensConfigurationType::Unknown(_))))
        {
            return Err(one_of("firelens configuration type", FirelensConfigurationType::VALUES));
        }
    }
    Ok(())
}

fn check_task(draft: &Draft<'_>) -> Result<(), Refusal> {
    if let Some(NetworkMode::Unknown(_)) = draft.network_mode {
        return Err(one_of("network mode", NetworkMode::VALUES));
    }
    if let Some(PidMode::Unknown(_)) = draft.pid_mode {
        return Err(one_of("pid mode", PidMode::VALUES));
    }
    if let Some(IpcMode::Unknown(_)) = draft.ipc_mode {
        return Err(one_of("ipc mode", IpcMode::VALUES));
    }
    if draft.requires_compatibilities.iter().any(|one| matches!(one, Compatibility::Unknown(_))) {
        return Err(one_of("compatibility", Compatibility::VALUES));
    }
    let platform = draft.runtime_platform;
    if let Some(CPUArchitecture::Unknown(_)) = platform.and_then(|platform| platform.cpu_architecture.as_ref()) {
        return Err(one_of("cpu architecture", CPUArchitecture::VALUES));
    }
    if let Some(OSFamily::Unknown(_)) = platform.and_then(|platform| platform.operating_system_family.as_ref()) {
        return Err(one_of("operating system family", OSFamily::VALUES));
    }
    Ok(())
}

fn one_of(what: &str, values: &[&str]) -> Refusal {
    Refusal::client(format!("{what} should be one of [{}]", values.join(",")))
}
