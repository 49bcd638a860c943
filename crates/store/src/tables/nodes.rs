//! Machines, by id.

use std::sync::Arc;

use longshore_domain::node::NodeRecord;

use super::Table;
use crate::State;
use crate::state::NodeState;

impl Table for NodeRecord {
    fn row_key(&self) -> String {
        self.id.to_string()
    }

    fn insert(this: &Arc<Self>, state: &mut State) {
        match state.nodes.get_mut(&this.id) {
            Some(node) => Arc::make_mut(node).record = Arc::clone(this),
            None => {
                state.nodes.insert(this.id, Arc::new(NodeState::new(Arc::clone(this))));
            }
        }
    }

    fn remove(this: &Arc<Self>, state: &mut State) {
        state.nodes.remove(&this.id);
    }
}
