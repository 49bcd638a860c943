//! What Fargate demands and what it does not have.
//!
//! Applied where FARGATE is required, and asked of every definition to find out whether it is compatible.

use longshore_ecs_wire::shapes::{ContainerDefinition, LogDriver, PidMode, ResourceType, UlimitName};

use super::check_between;
use super::sizes::{task_cpu, task_memory};
use crate::Refusal;
use crate::task_definition::draft::{Draft, items, name_of};
use crate::task_definition::fargate_sizes;
use crate::task_definition::requires_attributes::is_ecr_image;

/// Network mode and task size.
pub(in crate::task_definition) fn check_task(draft: &Draft<'_>) -> Result<(), Refusal> {
    if draft.mode() != "awsvpc" {
        return Err(Refusal::client("Fargate only supports network mode ‘awsvpc’."));
    }
    let missing =
        |setting: &str| Refusal::client(format!("Fargate requires that '{setting}' be defined at the task level."));
    let cpu = task_cpu(draft.cpu)?.ok_or_else(|| missing("cpu"))?;
    let memory = task_memory(draft.memory)?.ok_or_else(|| missing("memory"))?;
    fargate_sizes::check(cpu, memory)
}

/// Every other member.
pub(in crate::task_definition) fn check_members(draft: &Draft<'_>) -> Result<(), Refusal> {
    if draft.ipc_mode.is_some() {
        return Err(Refusal::client("Tasks using the Fargate launch type do not support ipcMode."));
    }
    if draft.pid_mode.is_some_and(|mode| *mode != PidMode::Task) {
        return Err(Refusal::client(
            "Tasks using the Fargate launch type do not support pidMode 'host'. The supported value for pidMode is \
             'task'.",
        ));
    }
    if !draft.placement_constraints.is_empty() {
        return Err(unsupported("constraints"));
    }
    for volume in draft.volumes {
        if volume.host.as_ref().is_some_and(|host| host.source_path.is_some()) {
            return Err(unsupported("sourcePath"));
        }
        if volume.docker_volume_configuration.is_some() {
            return Err(unsupported("dockerVolumeConfiguration"));
        }
        if volume.fsx_windows_file_server_volume_configuration.is_some() {
            return Err(unsupported("fsxWindowsFileServerVolumeConfiguration"));
        }
    }
    for container in draft.containers {
        check_container(container)?;
        check_log_driver(container, draft.execution_role_arn.is_some())?;
        if draft.execution_role_arn.is_none() && container.image.as_deref().is_some_and(is_ecr_image) {
            return Err(Refusal::client(
                "Fargate requires task definition to have execution role ARN to support ECR images.",
            ));
        }
    }
    Ok(())
}

fn unsupported(member: &str) -> Refusal {
    Refusal::client(format!("Fargate compatible task definitions do not support {member}"))
}

fn check_container(container: &ContainerDefinition) -> Result<(), Refusal> {
    if container.privileged == Some(true) {
        return Err(Refusal::client("Fargate requires that the 'privileged' setting be 'false'."));
    }
    check_between("startTimeout", name_of(container), container.start_timeout, 2, 120)?;
    check_between("stopTimeout", name_of(container), container.stop_timeout, 2, 120)?;
    let parameters = container.linux_parameters.as_ref();
    let given = [
        ("devices", parameters.is_some_and(|parameters| !items(&parameters.devices).is_empty())),
        ("sharedMemorySize", parameters.is_some_and(|parameters| parameters.shared_memory_size.is_some())),
        ("maxSwap", parameters.is_some_and(|parameters| parameters.max_swap.is_some())),
        ("swappiness", parameters.is_some_and(|parameters| parameters.swappiness.is_some())),
        ("dnsSearchDomains", !items(&container.dns_search_domains).is_empty()),
        ("dockerSecurityOptions", !items(&container.docker_security_options).is_empty()),
    ];
    if let Some((member, _)) = given.iter().find(|(_, given)| *given) {
        return Err(unsupported(member));
    }
    let mut ulimits = items(&container.ulimits).iter().filter_map(|ulimit| ulimit.name.as_ref());
    if let Some(name) = ulimits.find(|name| **name != UlimitName::Nofile) {
        return Err(unsupported(&format!("ulimit {}", name.as_str())));
    }
    let gpu = |kind: &Option<ResourceType>| *kind == Some(ResourceType::Gpu);
    if items(&container.resource_requirements).iter().any(|requirement| gpu(&requirement.r#type)) {
        return Err(Refusal::client("Tasks using the Fargate launch type do not support GPU resource requirements."));
    }
    Ok(())
}

fn check_log_driver(container: &ContainerDefinition, has_execution_role: bool) -> Result<(), Refusal> {
    let driver = container.log_configuration.as_ref().and_then(|log| log.log_driver.as_ref());
    match driver {
        Some(LogDriver::Awslogs) if !has_execution_role => Err(Refusal::client(
            "Fargate requires task definition to have execution role ARN to support log driver awslogs.",
        )),
        None | Some(LogDriver::Awslogs | LogDriver::Splunk | LogDriver::Awsfirelens) => Ok(()),
        Some(driver) => Err(unsupported(&format!("log driver {}", driver.as_str()))),
    }
}
