//! Clusters, one row an incarnation. The latest incarnation of a name is what the name means.

use std::sync::Arc;

use longshore_domain::cluster::ClusterRecord;

use super::Table;
use crate::{ClusterState, State};

impl Table for ClusterRecord {
    fn row_key(&self) -> String {
        format!("{}/{}/{}", self.scope, self.name, self.incarnation)
    }

    fn insert(this: &Arc<Self>, state: &mut State) {
        match state.clusters.get_mut(&this.incarnation) {
            Some(cluster) => Arc::make_mut(cluster).record = Arc::clone(this),
            None => {
                state.clusters.insert(this.incarnation, Arc::new(ClusterState::new(Arc::clone(this))));
            }
        }
        let name = (this.scope.clone(), Arc::clone(&this.name));
        if state.cluster_names.get(&name).is_none_or(|latest| *latest < this.incarnation) {
            state.cluster_names.insert(name, this.incarnation);
        }
    }

    fn remove(this: &Arc<Self>, state: &mut State) {
        state.clusters.remove(&this.incarnation);
        let name = (this.scope.clone(), Arc::clone(&this.name));
        if state.cluster_names.get(&name) == Some(&this.incarnation) {
            state.cluster_names.remove(&name);
        }
    }
}
