//! RunTask: up to ten tasks of one definition, placed and recorded in one transaction.
//!
//! It never waits for an image or a container. Partial success is normal: what could not be placed stands in `failures`.
//! A repeated client token answers the original result. Source: RunTask of the ECS API reference.

use std::sync::Arc;

use longshore_domain::cluster::{self, ClusterRecord};
use longshore_domain::task::{LaunchType, TaskRecord, run};
use longshore_domain::task_definition::record::{TaskDefinitionRecord, TaskDefinitionStatus};
use longshore_domain::task_definition::reference::{task_definition_inactive, task_definition_not_found};
use longshore_domain::task_definition::{TaskDefinitionReference, run_rules};
use longshore_domain::{Refusal, Scope};
use longshore_ecs_wire::operations::{RunTaskRequest, RunTaskResponse};
use longshore_ecs_wire::shapes::Failure;
use longshore_store::{ClusterState, Record, State, Tx, Write};
use serde::{Deserialize, Serialize};

use super::capacity::{self, Capacity};
use super::new_task::NewTask;
use super::{client_token, place, render};
use crate::{Api, Caller, resolve, shape_rules};

/// RunTask as data for the store. What the request alone tells has been checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunTask {
    /// The request.
    pub request: RunTaskRequest,
    /// Whether privileged containers and host paths are allowed.
    pub allow_privileged: bool,
    /// Digest of the request, if it has a client token.
    pub digest: Option<String>,
}

/// Runs tasks.
///
/// # Errors
/// Parameters, cluster, definition, a token used otherwise, a cluster without container instances.
pub async fn run_task(api: &Api, caller: &Caller, input: RunTaskRequest) -> Result<RunTaskResponse, Refusal> {
    // There is one writer: it is left only what needs the state.
    check(&input)?;
    let name = cluster::name_from(&caller.scope, input.cluster.as_deref())?;
    let digest = input.client_token.as_ref().map(|_| client_token::digest(name, &input));
    let input = RunTask { request: input, allow_privileged: api.allow_privileged, digest };
    match api.update(caller, input, decide).await? {
        Outcome::Repeated(response) => Ok(response),
        Outcome::Ran(ran) => Ok(ran.response(&api.view())),
    }
}

/// What the request alone tells.
fn check(request: &RunTaskRequest) -> Result<(), Refusal> {
    run::check(request)?;
    shape_rules::check(request)?;
    run::count(request)?;
    run::launch_type(request).map(drop)
}

/// What became of a request.
enum Outcome {
    /// Its token was used before.
    Repeated(RunTaskResponse),
    /// Tasks were started, or not.
    Ran(Ran),
}

/// What was started.
struct Ran {
    cluster: Arc<ClusterRecord>,
    tasks: Vec<Arc<TaskRecord>>,
    failures: Vec<Failure>,
}

impl Ran {
    /// The answer, with what never changes taken from a later state.
    fn response(self, state: &State) -> RunTaskResponse {
        let cluster = state.cluster_by_incarnation(self.cluster.incarnation).cloned();
        let cluster = cluster.unwrap_or_else(|| Arc::new(ClusterState::new(self.cluster)));
        let tasks = self.tasks.iter().map(|task| render::task(state, &cluster, task, true)).collect();
        RunTaskResponse { tasks: Some(tasks), failures: Some(self.failures) }
    }
}

/// What a request comes to before placement.
struct Wanted {
    definition: Arc<TaskDefinitionRecord>,
    /// What each task runs on.
    each: Vec<Capacity>,
}

fn decide(tx: &mut Tx<'_>, write: &Write<RunTask>) -> Result<Outcome, Refusal> {
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
    let (count, asked) = (run::count(request)?, run::launch_type(request)?);
    let cluster = resolve::active_cluster(tx.state(), &write.scope, cluster.as_deref())?;
    let token = client_token.as_deref().zip(write.input.digest.as_deref());
    if let Some((token, digest)) = token
        && let Some(replay) = client_token::replay(tx.state(), &cluster, token, digest, write.at)?
    {
        return Ok(Outcome::Repeated(replay));
    }
    let wanted = wanted(tx.state(), write, &cluster, count, asked)?;
    let record = ClusterRecord::clone(&cluster.record);
    // Whoever holds the old cluster makes the transaction copy what it changes of it.
    drop(cluster);
    start(tx, write, record, &wanted, token).map(Outcome::Ran)
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
    mut cluster: ClusterRecord,
    wanted: &Wanted,
    token: Option<(&str, &str)>,
) -> Result<Ran, Refusal> {
    let mut ids = write.ids();
    if cluster.incarnation == 0 {
        cluster.incarnation = tx.version();
        cluster.created_at = write.at;
        tx.put(cluster.clone());
    }
    let first = cluster.next_sequence;
    let resources =
        run_rules::required_resources(&wanted.definition.definition, write.input.request.overrides.as_ref());
    let (mut tasks, mut failures) = (Vec::new(), Vec::new());
    for capacity in &wanted.each {
        match place::place(tx, write, cluster.incarnation, capacity.launch_type, &resources, &mut ids)? {
            Ok(place) => {
                let (request, definition) = (&write.input.request, &*wanted.definition);
                let new = NewTask { cluster: &cluster, request, definition, capacity, place, resources: &resources };
                let task = Arc::new(new.record(ids.next_id(), write.at)?);
                cluster.next_sequence += 1;
                tx.put(Record::Task(Arc::clone(&task)));
                tasks.push(task);
            }
            Err(reasons) => failures.extend(reasons),
        }
    }
    if cluster.next_sequence != first {
        tx.put(cluster.clone());
    }
    #[cfg(feature = "planted-bugs")]
    let token = token.filter(|_| !longshore_store::planted::has(longshore_store::planted::Bug::TokenRecordMissing));
    if let Some((token, digest)) = token {
        let ids = tasks.iter().map(|task| task.id).collect();
        tx.put(client_token::record(cluster.incarnation, token, digest, write.at, ids, failures.clone()));
    }
    Ok(Ran { cluster: Arc::new(cluster), tasks, failures })
}
