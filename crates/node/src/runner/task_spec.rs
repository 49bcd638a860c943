//! A task as the runner runs it: the payload's words turned into containers for the engine.
//!
//! A task that cannot be read at all is [`SpecError::Invalid`]; one that can be read but not honoured becomes a spec
//! with a [`Refusal`], which stops at once with that reason.

use std::collections::BTreeMap;
use std::net::IpAddr;

use longshore_ecs_wire::agent::{Container, DesiredStatus, Task};

use super::docker_words::{self, DockerWords, WordsError};
use crate::container_name::container_name;
use crate::engine::{ContainerSpec, NetworkMode, Observed, PortBinding, PortRequest, Protocol};
use crate::ownership::{
    CLUSTER_LABEL, CONTAINER_NAME_LABEL, FAMILY_LABEL, NODE_LABEL, REVISION_LABEL, STOP_TIMEOUT_LABEL, TASK_ARN_LABEL,
};
use crate::unsupported::first_unsupported;

/// Seconds between stop signal and SIGKILL when the definition gives none.
pub(crate) const DEFAULT_STOP_TIMEOUT_SECONDS: u32 = 30;
/// The least hard memory limit, bytes: Docker since 20.10 refuses less than 6 MiB (Amazon's agent raises to 4 MiB).
const MINIMUM_MEMORY_BYTES: u64 = 6 << 20;
/// The least and the most CPU shares that the kernel takes.
const CPU_SHARES: std::ops::RangeInclusive<i64> = 2..=262_144;

/// What the node adds to a task.
#[derive(Debug, Clone)]
pub(crate) struct SpecContext {
    /// The node's id.
    pub node_id: String,
    /// Name of the node's bridge network.
    pub network_name: String,
    /// Address on which ports are published.
    pub publish_address: IpAddr,
}

/// A task to run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TaskSpec {
    /// ARN.
    pub arn: String,
    /// Name of its cluster.
    pub cluster: String,
    /// Its containers, in the definition's order.
    pub containers: Vec<ContainerTemplate>,
    /// Why it is not to run at all.
    pub refusal: Option<Refusal>,
}

/// A container of a task.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ContainerTemplate {
    /// Name in the task.
    pub name: String,
    /// Whether its end stops the task.
    pub essential: bool,
    /// What the engine is to create.
    pub spec: ContainerSpec,
    /// Ports reported in host mode, where the engine publishes none.
    pub host_ports: Vec<PortBinding>,
    /// The engine's id of it, if this node has reported one before.
    pub reported_id: Option<String>,
}

/// Why a task is not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The container it is about.
    pub container: Option<usize>,
    /// The reason.
    pub reason: String,
}

/// The task cannot be read; the words that follow `Error loading task - `.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct InvalidTask(pub String);

/// Region and cluster name out of a task's ARN, `arn:<partition>:ecs:<region>:<account>:task/<cluster>/<id>`.
pub(crate) fn region_and_cluster(arn: &str) -> Option<(&str, &str)> {
    let mut parts = arn.splitn(6, ':');
    let (prefix, _partition, service) = (parts.next()?, parts.next()?, parts.next()?);
    let (region, _account, resource) = (parts.next()?, parts.next()?, parts.next()?);
    let mut names = resource.split('/');
    let (kind, cluster, id) = (names.next()?, names.next()?, names.next()?);
    let whole = prefix == "arn" && service == "ecs" && kind == "task" && names.next().is_none();
    (whole && !cluster.is_empty() && !id.is_empty()).then_some((region, cluster))
}

impl TaskSpec {
    /// Reads a task of a payload.
    pub fn from_payload(task: &Task, context: &SpecContext) -> Result<Self, InvalidTask> {
        let Some((region, cluster)) = region_and_cluster(&task.arn) else {
            return Err(InvalidTask(format!("'{}' is not the ARN of a task", task.arn)));
        };
        let family = task.family.as_deref().unwrap_or_default();
        let revision = task.version.as_deref().unwrap_or_default();
        check(task, family, revision)?;
        let mut spec =
            Self { arn: task.arn.clone(), cluster: cluster.to_owned(), containers: Vec::new(), refusal: None };
        if let Some(unsupported) = first_unsupported(task) {
            spec.refuse(unsupported.container, unsupported.reason(task));
        }
        let builder = Builder { task, context, region, cluster, family, revision };
        for (position, container) in task.containers.iter().enumerate() {
            let (template, refusal) = builder.template(container)?;
            spec.containers.push(template);
            if let Some(reason) = refusal {
                spec.refuse(Some(position), reason);
            }
        }
        Ok(spec)
    }

    /// What is known of a task only from containers found on the engine.
    pub fn from_found(arn: &str, found: &[Observed]) -> Self {
        let label = |observed: &Observed, label: &str| observed.labels.get(label).cloned().unwrap_or_default();
        let cluster = found.first().map(|observed| label(observed, CLUSTER_LABEL)).unwrap_or_default();
        let containers = found
            .iter()
            .map(|observed| ContainerTemplate {
                name: label(observed, CONTAINER_NAME_LABEL),
                essential: true,
                spec: ContainerSpec {
                    name: observed.name.clone(),
                    labels: observed.labels.clone(),
                    stop_timeout_seconds: label(observed, STOP_TIMEOUT_LABEL)
                        .parse()
                        .unwrap_or(DEFAULT_STOP_TIMEOUT_SECONDS),
                    ..ContainerSpec::default()
                },
                host_ports: Vec::new(),
                reported_id: None,
            })
            .collect();
        Self { arn: arn.to_owned(), cluster, containers, refusal: None }
    }

    /// The first refusal is the one that is reported.
    fn refuse(&mut self, container: Option<usize>, reason: String) {
        self.refusal.get_or_insert(Refusal { container, reason });
    }
}

/// A stop needs only the ARN; what is to run needs a name for every container.
fn check(task: &Task, family: &str, revision: &str) -> Result<(), InvalidTask> {
    if task.desired_status == DesiredStatus::Running {
        if task.containers.is_empty() {
            return Err(InvalidTask("the task has no containers".to_owned()));
        }
        if family.is_empty() || revision.is_empty() {
            return Err(InvalidTask("the task has no family or version".to_owned()));
        }
    }
    for (position, container) in task.containers.iter().enumerate() {
        if container.name.is_empty() {
            return Err(InvalidTask(format!("container {position} has no name")));
        }
        let earlier = task.containers.iter().take(position);
        if earlier.into_iter().any(|other| other.name == container.name) {
            return Err(InvalidTask(format!("two containers are named '{}'", container.name)));
        }
        if container.image.is_empty() && task.desired_status == DesiredStatus::Running {
            return Err(InvalidTask(format!("container '{}' has no image", container.name)));
        }
    }
    Ok(())
}

struct Builder<'a> {
    task: &'a Task,
    context: &'a SpecContext,
    region: &'a str,
    cluster: &'a str,
    family: &'a str,
    revision: &'a str,
}

impl Builder<'_> {
    /// The container, and why it cannot be run if so.
    fn template(&self, container: &Container) -> Result<(ContainerTemplate, Option<String>), InvalidTask> {
        let command = command(container)?;
        let (words, mut refusal) = match docker_words::read(container) {
            Ok(words) => (words, None),
            Err(WordsError::Broken(reason)) => (DockerWords::default(), Some(reason)),
            Err(WordsError::Unsupported(field)) => {
                let reason = format!("this node does not support {field} yet (container '{}')", container.name);
                (DockerWords::default(), Some(reason))
            }
        };
        let network = self.network(container, &words).unwrap_or_else(|reason| {
            refusal.get_or_insert(reason);
            NetworkMode::None
        });
        let ports = ports(container)?;
        let published = match (&network, self.task.network_mode.as_deref()) {
            (_, Some("awsvpc")) => Vec::new(),
            (NetworkMode::Bridge(_), _) => self.published(&ports),
            _ => Vec::new(),
        };
        let host_ports = if network == NetworkMode::Host { on_host(&ports) } else { Vec::new() };
        let spec = ContainerSpec { command, ports: published, network, ..self.spec(container, words) };
        let template = ContainerTemplate {
            name: container.name.clone(),
            essential: container.essential,
            spec,
            host_ports,
            reported_id: container.runtime_id.clone(),
        };
        Ok((template, refusal))
    }

    fn spec(&self, container: &Container, words: DockerWords) -> ContainerSpec {
        let DockerWords { config, host } = words;
        let bytes = |value: Option<i64>| value.and_then(|value| u64::try_from(value).ok()).filter(|value| *value > 0);
        ContainerSpec {
            name: container_name(self.family, self.revision, &container.name, &self.task.arn),
            image: container.image.clone(),
            entry_point: container.entry_point.clone().filter(|words| !words.is_empty()),
            environment: self.environment(container),
            labels: self.labels(container, config.labels.unwrap_or_default()),
            cpu_shares: self.cpu_shares(container),
            memory_bytes: self.memory_bytes(container),
            memory_reservation_bytes: bytes(host.memory_reservation),
            user: config.user,
            working_directory: config.working_dir,
            hostname: config.hostname,
            dns_servers: host.dns.unwrap_or_default(),
            dns_search_domains: host.dns_search.unwrap_or_default(),
            extra_hosts: host.extra_hosts.unwrap_or_default(),
            privileged: host.privileged.unwrap_or_default(),
            readonly_root_filesystem: host.readonly_rootfs.unwrap_or_default(),
            pseudo_terminal: config.tty.unwrap_or_default(),
            interactive: config.open_stdin.unwrap_or_default(),
            init_process: host.init.unwrap_or_default(),
            shared_memory_bytes: bytes(host.shm_size),
            capabilities_add: host.cap_add.unwrap_or_default(),
            capabilities_drop: host.cap_drop.unwrap_or_default(),
            system_controls: host.sysctls.unwrap_or_default(),
            ulimits: host
                .ulimits
                .unwrap_or_default()
                .into_iter()
                .map(|limit| (limit.name, (limit.soft, limit.hard)))
                .collect(),
            log: host
                .log_config
                .filter(|log| !log.kind.is_empty())
                .map(|log| (log.kind, log.config.unwrap_or_default())),
            stop_timeout_seconds: stop_timeout(container),
            ..ContainerSpec::default()
        }
    }

    /// `hostConfig` decides; a task in awsvpc mode has a bridge address of its own per container.
    fn network(&self, container: &Container, words: &DockerWords) -> Result<NetworkMode, String> {
        let bridge = || NetworkMode::Bridge(self.context.network_name.clone());
        if words.config.network_disabled == Some(true) {
            return Ok(NetworkMode::None);
        }
        let of_task = self.task.network_mode.as_deref().filter(|mode| !mode.is_empty());
        let mode = words.host.network_mode.as_deref().filter(|mode| !mode.is_empty()).or(of_task);
        match mode {
            None | Some("bridge" | "default" | "awsvpc") => Ok(bridge()),
            Some("host") => Ok(NetworkMode::Host),
            Some("none") if of_task == Some("awsvpc") => Ok(bridge()),
            Some("none") => Ok(NetworkMode::None),
            Some(other) => {
                Err(format!("this node does not support networkMode {other} yet (container '{}')", container.name))
            }
        }
    }

    fn published(&self, ports: &[(u16, u16, Protocol)]) -> Vec<PortRequest> {
        let request = |&(container_port, host_port, protocol): &(u16, u16, Protocol)| PortRequest {
            container_port,
            host_port: (host_port != 0).then_some(host_port),
            protocol,
            publish_address: self.context.publish_address,
        };
        ports.iter().map(request).collect()
    }

    fn environment(&self, container: &Container) -> BTreeMap<String, String> {
        const NAMES: [&str; 2] = ["AWS_REGION", "AWS_DEFAULT_REGION"];
        let mut environment = container.environment.clone();
        if !self.region.is_empty() && !NAMES.iter().any(|name| environment.contains_key(*name)) {
            environment.extend(NAMES.map(|name| (name.to_owned(), self.region.to_owned())));
        }
        environment
    }

    /// Ours win over those of the definition: ownership must not be forged.
    fn labels(&self, container: &Container, mut labels: BTreeMap<String, String>) -> BTreeMap<String, String> {
        let own = [
            (TASK_ARN_LABEL, self.task.arn.clone()),
            (CONTAINER_NAME_LABEL, container.name.clone()),
            (FAMILY_LABEL, self.family.to_owned()),
            (REVISION_LABEL, self.revision.to_owned()),
            (CLUSTER_LABEL, self.cluster.to_owned()),
            (NODE_LABEL, self.context.node_id.clone()),
            (STOP_TIMEOUT_LABEL, stop_timeout(container).to_string()),
        ];
        labels.extend(own.map(|(label, value)| (label.to_owned(), value)));
        labels
    }

    /// Containers that ask for none share what the task has and the others leave, so that a task keeps its weight
    /// against other tasks.
    fn cpu_shares(&self, container: &Container) -> u32 {
        let asked = if container.cpu > 0 { container.cpu } else { self.cpu_left_per_container() };
        u32::try_from(asked.clamp(*CPU_SHARES.start(), *CPU_SHARES.end())).unwrap_or(2)
    }

    fn cpu_left_per_container(&self) -> i64 {
        let Some(vcpus) = self.task.cpu.filter(|vcpus| *vcpus > 0.0) else { return 0 };
        let whole = (vcpus * 1024.0) as i64;
        let given: i64 = self.task.containers.iter().map(|container| container.cpu.max(0)).fold(0, i64::saturating_add);
        let without = self.task.containers.iter().filter(|container| container.cpu <= 0).count();
        whole.saturating_sub(given) / i64::try_from(without).unwrap_or(i64::MAX).max(1)
    }

    /// A container without a limit of its own gets the task's as its own: no container can use more than the task may.
    fn memory_bytes(&self, container: &Container) -> Option<u64> {
        let mebibytes =
            Some(container.memory).filter(|memory| *memory > 0).or(self.task.memory.filter(|memory| *memory > 0))?;
        let bytes = u64::try_from(mebibytes).unwrap_or(0).saturating_mul(1 << 20);
        Some(bytes.max(MINIMUM_MEMORY_BYTES))
    }
}

/// The command, which `overrides` may replace. That string may hold nothing else.
fn command(container: &Container) -> Result<Option<Vec<String>>, InvalidTask> {
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Overrides {
        command: Option<Vec<String>>,
    }
    let given = container.command.clone().filter(|words| !words.is_empty());
    let Some(text) = container.overrides.as_deref().filter(|text| !text.trim().is_empty()) else {
        return Ok(given);
    };
    let overrides: Option<Overrides> = serde_json::from_str(text)
        .map_err(|error| InvalidTask(format!("overrides of container '{}': {error}", container.name)))?;
    Ok(overrides.and_then(|overrides| overrides.command).filter(|words| !words.is_empty()).or(given))
}

fn stop_timeout(container: &Container) -> u32 {
    let given = container.stop_timeout.filter(|seconds| *seconds > 0);
    given.and_then(|seconds| u32::try_from(seconds).ok()).unwrap_or(DEFAULT_STOP_TIMEOUT_SECONDS)
}

/// (container port, host port or 0, protocol).
fn ports(container: &Container) -> Result<Vec<(u16, u16, Protocol)>, InvalidTask> {
    let wrong = |what: &str| InvalidTask(format!("container '{}' has a port mapping with {what}", container.name));
    let singles = container.port_mappings.iter().filter(|mapping| mapping.container_port_range.is_none());
    singles
        .map(|mapping| {
            let container_port =
                mapping.container_port.and_then(|port| u16::try_from(port).ok()).filter(|port| *port > 0);
            let host_port =
                u16::try_from(mapping.host_port.unwrap_or(0)).map_err(|_| wrong("a host port out of range"))?;
            let protocol = match mapping.protocol.as_deref() {
                None | Some("" | "tcp") => Protocol::Tcp,
                Some("udp") => Protocol::Udp,
                Some(_) => return Err(wrong("an unknown protocol")),
            };
            Ok((container_port.ok_or_else(|| wrong("no container port"))?, host_port, protocol))
        })
        .collect()
}

/// In host mode nothing is published: the port is the host's.
fn on_host(ports: &[(u16, u16, Protocol)]) -> Vec<PortBinding> {
    let binding = |&(port, _, protocol): &(u16, u16, Protocol)| PortBinding {
        bind_ip: "0.0.0.0".to_owned(),
        container_port: port,
        host_port: port,
        protocol,
    };
    ports.iter().map(binding).collect()
}

#[cfg(test)]
#[path = "task_spec_tests.rs"]
mod tests;
