//! What many tasks have in common: a task record in which everything is blank that a task has for itself.
//!
//! A new member of the record is part of the template until somebody decides otherwise, so that it is kept in any case.
//! What a container has for itself leaves a mark: [`Mark`] says where its value went.

use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::Arc;

use longshore_domain::task::{ContainerRecord, DesiredStatus, TaskRecord, TaskStatus};
use longshore_domain::{EcsId, Timestamp};
use longshore_ecs_wire::shapes::NetworkBinding;

use super::particulars::bytes_of_hex;

/// The common part of tasks; everything else in its record is blank or a mark.
#[derive(Debug)]
pub(super) struct Template(TaskRecord);

/// In a template: where the value of a container's member went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// There is none.
    Absent,
    /// 32 bytes for an engine's id, two for a port.
    Short,
    /// A text for an engine's id, four bytes for a port.
    Long,
}

impl Mark {
    /// The mark of an engine's id.
    pub(super) fn of_runtime_id(id: Option<&str>) -> Self {
        id.map_or(Self::Absent, |id| if bytes_of_hex(id).is_some() { Self::Short } else { Self::Long })
    }

    /// The mark of a host port.
    pub(super) fn of_port(port: Option<i32>) -> Self {
        port.map_or(Self::Absent, |port| if u16::try_from(port).is_ok() { Self::Short } else { Self::Long })
    }

    fn runtime_id(self) -> Option<Arc<str>> {
        match self {
            Self::Absent => None,
            Self::Short => Some("".into()),
            Self::Long => Some("-".into()),
        }
    }

    fn port(self) -> Option<i32> {
        match self {
            Self::Absent => None,
            Self::Short => Some(0),
            Self::Long => Some(-1),
        }
    }

    /// The mark that a template has as an engine's id.
    pub(super) fn read_runtime_id(id: Option<&str>) -> Self {
        id.map_or(Self::Absent, |id| if id.is_empty() { Self::Short } else { Self::Long })
    }

    /// The mark that a template has as a host port.
    pub(super) fn read_port(port: Option<i32>) -> Self {
        port.map_or(Self::Absent, |port| if port == 0 { Self::Short } else { Self::Long })
    }
}

impl Template {
    /// The template of a task.
    pub(super) fn of(task: &TaskRecord) -> Self {
        Self(TaskRecord {
            cluster: 0,
            id: EcsId([0; 16]),
            sequence: 0,
            group: "".into(),
            started_by: None,
            node: None,
            container_instance: None,
            desired_status: DesiredStatus::Running,
            last_status: TaskStatus::Provisioning,
            version: 0,
            created_at: Timestamp::default(),
            connectivity_at: None,
            pull_started_at: None,
            pull_stopped_at: None,
            started_at: None,
            stopping_at: None,
            execution_stopped_at: None,
            stopped_at: None,
            stop_code: None,
            stopped_reason: None,
            overrides: None,
            tags: Vec::new(),
            containers: task.containers.iter().map(blank_container).collect(),
            family: Arc::clone(&task.family),
            revision: task.revision,
            launch_type: task.launch_type,
            capacity_provider: task.capacity_provider.clone(),
            resources: task.resources.clone(),
            network_configuration: task.network_configuration.clone(),
            platform_version: task.platform_version.clone(),
            enable_execute_command: task.enable_execute_command,
        })
    }

    /// The record to fill.
    pub(super) fn record(&self) -> &TaskRecord {
        &self.0
    }

    /// A hash of what most templates differ in; equal for a task and its template.
    pub(super) fn hash(task: &TaskRecord, hasher: &impl BuildHasher) -> u64 {
        let mut hash = hasher.build_hasher();
        task.family.hash(&mut hash);
        (task.revision, task.launch_type, task.containers.len(), task.resources.cpu, task.resources.memory)
            .hash(&mut hash);
        for container in &task.containers {
            (container.last_status, &container.image_digest, container.exit_code).hash(&mut hash);
            container.network_bindings.len().hash(&mut hash);
        }
        hash.finish()
    }

    /// Whether it is the template of a task. Every member is named, so that a new one is not forgotten.
    pub(super) fn is_of(&self, task: &TaskRecord) -> bool {
        let TaskRecord {
            family,
            revision,
            launch_type,
            capacity_provider,
            resources,
            network_configuration,
            platform_version,
            enable_execute_command,
            containers,
            cluster: _,
            id: _,
            sequence: _,
            group: _,
            started_by: _,
            node: _,
            container_instance: _,
            desired_status: _,
            last_status: _,
            version: _,
            created_at: _,
            connectivity_at: _,
            pull_started_at: _,
            pull_stopped_at: _,
            started_at: _,
            stopping_at: _,
            execution_stopped_at: _,
            stopped_at: _,
            stop_code: _,
            stopped_reason: _,
            overrides: _,
            tags: _,
        } = &self.0;
        *family == task.family
            && *revision == task.revision
            && *launch_type == task.launch_type
            && *capacity_provider == task.capacity_provider
            && *resources == task.resources
            && *network_configuration == task.network_configuration
            && *platform_version == task.platform_version
            && *enable_execute_command == task.enable_execute_command
            && containers.len() == task.containers.len()
            && containers.iter().zip(&task.containers).all(|(blank, container)| is_blank_of(blank, container))
    }
}

fn blank_container(container: &ContainerRecord) -> ContainerRecord {
    let blank = |binding: &NetworkBinding| NetworkBinding {
        host_port: Mark::of_port(binding.host_port).port(),
        ..binding.clone()
    };
    ContainerRecord {
        runtime_id: Mark::of_runtime_id(container.runtime_id.as_deref()).runtime_id(),
        reason: container.reason.is_some().then(|| "".into()),
        network_bindings: container.network_bindings.iter().map(blank).collect(),
        last_status: container.last_status,
        image_digest: container.image_digest.clone(),
        exit_code: container.exit_code,
    }
}

fn is_blank_of(blank: &ContainerRecord, container: &ContainerRecord) -> bool {
    let ContainerRecord { last_status, runtime_id, image_digest, exit_code, reason, network_bindings } = blank;
    *last_status == container.last_status
        && *image_digest == container.image_digest
        && *exit_code == container.exit_code
        && reason.is_some() == container.reason.is_some()
        && Mark::read_runtime_id(runtime_id.as_deref()) == Mark::of_runtime_id(container.runtime_id.as_deref())
        && network_bindings.len() == container.network_bindings.len()
        && network_bindings.iter().zip(&container.network_bindings).all(|(blank, binding)| {
            let NetworkBinding { bind_ip, container_port, host_port, protocol, container_port_range, host_port_range } =
                blank;
            *bind_ip == binding.bind_ip
                && *container_port == binding.container_port
                && Mark::read_port(*host_port) == Mark::of_port(binding.host_port)
                && *protocol == binding.protocol
                && *container_port_range == binding.container_port_range
                && *host_port_range == binding.host_port_range
        })
}
