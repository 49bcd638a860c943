//! CreateCluster: makes a cluster, or returns the ACTIVE one of that name.
//!
//! Idempotent by name; a repeat that wishes something else is refused. A deleted cluster's name gets a fresh cluster
//! whose sequence of tasks goes on where the deleted one's ended.

use longshore_domain::Refusal;
use longshore_domain::cluster::create::Creation;
use longshore_ecs_wire::operations::{CreateClusterRequest, CreateClusterResponse};
use longshore_store::{Tx, Write};

use super::render::{self, Parts};
use crate::{Api, Caller, shape_rules};

/// Creates a cluster.
///
/// # Errors
/// A wrong member; `Arguments on this idempotent request are inconsistent …`.
pub async fn create_cluster(
    api: &Api,
    caller: &Caller,
    input: CreateClusterRequest,
) -> Result<CreateClusterResponse, Refusal> {
    Creation::new(&input)?;
    shape_rules::check(&input)?;
    api.update(caller, input, decide).await
}

fn decide(tx: &mut Tx<'_>, write: &Write<CreateClusterRequest>) -> Result<CreateClusterResponse, Refusal> {
    let creation = Creation::new(&write.input)?;
    let name = creation.name.clone();
    let existing = tx.state().cluster(&write.scope, &name);
    let is_stored = |record: &longshore_domain::cluster::ClusterRecord| record.incarnation != 0;
    if let Some(existing) = existing.as_deref().filter(|cluster| cluster.is_active() && is_stored(&cluster.record)) {
        creation.check_repeat(&existing.record)?;
        return Ok(answer(Some(existing)));
    }
    let next_sequence = existing.map_or(1, |deleted| deleted.record.next_sequence);
    tx.put(creation.record(write.scope.clone(), tx.version(), write.at, next_sequence));
    Ok(answer(tx.state().cluster(&write.scope, &name).as_deref()))
}

fn answer(cluster: Option<&longshore_store::ClusterState>) -> CreateClusterResponse {
    CreateClusterResponse { cluster: cluster.map(|cluster| render::cluster(cluster, Parts::WRITTEN)) }
}
