//! Tasks, by cluster incarnation and id; with them the machine's ledger, and the tasks that wait for the reaper.

use std::sync::Arc;

use longshore_domain::Scope;
use longshore_domain::task::{TaskRecord, TaskStatus};

use super::Table;
use crate::State;

impl Table for TaskRecord {
    fn row_key(&self) -> String {
        format!("{}/{}", self.cluster, self.id)
    }

    fn insert(this: &Arc<Self>, state: &mut State) {
        let Some(cluster) = state.cluster_mut(this.cluster) else { return };
        let scope = cluster.record.scope.clone();
        let old = cluster.tasks.insert(Arc::clone(this));
        if let Some(old) = old {
            leave(state, &scope, &old);
        }
        enter(state, &scope, this);
    }

    fn remove(this: &Arc<Self>, state: &mut State) {
        let Some(cluster) = state.cluster_mut(this.cluster) else { return };
        let scope = cluster.record.scope.clone();
        if let Some(old) = cluster.tasks.remove(this.id) {
            leave(state, &scope, &old);
        }
    }
}

fn enter(state: &mut State, scope: &Scope, task: &TaskRecord) {
    let definition = (scope.clone(), Arc::clone(&task.family), task.revision);
    *state.definition_uses.entry(definition).or_insert(0) += 1;
    if let Some(at) = task.stopped_at {
        state.stopped.insert((at, task.key()));
    }
    if task.last_status != TaskStatus::Stopped
        && let Some(node) = task.node.and_then(|node| state.nodes.get_mut(&node))
    {
        let node = Arc::make_mut(node);
        node.ledger.take(&task.resources);
        node.tasks.insert(task.key());
    }
}

fn leave(state: &mut State, scope: &Scope, task: &TaskRecord) {
    let definition = (scope.clone(), Arc::clone(&task.family), task.revision);
    match state.definition_uses.get_mut(&definition) {
        Some(uses) if *uses > 1 => *uses -= 1,
        _ => {
            state.definition_uses.remove(&definition);
        }
    }
    if let Some(at) = task.stopped_at {
        state.stopped.remove(&(at, task.key()));
    }
    if task.last_status != TaskStatus::Stopped
        && let Some(node) = task.node.and_then(|node| state.nodes.get_mut(&node))
    {
        let node = Arc::make_mut(node);
        node.ledger.give_back(&task.resources);
        node.tasks.remove(&task.key());
    }
}
