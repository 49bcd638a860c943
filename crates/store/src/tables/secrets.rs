//! Keys of the server, by name.

use std::sync::Arc;

use longshore_domain::secret::SecretRecord;

use super::Table;
use crate::State;

impl Table for SecretRecord {
    fn row_key(&self) -> String {
        self.name.clone()
    }

    fn insert(this: &Arc<Self>, state: &mut State) {
        state.secrets.insert(this.name.clone(), Arc::clone(this));
    }

    fn remove(this: &Arc<Self>, state: &mut State) {
        state.secrets.remove(&this.name);
    }
}
