//! A stored task as a node is told of it.
//!
//! Overrides are merged here: a node never sees them apart. What a task definition has and the protocol has a member
//! for goes there; the rest travels as Docker's own words in `dockerConfig`. Every structure of a definition is taken
//! apart member by member, so that a new one cannot be forgotten; those that no payload can carry yet are refused by
//! name in [`unsendable`]. Source: sections 2.3 and 3 of the book's agent protocol.

mod container;
mod docker_words;
mod secrets;
pub mod unsendable;
mod volume;

#[cfg(test)]
mod docker_words_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod unsendable_tests;

use longshore_domain::cluster::ClusterRecord;
use longshore_domain::task::TaskRecord;
use longshore_domain::task_definition::TaskDefinitionRecord;
use longshore_domain::task_definition::run_rules::{effective_containers, task_cpu, task_memory};
use longshore_domain::{Scope, arn};
use longshore_ecs_wire::agent;
use longshore_ecs_wire::shapes::{self, NetworkMode, TaskDefinition};

/// CPU units of one vCPU.
const UNITS_PER_VCPU: f64 = 1024.0;

/// The task to run, overrides merged. It is of no use for a task that [`unsendable::reason`] names a reason for.
pub fn to_run(task: &TaskRecord, cluster: &ClusterRecord, definition: &TaskDefinitionRecord) -> agent::Task {
    let TaskDefinition {
        network_mode,
        volumes,
        pid_mode,
        ipc_mode,
        proxy_configuration,
        enable_fault_injection,
        container_definitions: _,           // Laid over by the overrides, see `containers`.
        cpu: _,                             // Laid over by the overrides, see `cpu`.
        memory: _,                          // Laid over by the overrides, see `memory`.
        family: _,                          // The record's.
        revision: _,                        // The record's.
        execution_role_arn: _,              // See `container`; what needs its credentials is refused by the node.
        task_role_arn: _,                   // Refused by `unsendable`.
        runtime_platform: _,                // Judged by `unsendable`.
        trusted_execution_configuration: _, // Refused by `unsendable`.
        inference_accelerators: _,          // Refused by `unsendable`.
        ephemeral_storage: _,               // Recorded only.
        placement_constraints: _,           // The scheduler's.
        compatibilities: _,                 // Facts of the registration, from here on.
        requires_compatibilities: _,
        requires_attributes: _,
        status: _,
        task_definition_arn: _,
        registered_at: _,
        registered_by: _,
        deregistered_at: _,
        delete_requested_at: _,
    } = &definition.definition;
    let overrides = task.overrides.as_deref();
    let containers = effective_containers(&definition.definition, overrides);
    let run = Run { task, cluster, definition: &definition.definition };
    agent::Task {
        family: Some(task.family.as_ref().into()),
        version: Some(task.revision.to_string()),
        desired_status: agent::DesiredStatus::Running,
        task_definition_account_id: Some(cluster.scope.account.as_ref().into()),
        overrides: overrides.map(json),
        containers: containers.iter().map(|container| container::container(&run, container)).collect(),
        volumes: volumes.iter().flatten().map(volume::volume).collect(),
        cpu: task_cpu(&definition.definition, overrides).map(|units| f64::from(units) / UNITS_PER_VCPU),
        memory: task_memory(&definition.definition, overrides).map(i64::from),
        pid_mode: pid_mode.as_ref().map(ToString::to_string),
        ipc_mode: ipc_mode.as_ref().map(ToString::to_string),
        proxy_configuration: proxy_configuration.as_ref().map(proxy),
        launch_type: Some(task.launch_type.as_str().into()),
        network_mode: Some(network_mode.as_ref().unwrap_or(&NetworkMode::Bridge).to_string()),
        service_name: task.service().map(Into::into),
        group: Some(task.group.as_ref().into()),
        enable_fault_injection: enable_fault_injection.unwrap_or(false),
        zone: Some(format!("{}a", cluster.scope.region)),
        ..identity(task, cluster)
    }
}

/// The task to stop: its identity is all that a node needs.
pub fn to_stop(task: &TaskRecord, cluster: &ClusterRecord) -> agent::Task {
    agent::Task { desired_status: agent::DesiredStatus::Stopped, ..identity(task, cluster) }
}

fn identity(task: &TaskRecord, cluster: &ClusterRecord) -> agent::Task {
    agent::Task {
        arn: arn::task(&cluster.scope, &cluster.name, task.id),
        task_cluster_arn: Some(cluster.arn()),
        ..agent::Task::default()
    }
}

fn proxy(proxy: &shapes::ProxyConfiguration) -> agent::ProxyConfiguration {
    let shapes::ProxyConfiguration { r#type, container_name, properties } = proxy;
    agent::ProxyConfiguration {
        kind: r#type.as_ref().unwrap_or(&shapes::ProxyConfigurationType::Appmesh).to_string(),
        container_name: container_name.clone().unwrap_or_default(),
        properties: properties.iter().flatten().map(container::pair).collect(),
    }
}

/// What the containers of one task have in common.
struct Run<'a> {
    task: &'a TaskRecord,
    cluster: &'a ClusterRecord,
    definition: &'a TaskDefinition,
}

impl Run<'_> {
    fn scope(&self) -> &Scope {
        &self.cluster.scope
    }

    /// `bridge` when the definition gives none.
    fn network_mode(&self) -> &NetworkMode {
        self.definition.network_mode.as_ref().unwrap_or(&NetworkMode::Bridge)
    }

    /// Whether the node acts as an execution role for the task.
    fn has_execution_role(&self) -> bool {
        let given = |arn: &Option<String>| arn.as_deref().is_some_and(|arn| !arn.is_empty());
        let overrides = self.task.overrides.as_deref();
        given(&self.definition.execution_role_arn)
            || overrides.is_some_and(|overrides| given(&overrides.execution_role_arn))
    }

    fn task_memory(&self) -> Option<u32> {
        task_memory(self.definition, self.task.overrides.as_deref())
    }
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("these shapes hold strings, numbers, lists and maps with string keys only")
}
