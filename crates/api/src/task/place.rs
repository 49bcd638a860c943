//! Where a task goes: inside the transaction, on the writer's own ledger, so that nothing is ever over-placed.

use std::sync::Arc;

use longshore_domain::container_instance::{ContainerInstanceRecord, ContainerInstanceStatus};
use longshore_domain::resources::Lacking;
use longshore_domain::task::LaunchType;
use longshore_domain::{EcsId, IdSource, Refusal, Resources, arn};
use longshore_ecs_wire::shapes::Failure;
use longshore_store::state::NodeState;
use longshore_store::{Tx, Write};

/// Reason of a FARGATE task that fits nowhere.
const NO_FARGATE_CAPACITY: &str =
    "Capacity is unavailable at this time. Please try again later or in a different availability zone";

/// A place for one task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The machine.
    pub node: EcsId,
    /// The container instance; none for FARGATE.
    pub container_instance: Option<EcsId>,
}

/// A place for a task that takes `resources`, or one failure for each machine that was considered.
///
/// The first EC2 or EXTERNAL task of a cluster without instances makes the built-in node join it.
///
/// # Errors
/// The cluster has no ACTIVE container instance, and the built-in node does not join.
pub fn place<I>(
    tx: &mut Tx<'_>,
    write: &Write<I>,
    cluster: u64,
    launch_type: LaunchType,
    resources: &Resources,
    ids: &mut IdSource,
) -> Result<Result<Place, Vec<Failure>>, Refusal> {
    if launch_type == LaunchType::Fargate {
        let place = builtin(tx).filter(|node| node.ledger.fits(&node.record.capacity, resources).is_ok());
        let failure = || Failure { reason: Some(NO_FARGATE_CAPACITY.into()), ..Failure::default() };
        return Ok(place
            .map(|node| Place { node: node.record.id, container_instance: None })
            .ok_or_else(|| vec![failure()]));
    }
    if !has_active_instance(tx, cluster) {
        join_builtin(tx, write, cluster, ids)?;
    }
    Ok(first_that_fits(tx, cluster, resources).ok_or_else(|| reasons(tx, cluster, resources)))
}

/// Beside a built-in node, the instances of an earlier one, as a backup of another machine brings them, do not count.
fn has_active_instance(tx: &Tx<'_>, cluster: u64) -> bool {
    let none_can_join = builtin(tx).is_none();
    let is_there = |instance: &ContainerInstanceRecord| {
        none_can_join || !instance.builtin || tx.state().node(instance.node).is_some_and(|node| node.record.active)
    };
    active_instances(tx, cluster).any(|instance| is_there(instance))
}

/// The first instance with room. What the others lack is not asked: a cluster may have thousands.
fn first_that_fits(tx: &Tx<'_>, cluster: u64, resources: &Resources) -> Option<Place> {
    let fits = |instance: &&Arc<ContainerInstanceRecord>| lacks(tx, instance, resources).is_none();
    let instance = active_instances(tx, cluster).find(fits)?;
    Some(Place { node: instance.node, container_instance: Some(instance.id) })
}

/// Why the task is on none of the instances.
fn reasons(tx: &Tx<'_>, cluster: u64, resources: &Resources) -> Vec<Failure> {
    let lacking = |instance: &Arc<ContainerInstanceRecord>| {
        lacks(tx, instance, resources).map(|reason| failure(tx, cluster, instance, reason))
    };
    active_instances(tx, cluster).filter_map(lacking).collect()
}

/// Why a task does not go onto an instance, if it does not.
fn lacks(tx: &Tx<'_>, instance: &ContainerInstanceRecord, resources: &Resources) -> Option<&'static str> {
    match tx.state().node(instance.node).filter(|node| node.record.active) {
        None => Some("AGENT"),
        Some(node) => node.ledger.fits(&node.record.capacity, resources).err().map(Lacking::reason),
    }
}

fn builtin<'a>(tx: &'a Tx<'_>) -> Option<&'a Arc<NodeState>> {
    tx.state().nodes().find(|node| node.record.builtin && node.record.active)
}

fn active_instances<'a>(tx: &'a Tx<'_>, cluster: u64) -> impl Iterator<Item = &'a Arc<ContainerInstanceRecord>> {
    let cluster = tx.state().cluster_by_incarnation(cluster);
    let instances = cluster.into_iter().flat_map(|cluster| cluster.container_instances.values());
    instances.filter(|instance| instance.status == ContainerInstanceStatus::Active)
}

/// Makes the built-in node an instance of a cluster that has none; a cluster whose instances are all draining stays as
/// it is.
fn join_builtin<I>(tx: &mut Tx<'_>, write: &Write<I>, cluster: u64, ids: &mut IdSource) -> Result<(), Refusal> {
    let draining = tx.state().cluster_by_incarnation(cluster).is_some_and(|cluster| {
        cluster.container_instances.values().any(|instance| instance.status == ContainerInstanceStatus::Draining)
    });
    let node = builtin(tx).map(|node| node.record.id).filter(|_| !draining);
    let node = node.ok_or_else(|| Refusal::invalid_parameter("No Container Instances were found in your cluster."))?;
    tx.put(ContainerInstanceRecord {
        id: ids.next_id(),
        cluster,
        node,
        status: ContainerInstanceStatus::Active,
        registered_at: write.at,
        version: 1,
        builtin: true,
        attributes: vec![],
        tags: vec![],
        registered_by: Arc::clone(&write.principal),
    });
    Ok(())
}

fn failure(tx: &Tx<'_>, cluster: u64, instance: &ContainerInstanceRecord, reason: &str) -> Failure {
    let cluster = tx.state().cluster_by_incarnation(cluster);
    let arn = cluster.map(|cluster| arn::container_instance(&cluster.record.scope, &cluster.record.name, instance.id));
    Failure { arn, reason: Some(reason.into()), detail: None }
}
