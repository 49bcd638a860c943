//! Reconciliation: what the node should run, and which of its other tasks may really be stopped.
//!
//! A task that the store does not know at all, as after the restore of an older backup, is not confirmed: the node keeps
//! what runs of it for a grace of its own.

use longshore_domain::arn::{self, EcsArn};
use longshore_domain::task::{DesiredStatus, TaskKey, TaskStatus};
use longshore_domain::{EcsId, Scope};
use longshore_ecs_wire::agent::{self, TaskIdentifier};
use longshore_store::State;

/// Every task that is wanted RUNNING on the node.
pub(super) fn wanted(state: &State, node: EcsId) -> Vec<TaskIdentifier> {
    let running = state.tasks_on(node).filter(|key| is_wanted(state, *key, node));
    let tasks = running.filter_map(|key| Some((key.id, state.cluster_by_incarnation(key.cluster)?)));
    tasks
        .map(|(id, cluster)| TaskIdentifier {
            task_arn: arn::task(&cluster.record.scope, &cluster.record.name, id),
            task_cluster_arn: cluster.record.arn(),
            desired_status: agent::DesiredStatus::Running,
        })
        .collect()
}

/// Those of the candidates that are known and not wanted RUNNING on the node.
pub(super) fn confirmed(state: &State, node: EcsId, candidates: Vec<TaskIdentifier>) -> Vec<TaskIdentifier> {
    let unwanted =
        |candidate: &TaskIdentifier| find(state, &candidate.task_arn).is_some_and(|key| !is_wanted(state, key, node));
    let stopped = |candidate| TaskIdentifier { desired_status: agent::DesiredStatus::Stopped, ..candidate };
    candidates.into_iter().filter(unwanted).map(stopped).collect()
}

fn is_wanted(state: &State, key: TaskKey, node: EcsId) -> bool {
    state.task_life(key).is_some_and(|task| {
        task.node == Some(node)
            && task.desired_status == DesiredStatus::Running
            && task.last_status != TaskStatus::Stopped
    })
}

/// The stored task that an ARN names; of any scope, since one node serves them all.
fn find(state: &State, task_arn: &str) -> Option<TaskKey> {
    let arn = EcsArn::parse(task_arn).filter(|arn| arn.resource_type == "task")?;
    let (name, id) = arn.resource.split_once('/')?;
    let scope = Scope::new(arn.account, arn.region);
    let cluster = state.cluster(&scope, name)?.record.incarnation;
    let key = TaskKey { cluster, id: id.parse().ok()? };
    state.task_life(key).map(|_| key)
}
