//! The tasks on one machine: for each cluster incarnation the sequence numbers of those that are not STOPPED.
//!
//! A place is (incarnation, sequence number); the cluster's table knows the rest. About 4 bytes a task.

use imbl::OrdMap;

use crate::index::PositionSet;

/// Tasks by cluster incarnation and sequence number. A clone costs a reference count.
#[derive(Debug, Clone, Default)]
pub(crate) struct NodeTasks {
    clusters: OrdMap<u64, PositionSet>,
}

impl NodeTasks {
    /// The tasks of a cluster of which there were none.
    pub(crate) fn enter(&mut self, cluster: u64, sequences: PositionSet) {
        self.clusters.insert(cluster, sequences);
    }

    /// Adds a task.
    pub(crate) fn insert(&mut self, cluster: u64, sequence: u64) {
        self.clusters.entry(cluster).or_default().insert(sequence);
    }

    /// Takes a task out.
    pub(crate) fn remove(&mut self, cluster: u64, sequence: u64) {
        if let Some(set) = self.clusters.get_mut(&cluster) {
            set.remove(sequence);
            if set.is_empty() {
                self.clusters.remove(&cluster);
            }
        }
    }

    /// All of them by (incarnation, sequence number), ascending.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, u64)> {
        self.clusters.iter().flat_map(|(cluster, set)| set.iter_from(0).map(|sequence| (*cluster, sequence)))
    }
}
