//! From what a caller names to what the state holds.

use std::borrow::Cow;
use std::sync::Arc;

use longshore_domain::{Refusal, Scope, cluster};
use longshore_store::{ClusterState, State};

/// The ACTIVE cluster that an identifier (absent, name or ARN) means.
///
/// # Errors
/// Malformed identifiers; `Cluster not found.`; `The referenced cluster was inactive.`
pub fn active_cluster(state: &State, scope: &Scope, identifier: Option<&str>) -> Result<Arc<ClusterState>, Refusal> {
    let found = any_cluster(state, scope, identifier)?;
    if found.is_active() { Ok(found) } else { Err(Refusal::cluster_inactive()) }
}

/// The ACTIVE cluster of this name.
///
/// # Errors
/// `Cluster not found.`; `The referenced cluster was inactive.`
pub fn active_cluster_named<'a>(
    state: &'a State,
    scope: &Scope,
    name: &str,
) -> Result<Cow<'a, Arc<ClusterState>>, Refusal> {
    let found = state.borrowed_cluster(scope, name).ok_or_else(Refusal::cluster_not_found)?;
    if found.is_active() { Ok(found) } else { Err(Refusal::cluster_inactive()) }
}

/// The cluster that an identifier means, INACTIVE or not.
///
/// # Errors
/// Malformed identifiers; `Cluster not found.`
pub fn any_cluster(state: &State, scope: &Scope, identifier: Option<&str>) -> Result<Arc<ClusterState>, Refusal> {
    let name = cluster::name_from(scope, identifier)?;
    state.cluster(scope, name).ok_or_else(Refusal::cluster_not_found)
}
