//! UpdateCluster: settings, configuration and Service Connect defaults of an ACTIVE cluster.

use longshore_domain::Refusal;
use longshore_domain::cluster::update::Update;
use longshore_ecs_wire::operations::{UpdateClusterRequest, UpdateClusterResponse};
use longshore_ecs_wire::shapes::Cluster;
use longshore_store::{Tx, Write};

use super::render::{self, Parts};
use super::stored::stored;
use crate::{Api, Caller, resolve, shape_rules};

/// Updates a cluster.
///
/// # Errors
/// A wrong member; the cluster is not there or INACTIVE.
pub async fn update_cluster(
    api: &Api,
    caller: &Caller,
    input: UpdateClusterRequest,
) -> Result<UpdateClusterResponse, Refusal> {
    shape_rules::check(&input)?;
    api.update(caller, input, decide).await
}

fn decide(tx: &mut Tx<'_>, write: &Write<UpdateClusterRequest>) -> Result<UpdateClusterResponse, Refusal> {
    let UpdateClusterRequest { cluster, settings, configuration, service_connect_defaults } = write.input.clone();
    let update = Update { settings, configuration, service_connect_defaults };
    Ok(UpdateClusterResponse { cluster: Some(apply(tx, write, cluster.as_deref(), update)?) })
}

/// Applies an update to the cluster that `identifier` means; an update that changes nothing writes nothing.
///
/// # Errors
/// As [`update_cluster`].
pub(super) fn apply<I>(
    tx: &mut Tx<'_>,
    write: &Write<I>,
    identifier: Option<&str>,
    update: Update,
) -> Result<Cluster, Refusal> {
    update.validate()?;
    let found = resolve::active_cluster(tx.state(), &write.scope, identifier)?;
    let updated = update.apply(&found.record);
    if updated != *found.record {
        tx.put(stored(tx, &updated, write.at));
    }
    let cluster = resolve::active_cluster(tx.state(), &write.scope, identifier)?;
    Ok(render::cluster(&cluster, Parts::WRITTEN))
}
