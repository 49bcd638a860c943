//! One transaction: reads of the writer's own state, and bounded changes of it.

use std::collections::BTreeMap;

use longshore_domain::{EcsId, Scope};

use crate::record::{Kind, Record, Row};
use crate::watch::Change;
use crate::{State, StoreError};

/// One update changes at most this many records.
pub const MAX_RECORDS: usize = 100;
/// One update writes at most this many bytes of bodies.
pub const MAX_BYTES: usize = 1 << 20;
/// One record's body has at most this many bytes.
pub const MAX_RECORD_BYTES: usize = 512 << 10;

/// A transaction on the writer's state. It holds what earlier transactions did, durable or not yet.
pub struct Tx<'a> {
    state: &'a mut State,
    rows: BTreeMap<(Kind, String), Row>,
    changes: Vec<Change>,
    bytes: usize,
    fault: Option<StoreError>,
}

impl<'a> Tx<'a> {
    pub(crate) fn new(state: &'a mut State) -> Self {
        state.version += 1;
        Self { state, rows: BTreeMap::new(), changes: Vec::new(), bytes: 0, fault: None }
    }

    /// The state as this transaction sees it, its own changes included.
    pub fn state(&self) -> &State {
        self.state
    }

    /// Number of this transaction: unique, rising, never reused.
    pub fn version(&self) -> u64 {
        self.state.version
    }

    /// Writes a record, over what its key held before. A breach of the bounds makes the whole transaction fail.
    pub fn put(&mut self, record: impl Into<Record>) {
        let record = record.into();
        match record.encode() {
            Ok(body) => {
                if body.len() > MAX_RECORD_BYTES {
                    self.fail(StoreError::Bound { what: "bytes of a record", bound: MAX_RECORD_BYTES });
                }
                self.bytes += body.len();
                self.write(&record, Some(body));
                record.insert(self.state);
            }
            Err(fault) => self.fail(fault),
        }
    }

    /// Removes a record.
    pub fn delete(&mut self, record: impl Into<Record>) {
        let record = record.into();
        self.write(&record, None);
        record.remove(self.state);
    }

    fn write(&mut self, record: &Record, body: Option<String>) {
        let (kind, key) = (record.kind(), record.key());
        let (scope, node) = whom_it_concerns(self.state, record);
        self.changes.push(Change {
            version: self.state.version,
            kind,
            key: key.clone(),
            task: match record {
                Record::Task(task) => Some(task.key()),
                _ => None,
            },
            scope,
            node,
            deleted: body.is_none(),
        });
        self.rows.insert((kind, key.clone()), Row { kind, key, version: self.state.version, body });
        if self.rows.len() > MAX_RECORDS {
            self.fail(StoreError::Bound { what: "records", bound: MAX_RECORDS });
        }
        if self.bytes > MAX_BYTES {
            self.fail(StoreError::Bound { what: "bytes", bound: MAX_BYTES });
        }
    }

    fn fail(&mut self, fault: StoreError) {
        self.fault.get_or_insert(fault);
    }

    /// What it wrote.
    pub(crate) fn finish(self) -> Result<(Vec<Row>, Vec<Change>), StoreError> {
        match self.fault {
            Some(fault) => Err(fault),
            None => Ok((self.rows.into_values().collect(), self.changes)),
        }
    }
}

/// Scope and machine of a record, so that its change reaches only whom it concerns.
fn whom_it_concerns(state: &State, record: &Record) -> (Option<Scope>, Option<EcsId>) {
    let scope_of = |cluster: u64| state.cluster_by_incarnation(cluster).map(|cluster| cluster.record.scope.clone());
    match record {
        Record::Secret(_) => (None, None),
        Record::Node(node) => (None, Some(node.id)),
        Record::Family(family) => (Some(family.scope.clone()), None),
        Record::TaskDefinition(definition) => (Some(definition.scope.clone()), None),
        Record::Cluster(cluster) => (Some(cluster.scope.clone()), None),
        Record::ContainerInstance(instance) => (scope_of(instance.cluster), Some(instance.node)),
        Record::Task(task) => (scope_of(task.cluster), task.node),
        Record::ClientToken(token) => (scope_of(token.cluster), None),
    }
}
