//! DescribeTasks: up to 100 tasks of one cluster.
//!
//! What is not there is a failure MISSING, never an error; an identifier of another cluster or a malformed one refuses
//! the whole call.

use longshore_domain::Refusal;
use longshore_domain::arn::{self, InCluster};
use longshore_ecs_wire::operations::{DescribeTasksRequest, DescribeTasksResponse, TaskField};
use longshore_ecs_wire::shapes::Failure;
use longshore_store::State;

use super::render;
use crate::{Api, Caller, resolve};

const MOST: usize = 100;

/// Describes tasks.
///
/// # Errors
/// None or too many identifiers, a bad one, the cluster.
pub fn describe_tasks(
    api: &Api,
    caller: &Caller,
    input: &DescribeTasksRequest,
) -> Result<DescribeTasksResponse, Refusal> {
    describe(&api.view(), caller, input)
}

fn describe(state: &State, caller: &Caller, input: &DescribeTasksRequest) -> Result<DescribeTasksResponse, Refusal> {
    let DescribeTasksRequest { cluster, tasks, include } = input;
    let identifiers = tasks.as_deref().unwrap_or_default();
    if identifiers.is_empty() {
        return Err(Refusal::invalid_parameter("Tasks cannot be empty."));
    }
    if identifiers.len() > MOST {
        return Err(Refusal::invalid_parameter("taskIds can have at most 100 items."));
    }
    let with_tags = wants_tags(include.as_deref().unwrap_or_default())?;
    let cluster = resolve::any_cluster(state, &caller.scope, cluster.as_deref())?;
    let name = &*cluster.record.name;
    let mut ids = Vec::with_capacity(identifiers.len());
    for identifier in identifiers {
        let id = arn::id_inside_cluster(InCluster::Task, &caller.scope, name, identifier)?;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for id in ids {
        match cluster.task(id) {
            Some(task) => found.push(render::task(state, &cluster, &task, with_tags)),
            None => failures.push(Failure {
                arn: Some(arn::task(&caller.scope, name, id)),
                reason: Some("MISSING".into()),
                detail: None,
            }),
        }
    }
    Ok(DescribeTasksResponse { tasks: Some(found), failures: Some(failures) })
}

fn wants_tags(include: &[TaskField]) -> Result<bool, Refusal> {
    match include.iter().find(|field| matches!(field, TaskField::Unknown(_))) {
        Some(_) => Err(Refusal::invalid_parameter("include should be one of [TAGS]")),
        None => Ok(include.contains(&TaskField::Tags)),
    }
}
