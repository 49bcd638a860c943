//! Where a task goes: inside the transaction, on the writer's own ledger, so that nothing is ever over-placed.

use std::sync::Arc;

use longshore_domain::container_instance::{ContainerInstanceRecord, ContainerInstanceStatus};
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
    let mut instances = active_instances(tx, cluster);
    if instances.is_empty() {
        instances.push(join_builtin(tx, write, cluster, ids)?);
    }
    let mut failures = Vec::new();
    for instance in instances {
        let Some(node) = tx.state().node(instance.node).filter(|node| node.record.active) else {
            failures.push(failure(tx, cluster, &instance, "AGENT"));
            continue;
        };
        match node.ledger.fits(&node.record.capacity, resources) {
            Ok(()) => return Ok(Ok(Place { node: instance.node, container_instance: Some(instance.id) })),
            Err(lacking) => failures.push(failure(tx, cluster, &instance, lacking.reason())),
        }
    }
    Ok(Err(failures))
}

fn builtin<'a>(tx: &'a Tx<'_>) -> Option<&'a Arc<NodeState>> {
    tx.state().nodes().find(|node| node.record.builtin && node.record.active)
}

fn active_instances(tx: &Tx<'_>, cluster: u64) -> Vec<Arc<ContainerInstanceRecord>> {
    let cluster = tx.state().cluster_by_incarnation(cluster);
    let instances = cluster.into_iter().flat_map(|cluster| cluster.container_instances.values());
    instances.filter(|instance| instance.status == ContainerInstanceStatus::Active).cloned().collect()
}

/// Makes the built-in node an instance of a cluster that has none; a cluster whose instances are all draining stays as
/// it is.
fn join_builtin<I>(
    tx: &mut Tx<'_>,
    write: &Write<I>,
    cluster: u64,
    ids: &mut IdSource,
) -> Result<Arc<ContainerInstanceRecord>, Refusal> {
    let draining = tx.state().cluster_by_incarnation(cluster).is_some_and(|cluster| {
        cluster.container_instances.values().any(|instance| instance.status == ContainerInstanceStatus::Draining)
    });
    let node = builtin(tx).map(|node| node.record.id).filter(|_| !draining);
    let node = node.ok_or_else(|| Refusal::invalid_parameter("No Container Instances were found in your cluster."))?;
    let instance = Arc::new(ContainerInstanceRecord {
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
    tx.put(ContainerInstanceRecord::clone(&instance));
    Ok(instance)
}

fn failure(tx: &Tx<'_>, cluster: u64, instance: &ContainerInstanceRecord, reason: &str) -> Failure {
    let cluster = tx.state().cluster_by_incarnation(cluster);
    let arn = cluster.map(|cluster| arn::container_instance(&cluster.record.scope, &cluster.record.name, instance.id));
    Failure { arn, reason: Some(reason.into()), detail: None }
}
