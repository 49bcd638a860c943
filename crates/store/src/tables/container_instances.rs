//! Container instances, by cluster incarnation and id.

use std::sync::Arc;

use longshore_domain::container_instance::ContainerInstanceRecord;

use super::Table;
use crate::State;

impl Table for ContainerInstanceRecord {
    fn row_key(&self) -> String {
        format!("{}/{}", self.cluster, self.id)
    }

    fn insert(this: &Arc<Self>, state: &mut State) {
        if let Some(cluster) = state.cluster_mut(this.cluster) {
            cluster.container_instances.insert(this.id, Arc::clone(this));
        }
    }

    fn remove(this: &Arc<Self>, state: &mut State) {
        if let Some(cluster) = state.cluster_mut(this.cluster) {
            cluster.container_instances.remove(&this.id);
        }
    }
}
