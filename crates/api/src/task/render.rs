//! A stored task as DescribeTasks, RunTask and StopTask show it.

use longshore_domain::arn;
use longshore_domain::task::{ContainerRecord, LaunchType, TaskRecord, TaskStatus};
use longshore_domain::task_definition::record::TaskDefinitionRecord;
use longshore_domain::task_definition::run_rules::{effective_containers, recorded_override};
use longshore_ecs_wire::shapes::{
    Attribute, Connectivity, Container, ContainerDefinition, EphemeralStorage, HealthStatus, Task,
    TaskEphemeralStorage, TaskStopCode,
};
use longshore_store::{ClusterState, State};

/// The attribute that a task shows of its machine.
const ARCHITECTURE: &str = "ecs.cpu-architecture";
/// What Fargate gives when a definition asks for nothing.
const FARGATE_STORAGE_GIB: i32 = 20;

/// The task as the API shows it; tags only if asked for.
pub fn task(state: &State, cluster: &ClusterState, task: &TaskRecord, with_tags: bool) -> Task {
    let scope = &cluster.record.scope;
    let name = &*cluster.record.name;
    let task_arn = arn::task(scope, name, task.id);
    let definition = state.definition_of(task);
    let fargate = task.launch_type == LaunchType::Fargate;
    let fargate_storage = fargate.then(|| storage(task, definition.map(|definition| &**definition)));
    let stop_code = task.stop_code.map(|code| TaskStopCode::from(code.as_str()));
    Task {
        attachments: Some(vec![]),
        attributes: Some(attributes(state, task)),
        availability_zone: task.node.map(|_| scope.availability_zone()),
        capacity_provider_name: task.capacity_provider.as_deref().map(Into::into),
        cluster_arn: Some(cluster.record.arn()),
        connectivity: task.connectivity_at.map(|_| Connectivity::Connected),
        connectivity_at: task.connectivity_at,
        container_instance_arn: task.container_instance.map(|id| arn::container_instance(scope, name, id)),
        containers: Some(
            definition.map_or_else(Vec::new, |definition| containers(cluster, task, definition, &task_arn)),
        ),
        cpu: Some(task.resources.cpu.to_string()),
        created_at: Some(task.created_at),
        desired_status: Some(task.desired_status.as_str().into()),
        enable_execute_command: Some(task.enable_execute_command),
        execution_stopped_at: task.execution_stopped_at,
        group: Some(task.group.as_ref().into()),
        health_status: Some(HealthStatus::UnknownValue),
        inference_accelerators: None,
        last_status: Some(task.last_status.as_str().into()),
        launch_type: Some(task.launch_type.as_str().into()),
        memory: Some(task.resources.memory.to_string()),
        overrides: definition.map(|definition| recorded_override(&definition.definition, task.overrides.as_deref())),
        platform_version: task.platform_version.as_deref().map(Into::into),
        platform_family: fargate.then(|| "Linux".into()),
        pull_started_at: task.pull_started_at,
        pull_stopped_at: task.pull_stopped_at,
        started_at: task.started_at,
        started_by: task.started_by.as_deref().map(Into::into),
        stop_code,
        stopped_at: task.stopped_at,
        stopped_reason: task.stopped_reason.as_deref().map(Into::into),
        stopping_at: task.stopping_at,
        tags: Some(if with_tags { task.tags.clone() } else { vec![] }),
        task_arn: Some(task_arn),
        task_definition_arn: Some(arn::task_definition(scope, &task.family, task.revision)),
        version: i64::try_from(task.version).ok(),
        ephemeral_storage: fargate_storage.clone(),
        fargate_ephemeral_storage: fargate_storage
            .map(|storage| TaskEphemeralStorage { size_in_gi_b: storage.size_in_gi_b, kms_key_id: None }),
        ..Task::default()
    }
}

/// A task that a replayed token names and that has stopped: its identity and statuses only.
pub fn stopped_replay(cluster: &ClusterState, task: &TaskRecord) -> Task {
    Task {
        task_arn: Some(arn::task(&cluster.record.scope, &cluster.record.name, task.id)),
        last_status: Some(task.last_status.as_str().into()),
        desired_status: Some(task.desired_status.as_str().into()),
        ..Task::default()
    }
}

fn attributes(state: &State, task: &TaskRecord) -> Vec<Attribute> {
    let node = task.node.and_then(|node| state.node(node));
    let architecture = node.and_then(|node| node.record.attribute(ARCHITECTURE));
    let attribute =
        |value: &str| Attribute { name: Some(ARCHITECTURE.into()), value: Some(value.into()), ..Attribute::default() };
    architecture.map(attribute).into_iter().collect()
}

/// What the override asks for, else the definition, else what Fargate gives.
fn storage(task: &TaskRecord, definition: Option<&TaskDefinitionRecord>) -> EphemeralStorage {
    let overridden = task.overrides.as_ref().and_then(|overrides| overrides.ephemeral_storage.clone());
    let defined = || definition.and_then(|definition| definition.definition.ephemeral_storage.clone());
    overridden.or_else(defined).unwrap_or(EphemeralStorage { size_in_gi_b: Some(FARGATE_STORAGE_GIB) })
}

fn containers(
    cluster: &ClusterState,
    task: &TaskRecord,
    definition: &TaskDefinitionRecord,
    task_arn: &str,
) -> Vec<Container> {
    // With capacity still to be found there is nothing to show of containers.
    if task.node.is_none() && task.last_status == TaskStatus::Provisioning {
        return vec![];
    }
    let effective = effective_containers(&definition.definition, task.overrides.as_deref());
    let shown = effective.iter().zip(&task.containers);
    shown.map(|(definition, record)| container(cluster, task, definition, record, task_arn)).collect()
}

fn container(
    cluster: &ClusterState,
    task: &TaskRecord,
    definition: &ContainerDefinition,
    record: &ContainerRecord,
    task_arn: &str,
) -> Container {
    let name = definition.name.as_deref().unwrap_or_default();
    Container {
        container_arn: Some(arn::container(&cluster.record.scope, &cluster.record.name, task.id, name)),
        task_arn: Some(task_arn.into()),
        name: Some(name.into()),
        image: definition.image.clone(),
        image_digest: record.image_digest.as_deref().map(Into::into),
        runtime_id: record.runtime_id.as_deref().map(Into::into),
        last_status: Some(record.last_status.as_str().into()),
        exit_code: record.exit_code,
        reason: record.reason.as_deref().map(Into::into),
        network_bindings: Some(record.network_bindings.clone()),
        network_interfaces: Some(vec![]),
        health_status: Some(HealthStatus::UnknownValue),
        managed_agents: None,
        cpu: Some(definition.cpu.unwrap_or(0).to_string()),
        memory: definition.memory.map(|memory| memory.to_string()),
        memory_reservation: definition.memory_reservation.map(|memory| memory.to_string()),
        ..Container::default()
    }
}
