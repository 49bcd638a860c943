//! RunTask: up to ten tasks of one definition, placed and recorded in one transaction.
//!
//! It never waits for an image or a container. Partial success is normal: what could not be placed stands in `failures`.
//! A repeated client token answers the original result. Source: RunTask of the ECS API reference.

use std::sync::Arc;

use longshore_domain::task::{LaunchType, run};
use longshore_domain::task_definition::record::{TaskDefinitionRecord, TaskDefinitionStatus};
use longshore_domain::task_definition::reference::{task_definition_inactive, task_definition_not_found};
use longshore_domain::task_definition::{TaskDefinitionReference, run_rules};
use longshore_domain::{Refusal, Scope, cluster};
use longshore_ecs_wire::operations::{RunTaskRequest, RunTaskResponse};
use longshore_store::{ClusterState, State, Tx, Write};
use serde::{Deserialize, Serialize};

use super::capacity::{self, Capacity};
use super::new_task::NewTask;
use super::{client_token, place, render};
use crate::{Api, Caller, resolve, shape_rules};

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
    /// What each task runs on.
    each: Vec<Capacity>,
}

fn decide(tx: &mut Tx<'_>, write: &Write<RunTask>) -> Result<RunTaskResponse, Refusal> {
    let RunTaskRequest {
        capacity_provider_strategy: _, // See `capacity::of_each`.
        cluster,
        count: _,                   // See `run::count`.
        enable_ecs_managed_tags: _, // See `NewTask`.
        enable_execute_command: _,  // Not built: refused before.
        group: _,                   // See `run::check`, `NewTask`.
        launch_type: _,             // See `run::launch_type`.
        network_configuration: _,   // See `wanted`, `NewTask`.
        overrides: _,               // See `wanted`, `NewTask`.
        placement_constraints: _,   // Not built: refused before.
        placement_strategy: _,      // Not built: refused before.
        platform_version: _,        // See `run::platform_version`.
        propagate_tags: _,          // See `run::check`, `NewTask`.
        reference_id: _,            // Recorded nowhere by ECS either.
        started_by: _,              // See `run::check`, `NewTask`.
        tags: _,                    // See `run::check`, `NewTask`.
        task_definition: _,         // See `definition`.
        client_token,
        volume_configurations: _, // Not built: refused before.
    } = &write.input.request;
    let request = &write.input.request;
    run::check(request)?;
    shape_rules::check(request)?;
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
    let each = capacity::of_each(cluster, request, count, asked)?;
    let contents = &definition.definition;
    if let Some(overrides) = &request.overrides {
        run_rules::check_overrides(contents, overrides)?;
    }
    run_rules::check_network_configuration(contents, request.network_configuration.as_ref())?;
    for capacity in &each {
        run_rules::check_launch_type(contents, &capacity.launch_type.as_str().into())?;
        run::platform_version(request, capacity.launch_type)?;
    }
    if each.iter().any(|capacity| capacity.launch_type == LaunchType::Fargate) {
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
    for capacity in &wanted.each {
        match place::place(tx, write, record.incarnation, capacity.launch_type, &resources, &mut ids)? {
            Ok(place) => {
                let (request, definition) = (&write.input.request, &*wanted.definition);
                let new = NewTask { cluster: &record, request, definition, capacity, place, resources: &resources };
                let task = new.record(ids.next_id(), write.at)?;
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
