//! DeleteCluster: makes a cluster INACTIVE.
//!
//! Refused while it holds container instances, services or tasks. The built-in node's instances hold nothing back:
//! they leave in the same transaction. Deleting again returns the cluster as it is. Its stopped tasks and client
//! tokens stay until the reaper takes them; its tags go.

use longshore_domain::Refusal;
use longshore_domain::cluster::delete::{Holds, may_delete};
use longshore_domain::cluster::{ClusterRecord, ClusterStatus};
use longshore_domain::container_instance::ContainerInstanceStatus;
use longshore_ecs_wire::operations::{DeleteClusterRequest, DeleteClusterResponse};
use longshore_store::{ClusterState, Tx, Write};

use super::render::{self, Parts};
use super::stored::stored;
use crate::{Api, Caller, resolve, shape_rules};

/// Deletes a cluster.
///
/// # Errors
/// It is not there, or what it holds stands in the way.
pub async fn delete_cluster(
    api: &Api,
    caller: &Caller,
    input: DeleteClusterRequest,
) -> Result<DeleteClusterResponse, Refusal> {
    shape_rules::check(&input)?;
    api.update(caller, input, decide).await
}

fn decide(tx: &mut Tx<'_>, write: &Write<DeleteClusterRequest>) -> Result<DeleteClusterResponse, Refusal> {
    let DeleteClusterRequest { cluster } = &write.input;
    let found = resolve::any_cluster(tx.state(), &write.scope, cluster.as_deref())?;
    if !found.is_active() {
        return Ok(answer(&found));
    }
    may_delete(holds(&found))?;
    let record = ClusterRecord {
        status: ClusterStatus::Inactive,
        inactive_at: Some(write.at),
        tags: Vec::new(),
        ..stored(tx, &found.record, write.at)
    };
    for instance in found.container_instances.values().filter(|instance| instance.builtin) {
        tx.delete(longshore_store::Record::ContainerInstance(instance.clone()));
    }
    tx.put(record);
    let deleted = resolve::any_cluster(tx.state(), &write.scope, cluster.as_deref())?;
    Ok(answer(&deleted))
}

fn holds(cluster: &ClusterState) -> Holds {
    let instances = cluster.container_instances.values();
    let in_the_way = instances.filter(|one| !one.builtin && one.status != ContainerInstanceStatus::Inactive);
    Holds { container_instances: in_the_way.count(), services: 0, tasks: cluster.tasks.unstopped() }
}

fn answer(cluster: &ClusterState) -> DeleteClusterResponse {
    DeleteClusterResponse { cluster: Some(render::cluster(cluster, Parts::WRITTEN)) }
}
