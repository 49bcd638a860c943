//! Reconciliation: what the node should run, and which of its other tasks may really be stopped.

use longshore_domain::arn::{self, EcsArn};
use longshore_domain::task::{DesiredStatus, TaskRecord, TaskStatus};
use longshore_domain::{EcsId, Scope};
use longshore_ecs_wire::agent::{self, TaskIdentifier};
use longshore_store::State;

/// Every task that is wanted RUNNING on the node.
pub(super) fn wanted(state: &State, node: EcsId) -> Vec<TaskIdentifier> {
    let keys = state.node(node).into_iter().flat_map(|node| node.tasks.iter());
    let tasks = keys.filter_map(|key| Some((state.task(*key)?, state.cluster_by_incarnation(key.cluster)?)));
    let running = tasks.filter(|(task, _)| is_wanted(task, node));
    running
        .map(|(task, cluster)| TaskIdentifier {
            task_arn: arn::task(&cluster.record.scope, &cluster.record.name, task.id),
            task_cluster_arn: cluster.record.arn(),
            desired_status: agent::DesiredStatus::Running,
        })
        .collect()
}

/// Those of the candidates that are not wanted RUNNING on the node, unknown ones among them.
pub(super) fn confirmed(state: &State, node: EcsId, candidates: Vec<TaskIdentifier>) -> Vec<TaskIdentifier> {
    let unwanted =
        |candidate: &TaskIdentifier| !find(state, &candidate.task_arn).is_some_and(|task| is_wanted(task, node));
    let stopped = |candidate| TaskIdentifier { desired_status: agent::DesiredStatus::Stopped, ..candidate };
    candidates.into_iter().filter(unwanted).map(stopped).collect()
}

fn is_wanted(task: &TaskRecord, node: EcsId) -> bool {
    task.node == Some(node) && task.desired_status == DesiredStatus::Running && task.last_status != TaskStatus::Stopped
}

/// The task that an ARN names; of any scope, since one node serves them all.
fn find<'a>(state: &'a State, task_arn: &str) -> Option<&'a std::sync::Arc<TaskRecord>> {
    let arn = EcsArn::parse(task_arn).filter(|arn| arn.resource_type == "task")?;
    let (name, id) = arn.resource.split_once('/')?;
    let scope = Scope::new(arn.account, arn.region);
    let incarnation = state.cluster(&scope, name)?.record.incarnation;
    state.cluster_by_incarnation(incarnation)?.task(id.parse().ok()?)
}
