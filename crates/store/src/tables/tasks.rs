//! Tasks, by cluster incarnation and sequence number, so that tasks of one time lie together on disk; with them the
//! machine's ledger, and the tasks that wait for the reaper.

use std::collections::BTreeMap;
use std::sync::Arc;

use longshore_domain::Scope;
use longshore_domain::task::{TaskKey, TaskRecord};

use super::Table;
use crate::State;
use crate::task_table::{Bulk, CompactTask};

impl Table for TaskRecord {
    fn row_key(&self) -> String {
        // Padded, so that the order of the text is that of the numbers.
        format!("{}/{:012}", self.cluster, self.sequence)
    }

    fn insert(this: &Arc<Self>, state: &mut State) {
        let Some(cluster) = state.cluster_mut(this.cluster) else { return };
        let scope = cluster.record.scope.clone();
        let (old, new) = cluster.tasks.insert(this);
        change(state, &scope, this.key(), this.sequence, old.as_deref(), Some(&new));
    }

    fn remove(this: &Arc<Self>, state: &mut State) {
        let Some(cluster) = state.cluster_mut(this.cluster) else { return };
        let scope = cluster.record.scope.clone();
        if let Some((sequence, old)) = cluster.tasks.remove(this.id) {
            change(state, &scope, this.key(), sequence, Some(&old), None);
        }
    }
}

/// Tasks that come into a state all at once, each cluster's when there were none in it.
#[derive(Debug, Default)]
pub(crate) struct TaskLoader {
    clusters: BTreeMap<u64, Bulk>,
}

impl TaskLoader {
    /// Adds a task, in any order.
    pub(crate) fn add(&mut self, task: &TaskRecord) {
        self.clusters.entry(task.cluster).or_default().add(task);
    }

    /// Puts them into the state and all its indexes; those whose cluster it does not have are left out.
    pub(crate) fn enter(self, state: &mut State) {
        let mut stopped = Vec::new();
        for (incarnation, tasks) in self.clusters {
            let Some(cluster) = state.cluster_mut(incarnation) else { continue };
            let loaded = tasks.finish(incarnation);
            cluster.tasks = loaded.table;
            let scope = cluster.record.scope.clone();
            for (family, revision, uses) in loaded.definitions {
                *state.definition_uses.entry((scope.clone(), family, revision)).or_insert(0) += uses;
            }
            for (node, taken, sequences) in loaded.nodes {
                if let Some(node) = state.nodes.get_mut(&node).map(Arc::make_mut) {
                    node.ledger.cpu += taken.cpu;
                    node.ledger.memory += taken.memory;
                    node.ledger.tcp_ports.extend(taken.tcp_ports);
                    node.ledger.udp_ports.extend(taken.udp_ports);
                    node.tasks.enter(incarnation, sequences);
                }
            }
            stopped.extend(loaded.stopped.into_iter().map(|(at, id)| (at, TaskKey { cluster: incarnation, id })));
        }
        stopped.sort_unstable();
        state.stopped.extend(stopped);
    }
}

/// Brings what is derived from a task from its old to its new form, where they differ.
fn change(
    state: &mut State,
    scope: &Scope,
    key: TaskKey,
    sequence: u64,
    old: Option<&CompactTask>,
    new: Option<&CompactTask>,
) {
    let [definition, was] = [new, old].map(|task| task.map(CompactTask::definition));
    if definition != was {
        if let Some((family, revision)) = definition {
            use_definition(state, scope, family, revision);
        }
        if let Some((family, revision)) = was {
            release_definition(state, scope, family, revision);
        }
    }
    let [stopped_at, was] = [new, old].map(|task| task.and_then(CompactTask::stopped_at));
    if stopped_at != was {
        if let Some(at) = was {
            state.stopped.remove(&(at, key));
        }
        if let Some(at) = stopped_at {
            state.stopped.insert((at, key));
        }
    }
    let [taken, was] = [new, old].map(|task| task.and_then(CompactTask::taken));
    if taken == was {
        return;
    }
    if let Some((id, resources)) = was
        && let Some(node) = state.nodes.get_mut(&id).map(Arc::make_mut)
    {
        node.ledger.give_back(resources);
        node.tasks.remove(key.cluster, sequence);
    }
    if let Some((id, resources)) = taken
        && let Some(node) = state.nodes.get_mut(&id).map(Arc::make_mut)
    {
        node.ledger.take(resources);
        node.tasks.insert(key.cluster, sequence);
    }
}

fn use_definition(state: &mut State, scope: &Scope, family: &Arc<str>, revision: u32) {
    *state.definition_uses.entry((scope.clone(), Arc::clone(family), revision)).or_insert(0) += 1;
}

fn release_definition(state: &mut State, scope: &Scope, family: &Arc<str>, revision: u32) {
    let definition = (scope.clone(), Arc::clone(family), revision);
    match state.definition_uses.get_mut(&definition) {
        Some(uses) if *uses > 1 => *uses -= 1,
        _ => {
            state.definition_uses.remove(&definition);
        }
    }
}
