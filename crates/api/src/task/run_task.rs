//! RunTask: up to ten tasks of one definition, placed and recorded in one transaction.
//!
//! It never waits for an image or a container. Partial success is normal: what could not be placed stands in `failures`.
//! A repeated client token answers the original result. Source: RunTask of the ECS API reference.

use std::sync::Arc;

use longshore_domain::task::tags::of_new_task;
use longshore_domain::task::{ContainerRecord, DesiredStatus, LaunchType, TaskRecord, TaskStatus, capacity, run};
use longshore_domain::task_definition::record::{TaskDefinitionRecord, TaskDefinitionStatus};
use longshore_domain::task_definition::reference::{task_definition_inactive, task_definition_not_found};
use longshore_domain::task_definition::{TaskDefinitionReference, run_rules};
use longshore_domain::{IdSource, Refusal, Scope, cluster};
use longshore_ecs_wire::operations::{RunTaskRequest, RunTaskResponse};
use longshore_ecs_wire::shapes::{CapacityProviderStrategyItem, NetworkMode, PropagateTags};
use longshore_store::{ClusterState, State, Tx, Write};
use serde::{Deserialize, Serialize};

use super::{client_token, place, render};
use crate::{Api, Caller, resolve};

/// RunTask as data for the store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunTask {
    /// The request.
    pub request: RunTaskRequest,
    /// Whether privileged containers and host paths are allowed.
    pub allow_privileged: bool,
}

/// Runs tasks.
///
/// # Errors
/// Parameters, cluster, definition, a token used otherwise, a cluster without container instances.
pub async fn run_task(api: &Api, caller: &Caller, input: RunTaskRequest) -> Result<RunTaskResponse, Refusal> {
    let input = RunTask { request: input, allow_privileged: api.allow_privileged };
    api.update(caller, input, decide).await
}

/// What a request comes to before placement.
struct Wanted {
    definition: Arc<TaskDefinitionRecord>,
    /// Launch type and capacity provider of each task.
    each: Vec<(LaunchType, Option<Arc<str>>)>,
}

fn decide(tx: &mut Tx<'_>, write: &Write<RunTask>) -> Result<RunTaskResponse, Refusal> {
    let RunTaskRequest {
        capacity_provider_strategy: _, // See `each_capacity`.
        cluster,
        count: _,                   // See `run::count`.
        enable_ecs_managed_tags: _, // See `new_task`.
        enable_execute_command: _,  // Not built: refused before.
        group: _,                   // See `run::check`, `new_task`.
        launch_type: _,             // See `run::launch_type`.
        network_configuration: _,   // See `wanted`, `new_task`.
        overrides: _,               // See `wanted`, `new_task`.
        placement_constraints: _,   // Not built: refused before.
        placement_strategy: _,      // Not built: refused before.
        platform_version: _,        // See `run::platform_version`.
        propagate_tags: _,          // See `run::check`, `new_task`.
        reference_id: _,            // Recorded nowhere by ECS either.
        started_by: _,              // See `run::check`, `new_task`.
        tags: _,                    // See `run::check`, `new_task`.
        task_definition: _,         // See `definition`.
        client_token,
        volume_configurations: _, // Not built: refused before.
    } = &write.input.request;
    let request = &write.input.request;
    run::check(request)?;
    let count = run::count(request)?;
    let asked = run::launch_type(request)?;
    let cluster = resolve::active_cluster(tx.state(), &write.scope, cluster.as_deref())?;
    let digest = client_token.as_ref().map(|_| client_token::digest(&cluster, request));
    if let (Some(token), Some(digest)) = (client_token, &digest)
        && let Some(replay) = client_token::replay(tx.state(), &cluster, token, digest, write.at)?
    {
        return Ok(replay);
    }
    let wanted = wanted(tx.state(), write, &cluster, count, asked)?;
    start(tx, write, cluster, &wanted, client_token.as_deref().zip(digest))
}

fn wanted(
    state: &State,
    write: &Write<RunTask>,
    cluster: &ClusterState,
    count: usize,
    asked: Option<LaunchType>,
) -> Result<Wanted, Refusal> {
    let request = &write.input.request;
    let definition = definition(state, &write.scope, request.task_definition.as_deref().unwrap_or_default())?;
    let each = each_capacity(cluster, request, count, asked)?;
    let contents = &definition.definition;
    if let Some(overrides) = &request.overrides {
        run_rules::check_overrides(contents, overrides)?;
    }
    run_rules::check_network_configuration(contents, request.network_configuration.as_ref())?;
    for (launch_type, _) in &each {
        run_rules::check_launch_type(contents, &launch_type.as_str().into())?;
        run::platform_version(request, *launch_type)?;
    }
    if each.iter().any(|(launch_type, _)| *launch_type == LaunchType::Fargate) {
        run_rules::check_fargate_size(contents, request.overrides.as_ref())?;
    }
    if !write.input.allow_privileged {
        run_rules::check_unprivileged(contents)?;
    }
    Ok(Wanted { definition, each })
}

/// The revision that `text` means; a family alone is its latest ACTIVE revision.
fn definition(state: &State, scope: &Scope, text: &str) -> Result<Arc<TaskDefinitionRecord>, Refusal> {
    let reference =
        TaskDefinitionReference::parse(text, scope).map_err(|error| error.into_refusal(task_definition_not_found()))?;
    let active = |definition: &&Arc<TaskDefinitionRecord>| definition.status == TaskDefinitionStatus::Active;
    match reference.revision {
        None => {
            state.revisions(scope, &reference.family).rev().find(active).cloned().ok_or_else(task_definition_not_found)
        }
        Some(revision) => {
            let found =
                state.task_definition(scope, &reference.family, revision).ok_or_else(task_definition_not_found)?;
            if active(&found) { Ok(Arc::clone(found)) } else { Err(task_definition_inactive()) }
        }
    }
}

/// Launch type and capacity provider of each task: what is asked for, else the cluster's default strategy, else EC2.
fn each_capacity(
    cluster: &ClusterState,
    request: &RunTaskRequest,
    count: usize,
    asked: Option<LaunchType>,
) -> Result<Vec<(LaunchType, Option<Arc<str>>)>, Refusal> {
    let given = request.capacity_provider_strategy.as_deref().unwrap_or_default();
    if let Some(launch_type) = asked {
        return Ok(vec![(launch_type, None); count]);
    }
    let strategy = if given.is_empty() { &cluster.record.default_capacity_provider_strategy } else { given };
    if strategy.is_empty() {
        return Ok(vec![(LaunchType::Ec2, None); count]);
    }
    check_strategy(cluster, strategy)?;
    let names = capacity::spread(strategy, count);
    if names.len() < count {
        return Err(Refusal::invalid_parameter(
            "The specified capacity provider strategy must have at least one capacity provider with a weight greater than 0.",
        ));
    }
    Ok(names.into_iter().map(|name| (LaunchType::Fargate, Some(name.into()))).collect())
}

/// Until capacity providers of one's own come, a cluster can only be associated with FARGATE and FARGATE_SPOT.
fn check_strategy(cluster: &ClusterState, strategy: &[CapacityProviderStrategyItem]) -> Result<(), Refusal> {
    let associated = |item: &CapacityProviderStrategyItem| {
        let name = item.capacity_provider.as_deref().unwrap_or_default();
        cluster.record.capacity_providers.iter().any(|provider| provider == name)
    };
    if strategy.iter().all(associated) {
        return Ok(());
    }
    Err(Refusal::invalid_parameter(
        "The specified capacity provider strategy cannot contain a capacity provider that is not associated with the \
         cluster. Associate the capacity provider with the cluster or specify a valid capacity provider and try again.",
    ))
}

/// Places and records the tasks, the token, and whatever the cluster needs for them.
fn start(
    tx: &mut Tx<'_>,
    write: &Write<RunTask>,
    cluster: Arc<ClusterState>,
    wanted: &Wanted,
    token: Option<(&str, String)>,
) -> Result<RunTaskResponse, Refusal> {
    let mut ids = write.ids();
    let mut record = cluster::ClusterRecord::clone(&cluster.record);
    if record.incarnation == 0 {
        record.incarnation = tx.version();
        record.created_at = write.at;
        tx.put(record.clone());
    }
    let resources =
        run_rules::required_resources(&wanted.definition.definition, write.input.request.overrides.as_ref());
    let (mut started, mut failures) = (Vec::new(), Vec::new());
    for (launch_type, provider) in &wanted.each {
        match place::place(tx, write, record.incarnation, *launch_type, &resources, &mut ids)? {
            Ok(placed) => {
                let mut task = new_task(write, &record, wanted, *launch_type, &mut ids)?;
                task.capacity_provider = provider.clone();
                task.resources = resources.clone();
                task.node = Some(placed.node);
                task.container_instance = placed.container_instance;
                record.next_sequence += 1;
                tx.put(task.clone());
                started.push(task);
            }
            Err(reasons) => failures.extend(reasons),
        }
    }
    if record.next_sequence != cluster.record.next_sequence {
        tx.put(record.clone());
    }
    if let Some((token, digest)) = token {
        let tasks = started.iter().map(|task| task.id).collect();
        tx.put(client_token::record(record.incarnation, token, digest, write.at, tasks, failures.clone()));
    }
    let state = tx.state();
    let cluster = state.cluster_by_incarnation(record.incarnation).cloned().unwrap_or(cluster);
    let tasks = started.iter().map(|task| render::task(state, &cluster, task, true)).collect();
    Ok(RunTaskResponse { tasks: Some(tasks), failures: Some(failures) })
}

/// A task as it is accepted; where it runs is filled in by the caller.
fn new_task(
    write: &Write<RunTask>,
    cluster: &cluster::ClusterRecord,
    wanted: &Wanted,
    launch_type: LaunchType,
    ids: &mut IdSource,
) -> Result<TaskRecord, Refusal> {
    let request = &write.input.request;
    let definition = &wanted.definition;
    let awsvpc = definition.definition.network_mode == Some(NetworkMode::Awsvpc);
    let prepared = launch_type == LaunchType::Fargate || awsvpc;
    let propagated =
        if request.propagate_tags == Some(PropagateTags::TaskDefinition) { &definition.tags[..] } else { &[] };
    let managed = request.enable_ecs_managed_tags.unwrap_or(false).then_some(&*cluster.name);
    let group = request.group.as_deref().filter(|group| !group.is_empty());
    Ok(TaskRecord {
        cluster: cluster.incarnation,
        id: ids.next_id(),
        sequence: cluster.next_sequence,
        family: Arc::clone(&definition.family),
        revision: definition.revision,
        group: group.map_or_else(|| format!("family:{}", definition.family).into(), Into::into),
        started_by: request.started_by.as_deref().filter(|text| !text.is_empty()).map(Into::into),
        launch_type,
        capacity_provider: None,
        node: None,
        container_instance: None,
        resources: longshore_domain::Resources::default(),
        desired_status: DesiredStatus::Running,
        last_status: if prepared { TaskStatus::Provisioning } else { TaskStatus::Pending },
        version: 1,
        created_at: write.at,
        connectivity_at: (!prepared).then_some(write.at),
        pull_started_at: None,
        pull_stopped_at: None,
        started_at: None,
        stopping_at: None,
        execution_stopped_at: None,
        stopped_at: None,
        stop_code: None,
        stopped_reason: None,
        containers: vec![ContainerRecord::default(); definition.container_names().len()],
        overrides: request.overrides.clone().map(Arc::new),
        network_configuration: request.network_configuration.clone().map(Arc::new),
        platform_version: run::platform_version(request, launch_type)?.map(Into::into),
        enable_execute_command: false,
        tags: of_new_task(request.tags.as_deref().unwrap_or_default(), propagated, managed),
    })
}
