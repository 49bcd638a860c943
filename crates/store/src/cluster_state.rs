//! One incarnation of a cluster with everything in it.

use std::sync::Arc;

use imbl::OrdMap;
use longshore_domain::cluster::{ClusterRecord, ClusterStatus};
use longshore_domain::container_instance::ContainerInstanceRecord;
use longshore_domain::idempotency::ClientTokenRecord;
use longshore_domain::task::TaskRecord;
use longshore_domain::{EcsId, Scope};

use crate::TaskTable;

/// One incarnation of a cluster.
#[derive(Debug, Clone)]
pub struct ClusterState {
    /// The cluster itself.
    pub record: Arc<ClusterRecord>,
    /// Its tasks, with their indexes.
    pub tasks: TaskTable,
    /// Its container instances, by id.
    pub container_instances: OrdMap<EcsId, Arc<ContainerInstanceRecord>>,
    /// Its client tokens.
    pub client_tokens: OrdMap<Arc<str>, Arc<ClientTokenRecord>>,
}

impl ClusterState {
    /// An empty cluster.
    pub fn new(record: Arc<ClusterRecord>) -> Self {
        Self { record, tasks: TaskTable::default(), container_instances: OrdMap::new(), client_tokens: OrdMap::new() }
    }

    /// `default` as a scope has it before the first write: ACTIVE and empty.
    pub fn virtual_default(scope: Scope) -> Self {
        Self::new(Arc::new(ClusterRecord::virtual_default(scope)))
    }

    /// Whether it is in use.
    pub fn is_active(&self) -> bool {
        self.record.status == ClusterStatus::Active
    }

    /// A task by id, made anew from its compact form.
    pub fn task(&self, id: EcsId) -> Option<TaskRecord> {
        self.tasks.get(id)
    }
}
