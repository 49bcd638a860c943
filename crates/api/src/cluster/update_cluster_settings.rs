//! UpdateClusterSettings: the settings of an ACTIVE cluster; those not named stay as they are.

use longshore_domain::Refusal;
use longshore_domain::cluster::update::Update;
use longshore_ecs_wire::operations::{UpdateClusterSettingsRequest, UpdateClusterSettingsResponse};
use longshore_store::{Tx, Write};

use super::update_cluster::apply;
use crate::{Api, Caller, shape_rules};

/// Updates a cluster's settings.
///
/// # Errors
/// A wrong setting; the cluster is not there or INACTIVE.
pub async fn update_cluster_settings(
    api: &Api,
    caller: &Caller,
    input: UpdateClusterSettingsRequest,
) -> Result<UpdateClusterSettingsResponse, Refusal> {
    shape_rules::check(&input)?;
    api.update(caller, input, decide).await
}

fn decide(
    tx: &mut Tx<'_>,
    write: &Write<UpdateClusterSettingsRequest>,
) -> Result<UpdateClusterSettingsResponse, Refusal> {
    let UpdateClusterSettingsRequest { cluster, settings } = write.input.clone();
    let update = Update { settings, ..Update::default() };
    Ok(UpdateClusterSettingsResponse { cluster: Some(apply(tx, write, cluster.as_deref(), update)?) })
}
