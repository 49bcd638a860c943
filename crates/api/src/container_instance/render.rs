//! A container instance as the API shows it: the membership, its machine, and the machine's one ledger.
//!
//! Its health is what this server knows of it: whether the agent has a session.

use longshore_domain::container_instance::{ContainerInstanceRecord, resources};
use longshore_domain::task::{DesiredStatus, TaskStatus};
use longshore_domain::{Resources, Scope, arn};
use longshore_ecs_wire::shapes::{
    Attribute, ContainerInstance, ContainerInstanceHealthStatus, InstanceHealthCheckResult, InstanceHealthCheckState,
    InstanceHealthCheckType, VersionInfo,
};
use longshore_store::{ClusterState, Dimension, State};

use crate::Connections;

/// Which members beside those that are always shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Parts {
    /// `tags`.
    pub tags: bool,
    /// `healthStatus`.
    pub health: bool,
}

/// The instance.
pub fn container_instance(
    state: &State,
    cluster: &ClusterState,
    instance: &ContainerInstanceRecord,
    connections: &Connections,
    parts: Parts,
) -> ContainerInstance {
    let node = state.node(instance.node);
    let (registered, remaining) = match node {
        Some(node) => {
            (resources::registered(&node.record.capacity), resources::remaining(&node.record.capacity, &node.ledger))
        }
        None => (resources::registered(&Resources::default()), resources::registered(&Resources::default())),
    };
    let is_connected = connections.is_connected(instance.node);
    let (running, pending) = task_counts(cluster, instance);
    ContainerInstance {
        container_instance_arn: Some(arn::container_instance(&cluster.record.scope, &cluster.record.name, instance.id)),
        ec2_instance_id: Some(instance.ec2_instance_id()),
        capacity_provider_name: None,
        version: Some(i64::try_from(instance.version).unwrap_or(i64::MAX)),
        version_info: Some(VersionInfo {
            agent_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            agent_hash: None,
            docker_version: node.map(|node| node.record.engine_version.clone()).filter(|version| !version.is_empty()),
        }),
        remaining_resources: Some(remaining),
        registered_resources: Some(registered),
        status: Some(instance.status.as_str().to_owned()),
        status_reason: None,
        agent_connected: Some(is_connected),
        running_tasks_count: Some(running),
        pending_tasks_count: Some(pending),
        agent_update_status: None,
        attributes: Some(attributes(
            node.map_or(&[], |node| &node.record.attributes),
            &instance.attributes,
            &cluster.record.scope,
        )),
        registered_at: Some(instance.registered_at),
        attachments: Some(Vec::new()),
        tags: Some(if parts.tags { instance.tags.clone() } else { Vec::new() }),
        health_status: parts.health.then(|| health(is_connected)),
        gpu_devices: None,
    }
}

/// The machine's attributes and the instance's own, which count where both have a name; and the zone, the same one that
/// its tasks show.
fn attributes(of_machine: &[Attribute], own: &[Attribute], scope: &Scope) -> Vec<Attribute> {
    let zone = Attribute {
        name: Some("ecs.availability-zone".into()),
        value: Some(scope.availability_zone()),
        ..Attribute::default()
    };
    let is_own = |attribute: &&Attribute| own.iter().any(|one| one.name == attribute.name);
    of_machine.iter().chain([&zone]).filter(|attribute| !is_own(attribute)).chain(own).cloned().collect()
}

/// Tasks on the instance that are to run: how many do, and how many are not there yet.
fn task_counts(cluster: &ClusterState, instance: &ContainerInstanceRecord) -> (i32, i32) {
    let (mut running, mut pending) = (0, 0);
    for life in cluster.tasks.lives_of(DesiredStatus::Running, Dimension::ContainerInstance(instance.id)) {
        match life.last_status {
            TaskStatus::Running => running += 1,
            TaskStatus::Provisioning | TaskStatus::Pending | TaskStatus::Activating => pending += 1,
            _ => {}
        }
    }
    (running, pending)
}

fn health(is_connected: bool) -> ContainerInstanceHealthStatus {
    let state = if is_connected { InstanceHealthCheckState::Ok } else { InstanceHealthCheckState::Impaired };
    let connectivity = InstanceHealthCheckResult {
        r#type: Some(InstanceHealthCheckType::AgentConnectivity),
        status: Some(state.clone()),
        ..InstanceHealthCheckResult::default()
    };
    ContainerInstanceHealthStatus { overall_status: Some(state), details: Some(vec![connectivity]) }
}
