//! Everything the store holds, as one immutable value with cheap copies.
//!
//! A [`State`] is what readers get. The writer edits its own copy, whose parts are shared with the published one until
//! they are changed. All indexes are derived from the records and kept by `tables/`.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::ops::{Bound, RangeBounds};
use std::sync::Arc;

use equivalent::{Comparable, Equivalent};
use imbl::{OrdMap, OrdSet};
use longshore_domain::node::NodeRecord;
use longshore_domain::resources::Ledger;
use longshore_domain::secret::SecretRecord;
use longshore_domain::task::{TaskKey, TaskRecord};
use longshore_domain::task_definition::record::{FamilyRecord, TaskDefinitionRecord};
use longshore_domain::{EcsId, Scope, Timestamp};

use crate::node_tasks::NodeTasks;
use crate::{ClusterState, TaskLife};

/// Scope, family and revision of a task definition.
pub type DefinitionKey = (Scope, Arc<str>, u32);

/// The state at one version.
#[derive(Debug, Clone, Default)]
pub struct State {
    pub(crate) version: u64,
    pub(crate) secrets: OrdMap<String, Arc<SecretRecord>>,
    pub(crate) nodes: OrdMap<EcsId, Arc<NodeState>>,
    pub(crate) families: OrdMap<(Scope, Arc<str>), Arc<FamilyRecord>>,
    pub(crate) task_definitions: OrdMap<DefinitionKey, Arc<TaskDefinitionRecord>>,
    /// Definitions whose deletion was asked for.
    pub(crate) deleting: OrdSet<DefinitionKey>,
    /// How many tasks that are still listed have a definition.
    pub(crate) definition_uses: OrdMap<DefinitionKey, u64>,
    pub(crate) clusters: OrdMap<u64, Arc<ClusterState>>,
    /// The latest incarnation of each name.
    pub(crate) cluster_names: OrdMap<(Scope, Arc<str>), u64>,
    /// Stopped tasks, the earliest first.
    pub(crate) stopped: OrdSet<(Timestamp, TaskKey)>,
    /// Client tokens, the oldest first.
    pub(crate) client_tokens: OrdSet<(Timestamp, u64, Arc<str>)>,
}

/// A machine with what its tasks take of it.
#[derive(Debug, Clone)]
pub struct NodeState {
    /// The machine.
    pub record: Arc<NodeRecord>,
    /// What is taken.
    pub ledger: Ledger,
    /// Its tasks that are not STOPPED.
    pub(crate) tasks: NodeTasks,
}

impl NodeState {
    pub(crate) fn new(record: Arc<NodeRecord>) -> Self {
        Self { record, ledger: Ledger::default(), tasks: NodeTasks::default() }
    }
}

/// A name in a scope, to look up without making a key.
struct NameIn<'a> {
    scope: &'a Scope,
    name: &'a str,
}

impl Equivalent<(Scope, Arc<str>)> for NameIn<'_> {
    fn equivalent(&self, (scope, name): &(Scope, Arc<str>)) -> bool {
        self.scope == scope && *self.name == **name
    }
}

impl Comparable<(Scope, Arc<str>)> for NameIn<'_> {
    fn compare(&self, (scope, name): &(Scope, Arc<str>)) -> Ordering {
        self.scope.cmp(scope).then_with(|| self.name.cmp(name))
    }
}

impl State {
    /// Number of the last transaction in it.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The cluster that `name` means in this scope: its latest incarnation, also when INACTIVE. `default` always is one.
    pub fn cluster(&self, scope: &Scope, name: &str) -> Option<Arc<ClusterState>> {
        self.borrowed_cluster(scope, name).map(Cow::into_owned)
    }

    /// [`State::cluster`] without becoming an owner of it.
    pub fn borrowed_cluster(&self, scope: &Scope, name: &str) -> Option<Cow<'_, Arc<ClusterState>>> {
        let incarnation = self.cluster_names.get(&NameIn { scope, name });
        match incarnation.and_then(|incarnation| self.clusters.get(incarnation)) {
            Some(cluster) => Some(Cow::Borrowed(cluster)),
            None if name == longshore_domain::cluster::DEFAULT => {
                Some(Cow::Owned(Arc::new(ClusterState::virtual_default(scope.clone()))))
            }
            None => None,
        }
    }

    /// A cluster by incarnation.
    pub fn cluster_by_incarnation(&self, incarnation: u64) -> Option<&Arc<ClusterState>> {
        self.clusters.get(&incarnation)
    }

    /// All incarnations of all clusters of all scopes, the earliest first.
    pub fn all_clusters(&self) -> impl Iterator<Item = &Arc<ClusterState>> {
        self.clusters.values()
    }

    /// Whether this incarnation is what its name means today.
    pub fn is_latest(&self, cluster: &ClusterState) -> bool {
        let name = (cluster.record.scope.clone(), Arc::clone(&cluster.record.name));
        self.cluster_names.get(&name) == Some(&cluster.record.incarnation)
    }

    /// The stored clusters of a scope by name, from the first name after `after`. The virtual `default` is not among them.
    pub fn clusters(&self, scope: &Scope, after: Option<&str>) -> impl Iterator<Item = &Arc<ClusterState>> {
        let from = (scope.clone(), Arc::from(after.unwrap_or("")));
        let names = self.cluster_names.range((Bound::Excluded(from), Bound::Unbounded));
        let scope = scope.clone();
        names.take_while(move |((of, _), _)| *of == scope).filter_map(|(_, incarnation)| self.clusters.get(incarnation))
    }

    pub(crate) fn cluster_mut(&mut self, incarnation: u64) -> Option<&mut ClusterState> {
        self.clusters.get_mut(&incarnation).map(Arc::make_mut)
    }

    /// A task by key, made anew from its compact form.
    pub fn task(&self, key: TaskKey) -> Option<TaskRecord> {
        self.clusters.get(&key.cluster)?.task(key.id)
    }

    /// Where a task is in its life, without making its record.
    pub fn task_life(&self, key: TaskKey) -> Option<TaskLife> {
        self.clusters.get(&key.cluster)?.tasks.life(key.id)
    }

    /// The tasks on a machine that are not STOPPED, by cluster and creation.
    pub fn tasks_on(&self, node: EcsId) -> impl Iterator<Item = TaskKey> {
        let places = self.nodes.get(&node).into_iter().flat_map(|node| node.tasks.iter());
        places.filter_map(|(cluster, sequence)| {
            let id = self.clusters.get(&cluster)?.tasks.id_by_sequence(sequence)?;
            Some(TaskKey { cluster, id })
        })
    }

    /// A family.
    pub fn family(&self, scope: &Scope, family: &str) -> Option<&Arc<FamilyRecord>> {
        self.families.get(&(scope.clone(), Arc::from(family)))
    }

    /// The families of a scope by name, from `from` on.
    pub fn families(&self, scope: &Scope, from: &str) -> impl Iterator<Item = &Arc<FamilyRecord>> {
        let scope = scope.clone();
        let from = (scope.clone(), Arc::from(from));
        self.families.range(from..).take_while(move |((of, _), _)| *of == scope).map(|(_, record)| record)
    }

    /// One revision.
    pub fn task_definition(&self, scope: &Scope, family: &str, revision: u32) -> Option<&Arc<TaskDefinitionRecord>> {
        self.task_definitions.get(&(scope.clone(), Arc::from(family), revision))
    }

    /// The revisions of a family, ascending; [`DoubleEndedIterator`], for the latest first.
    pub fn revisions(
        &self,
        scope: &Scope,
        family: &str,
    ) -> impl DoubleEndedIterator<Item = &Arc<TaskDefinitionRecord>> {
        let family: Arc<str> = family.into();
        let range = (scope.clone(), Arc::clone(&family), 0)..=(scope.clone(), family, u32::MAX);
        self.task_definitions.range(range).map(|(_, record)| record)
    }

    /// The revisions of all families between two keys, by scope, family and revision; from either end.
    pub fn task_definitions(
        &self,
        range: impl RangeBounds<DefinitionKey>,
    ) -> impl DoubleEndedIterator<Item = &Arc<TaskDefinitionRecord>> {
        self.task_definitions.range(range).map(|(_, record)| record)
    }

    /// The definition of a task.
    pub fn definition_of(&self, task: &TaskRecord) -> Option<&Arc<TaskDefinitionRecord>> {
        let scope = &self.clusters.get(&task.cluster)?.record.scope;
        self.task_definitions.get(&(scope.clone(), Arc::clone(&task.family), task.revision))
    }

    /// Definitions whose deletion was asked for and that no listed task has.
    pub fn deletable_definitions(&self) -> impl Iterator<Item = &Arc<TaskDefinitionRecord>> {
        let unused = self.deleting.iter().filter(|key| !self.definition_uses.contains_key(*key));
        unused.filter_map(|key| self.task_definitions.get(key))
    }

    /// A machine.
    pub fn node(&self, id: EcsId) -> Option<&Arc<NodeState>> {
        self.nodes.get(&id)
    }

    /// All machines.
    pub fn nodes(&self) -> impl Iterator<Item = &Arc<NodeState>> {
        self.nodes.values()
    }

    /// A key of the server.
    pub fn secret(&self, name: &str) -> Option<&Arc<SecretRecord>> {
        self.secrets.get(name)
    }

    /// Stopped tasks with when they stopped, the earliest first.
    pub fn stopped(&self) -> impl Iterator<Item = &(Timestamp, TaskKey)> {
        self.stopped.iter()
    }

    /// Client tokens as (created, cluster incarnation, token), the oldest first.
    pub fn client_tokens(&self) -> impl Iterator<Item = &(Timestamp, u64, Arc<str>)> {
        self.client_tokens.iter()
    }
}
