//! The resource that a full ARN names, as the tag operations see it.
//!
//! Clusters, task definitions, tasks and container instances have tags; other resources do not exist yet. Names and
//! short ARNs are refused. Stopped tasks, INACTIVE clusters and INACTIVE container instances have no tags any more.

use std::sync::Arc;

use longshore_domain::arn::EcsArn;
use longshore_domain::cluster::ClusterRecord;
use longshore_domain::container_instance::{ContainerInstanceRecord, ContainerInstanceStatus};
use longshore_domain::task::{TaskRecord, TaskStatus};
use longshore_domain::task_definition::{TaskDefinitionRecord, TaskDefinitionReference};
use longshore_domain::{EcsId, ErrorClass, Refusal, Scope, Timestamp, cluster};
use longshore_ecs_wire::shapes::Tag;
use longshore_store::{ClusterState, State, Tx};

use crate::cluster::stored::stored;

/// A resource that may be tagged.
pub enum Resource {
    /// An ACTIVE cluster; also the virtual `default`.
    Cluster(Arc<ClusterRecord>),
    /// A revision of whatever status.
    TaskDefinition(Arc<TaskDefinitionRecord>),
    /// A task that is not STOPPED.
    Task(Arc<TaskRecord>),
    /// An instance that is not INACTIVE.
    ContainerInstance(Arc<ContainerInstanceRecord>),
}

impl Resource {
    /// Finds what an ARN names.
    ///
    /// # Errors
    /// InvalidParameterException for what is no full ARN of this scope or no longer has tags;
    /// ClusterNotFoundException; ResourceNotFoundException.
    pub fn find(state: &State, scope: &Scope, text: &str) -> Result<Self, Refusal> {
        let arn = EcsArn::parse(text).filter(|arn| arn.is_of(scope)).ok_or_else(invalid_arn)?;
        match arn.resource_type {
            "cluster" => {
                cluster::validate_name(arn.resource).map_err(|_| invalid_arn())?;
                Ok(Self::Cluster(Arc::clone(&active(state, scope, arn.resource)?.record)))
            }
            "task-definition" => Self::task_definition(state, scope, text),
            "task" => {
                let (cluster, id) = in_cluster(state, scope, arn.resource)?;
                let id: EcsId = id.parse().map_err(|_| invalid_arn())?;
                let task = cluster.task(id).ok_or_else(|| not_found("task"))?;
                if task.last_status == TaskStatus::Stopped {
                    return Err(Refusal::invalid_parameter(
                        "The specified task is stopped. Specify a running task and try again.",
                    ));
                }
                Ok(Self::Task(Arc::new(task)))
            }
            "container-instance" => {
                let (cluster, id) = in_cluster(state, scope, arn.resource)?;
                let id: EcsId = id.parse().map_err(|_| invalid_arn())?;
                let found = cluster.container_instances.get(&id).ok_or_else(|| not_found("container instance"))?;
                if found.status == ContainerInstanceStatus::Inactive {
                    return Err(Refusal::invalid_parameter(
                        "The specified container instance is inactive. Specify an active container instance and try \
                         again.",
                    ));
                }
                Ok(Self::ContainerInstance(Arc::clone(found)))
            }
            "service" => in_cluster(state, scope, arn.resource).and(Err(not_found("service"))),
            "capacity-provider" => Err(not_found("capacity provider")),
            "task-set" => Err(not_found("task set")),
            "daemon" => Err(not_found("daemon")),
            "gateway" => Err(not_found("gateway")),
            _ => Err(invalid_arn()),
        }
    }

    fn task_definition(state: &State, scope: &Scope, text: &str) -> Result<Self, Refusal> {
        let reference = TaskDefinitionReference::parse(text, scope).map_err(|_| invalid_arn())?;
        let revision = reference.revision.ok_or_else(invalid_arn)?;
        let found = state.task_definition(scope, &reference.family, revision);
        found.map(|record| Self::TaskDefinition(Arc::clone(record))).ok_or_else(|| not_found("task definition"))
    }

    /// Its tags.
    pub fn tags(&self) -> &[Tag] {
        match self {
            Self::Cluster(record) => &record.tags,
            Self::TaskDefinition(record) => &record.tags,
            Self::Task(record) => &record.tags,
            Self::ContainerInstance(record) => &record.tags,
        }
    }

    /// Writes it with other tags; with the same ones nothing.
    pub(crate) fn put_tags(&self, tx: &mut Tx<'_>, tags: Vec<Tag>, now: Timestamp) {
        if tags == self.tags() {
            return;
        }
        match self {
            Self::Cluster(record) => tx.put(ClusterRecord { tags, ..stored(tx, record, now) }),
            Self::TaskDefinition(record) => tx.put(TaskDefinitionRecord { tags, ..(**record).clone() }),
            Self::Task(record) => tx.put(TaskRecord { tags, ..(**record).clone() }),
            Self::ContainerInstance(record) => tx.put(ContainerInstanceRecord { tags, ..(**record).clone() }),
        }
    }
}

/// The ACTIVE cluster and the id in `CLUSTER/ID`.
fn in_cluster<'a>(state: &State, scope: &Scope, resource: &'a str) -> Result<(Arc<ClusterState>, &'a str), Refusal> {
    let Some((name, id)) = resource.split_once('/') else {
        return Err(Refusal::invalid_parameter("Long arn format must be used for tagging operations"));
    };
    cluster::validate_name(name).map_err(|_| invalid_arn())?;
    Ok((active(state, scope, name)?, id))
}

fn active(state: &State, scope: &Scope, name: &str) -> Result<Arc<ClusterState>, Refusal> {
    let cluster = state.cluster(scope, name).ok_or_else(Refusal::cluster_not_found)?;
    if cluster.is_active() {
        Ok(cluster)
    } else {
        Err(Refusal::invalid_parameter("The specified cluster is inactive. Specify an active cluster and try again."))
    }
}

fn invalid_arn() -> Refusal {
    Refusal::invalid_parameter("The ARN provided is invalid.")
}

fn not_found(thing: &str) -> Refusal {
    Refusal::new(
        ErrorClass::ResourceNotFound,
        format!("The specified {thing} was not found. Specify a valid {thing} and try again."),
    )
}
