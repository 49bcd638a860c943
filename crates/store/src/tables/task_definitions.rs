//! Task definitions, by scope, family and revision.

use std::sync::Arc;

use longshore_domain::task_definition::record::{TaskDefinitionRecord, TaskDefinitionStatus};

use super::Table;
use crate::State;

impl Table for TaskDefinitionRecord {
    fn row_key(&self) -> String {
        format!("{}/{}:{}", self.scope, self.family, self.revision)
    }

    fn insert(this: &Arc<Self>, state: &mut State) {
        let key = (this.scope.clone(), Arc::clone(&this.family), this.revision);
        if this.status == TaskDefinitionStatus::DeleteInProgress {
            state.deleting.insert(key.clone());
        } else {
            state.deleting.remove(&key);
        }
        state.task_definitions.insert(key, Arc::clone(this));
    }

    fn remove(this: &Arc<Self>, state: &mut State) {
        let key = (this.scope.clone(), Arc::clone(&this.family), this.revision);
        state.deleting.remove(&key);
        state.task_definitions.remove(&key);
    }
}
