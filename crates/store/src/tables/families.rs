//! Task definition families, by scope and name.

use std::sync::Arc;

use longshore_domain::task_definition::record::FamilyRecord;

use super::Table;
use crate::State;

impl Table for FamilyRecord {
    fn row_key(&self) -> String {
        format!("{}/{}", self.scope, self.family)
    }

    fn insert(this: &Arc<Self>, state: &mut State) {
        state.families.insert((this.scope.clone(), Arc::clone(&this.family)), Arc::clone(this));
    }

    fn remove(this: &Arc<Self>, state: &mut State) {
        state.families.remove(&(this.scope.clone(), Arc::clone(&this.family)));
    }
}
