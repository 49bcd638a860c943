//! Client tokens, by cluster incarnation and token.

use std::sync::Arc;

use longshore_domain::idempotency::ClientTokenRecord;

use super::Table;
use crate::State;

impl Table for ClientTokenRecord {
    fn row_key(&self) -> String {
        format!("{}/{}", self.cluster, self.token)
    }

    fn insert(this: &Arc<Self>, state: &mut State) {
        Self::remove(this, state);
        if let Some(cluster) = state.cluster_mut(this.cluster) {
            cluster.client_tokens.insert(Arc::clone(&this.token), Arc::clone(this));
            state.client_tokens.insert((this.created_at, this.cluster, Arc::clone(&this.token)));
        }
    }

    fn remove(this: &Arc<Self>, state: &mut State) {
        if let Some(cluster) = state.cluster_mut(this.cluster)
            && let Some(old) = cluster.client_tokens.remove(&this.token)
        {
            state.client_tokens.remove(&(old.created_at, old.cluster, Arc::clone(&old.token)));
        }
    }
}
