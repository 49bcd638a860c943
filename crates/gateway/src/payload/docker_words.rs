//! What the protocol has no member for, in Docker's own words: the two JSON strings of `dockerConfig`.
//!
//! A node lays them over what it makes of the plain members. The task's network mode must be said here again: the
//! plain member alone does not set it. In awsvpc mode it is left to the node, which gives the task a namespace.

use std::collections::BTreeMap;

use longshore_ecs_wire::agent::{ContainerConfig, DockerConfig, HealthCheckConfig, HostConfig, LogConfig, Ulimit};
use longshore_ecs_wire::shapes::{
    self, ContainerDefinition, DeviceCgroupPermission, LinuxParameters, LogDriver, NetworkMode,
};
use serde::Serialize;

use super::{Run, json};

/// Version of the Engine API that the strings are written for.
const DOCKER_API_VERSION: &str = "1.24";
/// Log options that ECS understands and Docker does not, or that ECS computes.
const STREAM_PREFIX: &str = "awslogs-stream-prefix";
const STREAM: &str = "awslogs-stream";

/// A [`HostConfig`] with the members that no node of ours reads yet.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct WholeHostConfig {
    #[serde(flatten)]
    host: HostConfig,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    devices: Vec<Device>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Device {
    path_on_host: String,
    path_in_container: String,
    cgroup_permissions: String,
}

/// Both strings.
pub(super) fn docker_config(run: &Run<'_>, definition: &ContainerDefinition) -> DockerConfig {
    let mut whole = WholeHostConfig { host: host_config(run, definition), devices: Vec::new() };
    if let Some(linux) = &definition.linux_parameters {
        lay_over(run, definition, linux, &mut whole);
    }
    DockerConfig {
        config: Some(json(&config(definition))),
        host_config: Some(json(&whole)),
        version: Some(DOCKER_API_VERSION.into()),
    }
}

/// How the log driver authenticates: as the execution role, where that is asked for.
pub(super) fn logs_auth_strategy(run: &Run<'_>, definition: &ContainerDefinition) -> Option<String> {
    let driver = definition.log_configuration.as_ref().and_then(|log| log.log_driver.as_ref());
    (driver == Some(&LogDriver::Awslogs) && run.has_execution_role()).then(|| "ExecutionRole".into())
}

/// Whether a health check checks anything: one whose command is `NONE` takes the image's away.
pub(super) fn checks(check: &shapes::HealthCheck) -> bool {
    check.command.as_ref().and_then(|command| command.first()).is_none_or(|first| first != "NONE")
}

fn config(definition: &ContainerDefinition) -> ContainerConfig {
    ContainerConfig {
        user: definition.user.clone(),
        working_dir: definition.working_directory.clone(),
        labels: definition.docker_labels.clone(),
        hostname: definition.hostname.clone(),
        tty: definition.pseudo_terminal,
        open_stdin: definition.interactive,
        healthcheck: definition.health_check.as_ref().map(health_check),
        network_disabled: definition.disable_networking,
    }
}

fn health_check(check: &shapes::HealthCheck) -> HealthCheckConfig {
    let shapes::HealthCheck { command, interval, timeout, retries, start_period } = check;
    let nanoseconds = |seconds: &Option<i32>| seconds.map(|seconds| i64::from(seconds) * 1_000_000_000);
    HealthCheckConfig {
        test: command.clone().unwrap_or_default(),
        interval: nanoseconds(interval),
        timeout: nanoseconds(timeout),
        start_period: nanoseconds(start_period),
        retries: retries.map(i64::from),
    }
}

fn host_config(run: &Run<'_>, definition: &ContainerDefinition) -> HostConfig {
    let mode = run.network_mode();
    let controls = definition.system_controls.iter().flatten();
    let controls = controls.map(|control| {
        let shapes::SystemControl { namespace, value } = control;
        (namespace.clone().unwrap_or_default(), value.clone().unwrap_or_default())
    });
    let hosts = definition.extra_hosts.iter().flatten().map(|host| {
        let shapes::HostEntry { hostname, ip_address } = host;
        format!("{}:{}", hostname.as_deref().unwrap_or_default(), ip_address.as_deref().unwrap_or_default())
    });
    HostConfig {
        network_mode: (*mode != NetworkMode::Awsvpc).then(|| mode.to_string()),
        log_config: definition.log_configuration.as_ref().map(|log| log_config(run, definition, log)),
        privileged: definition.privileged,
        readonly_rootfs: definition.readonly_root_filesystem,
        sysctls: filled(controls.collect(), BTreeMap::is_empty),
        ulimits: filled(definition.ulimits.iter().flatten().map(ulimit).collect(), Vec::is_empty),
        dns: listed(&definition.dns_servers),
        dns_search: listed(&definition.dns_search_domains),
        extra_hosts: filled(hosts.collect(), Vec::is_empty),
        memory_reservation: definition.memory_reservation.map(mebibytes),
        security_opt: listed(&definition.docker_security_options),
        ..HostConfig::default()
    }
}

/// The `linuxParameters`.
fn lay_over(run: &Run<'_>, definition: &ContainerDefinition, linux: &LinuxParameters, whole: &mut WholeHostConfig) {
    let LinuxParameters {
        capabilities,
        devices,
        init_process_enabled,
        shared_memory_size,
        tmpfs,
        max_swap,
        swappiness,
    } = linux;
    if let Some(shapes::KernelCapabilities { add, drop }) = capabilities {
        whole.host.cap_add = listed(add);
        whole.host.cap_drop = listed(drop);
    }
    whole.host.init = *init_process_enabled;
    whole.host.shm_size = shared_memory_size.map(mebibytes);
    whole.host.tmpfs = filled(tmpfs.iter().flatten().map(mounted_tmpfs).collect(), BTreeMap::is_empty);
    whole.devices = devices.iter().flatten().map(device).collect();
    if let Some(swap) = max_swap {
        // Docker counts memory and swap together.
        let task = run.task_memory().and_then(|memory| i32::try_from(memory).ok());
        let memory = definition.memory.or(task).unwrap_or(0);
        whole.host.memory_swap = Some(mebibytes(memory) + mebibytes(*swap));
        // Without `maxSwap`, ECS ignores it.
        whole.host.memory_swappiness = swappiness.map(i64::from);
    }
}

fn log_config(run: &Run<'_>, definition: &ContainerDefinition, log: &shapes::LogConfiguration) -> LogConfig {
    let shapes::LogConfiguration { log_driver, options, secret_options: _ } = log; // Those: see `secrets`.
    let kind = log_driver.as_ref().map(ToString::to_string).unwrap_or_default();
    let mut options = options.clone();
    if log_driver.as_ref() == Some(&LogDriver::Awslogs)
        && let Some(options) = &mut options
        && let Some(prefix) = options.remove(STREAM_PREFIX)
    {
        let container = definition.name.as_deref().unwrap_or_default();
        options.insert(STREAM.into(), format!("{prefix}/{container}/{}", run.task.id));
    }
    LogConfig { kind, config: options }
}

fn ulimit(limit: &shapes::Ulimit) -> Ulimit {
    let shapes::Ulimit { name, soft_limit, hard_limit } = limit;
    Ulimit {
        name: name.as_ref().map(ToString::to_string).unwrap_or_default(),
        soft: soft_limit.unwrap_or(0).into(),
        hard: hard_limit.unwrap_or(0).into(),
    }
}

fn mounted_tmpfs(given: &shapes::Tmpfs) -> (String, String) {
    let shapes::Tmpfs { container_path, size, mount_options } = given;
    let mut options: Vec<String> = size.map(|size| format!("size={size}m")).into_iter().collect();
    options.extend(mount_options.iter().flatten().cloned());
    (container_path.clone().unwrap_or_default(), options.join(","))
}

/// Read, write and mknod when nothing is said, as Docker has it.
fn device(given: &shapes::Device) -> Device {
    let shapes::Device { host_path, container_path, permissions } = given;
    let letter = |permission: &DeviceCgroupPermission| match permission {
        DeviceCgroupPermission::Read => "r",
        DeviceCgroupPermission::Write => "w",
        DeviceCgroupPermission::Mknod => "m",
        DeviceCgroupPermission::Unknown(_) => "",
    };
    let permissions: String = permissions.iter().flatten().map(letter).collect();
    let host_path = host_path.clone().unwrap_or_default();
    Device {
        path_in_container: container_path.clone().unwrap_or_else(|| host_path.clone()),
        cgroup_permissions: if permissions.is_empty() { "rwm".into() } else { permissions },
        path_on_host: host_path,
    }
}

fn mebibytes(count: i32) -> i64 {
    i64::from(count) << 20
}

fn listed(list: &Option<Vec<String>>) -> Option<Vec<String>> {
    list.clone().filter(|list| !list.is_empty())
}

fn filled<T>(items: T, is_empty: fn(&T) -> bool) -> Option<T> {
    (!is_empty(&items)).then_some(items)
}
