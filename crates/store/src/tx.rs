//! One transaction: reads of the writer's own state, and bounded changes of it.

use longshore_domain::{EcsId, Scope};

use crate::record::{Record, Row};
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
    effects: Effects,
    bytes: usize,
    fault: Option<StoreError>,
}

/// What a transaction did.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    /// One row a key.
    pub rows: Vec<Row>,
    /// Every change, in order.
    pub changes: Vec<Change>,
    /// The same for the state.
    pub edits: Vec<Edit>,
}

/// One change of the state, which can be made again.
#[derive(Debug)]
pub(crate) enum Edit {
    Put(Record),
    Delete(Record),
}

impl Edit {
    pub(crate) fn make(&self, state: &mut State) {
        match self {
            Self::Put(record) => record.insert(state),
            Self::Delete(record) => record.remove(state),
        }
    }
}

impl<'a> Tx<'a> {
    pub(crate) fn new(state: &'a mut State) -> Self {
        state.version += 1;
        Self { state, effects: Effects::default(), bytes: 0, fault: None }
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
                self.write(Edit::Put(record), Some(body));
            }
            Err(fault) => self.fail(fault),
        }
    }

    /// Removes a record.
    pub fn delete(&mut self, record: impl Into<Record>) {
        self.write(Edit::Delete(record.into()), None);
    }

    fn write(&mut self, edit: Edit, body: Option<String>) {
        let (Edit::Put(record) | Edit::Delete(record)) = &edit;
        let (kind, key, version) = (record.kind(), record.key(), self.state.version);
        let (scope, node) = whom_it_concerns(self.state, record);
        self.effects.changes.push(Change {
            version,
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
        let rows = &mut self.effects.rows;
        #[cfg(feature = "planted-bugs")]
        let forgotten = crate::planted::has(crate::planted::Bug::ResurrectedTask)
            && matches!(edit, Edit::Delete(Record::Task(_)))
            && !rows.is_empty();
        #[cfg(not(feature = "planted-bugs"))]
        let forgotten = false;
        match rows.iter_mut().find(|row| row.kind == kind && row.key == key) {
            Some(row) => row.body = body,
            None if forgotten => {}
            None => rows.push(Row { kind, key, version, body }),
        }
        if rows.len() > MAX_RECORDS {
            self.fail(StoreError::Bound { what: "records", bound: MAX_RECORDS });
        }
        if self.bytes > MAX_BYTES {
            self.fail(StoreError::Bound { what: "bytes", bound: MAX_BYTES });
        }
        // Last: whatever panics from here on has left a row, so that it is undone.
        edit.make(self.state);
        self.effects.edits.push(edit);
    }

    fn fail(&mut self, fault: StoreError) {
        self.fault.get_or_insert(fault);
    }

    /// Whether it has changed the state.
    pub(crate) fn has_written(&self) -> bool {
        !self.effects.rows.is_empty()
    }

    /// What it did.
    pub(crate) fn finish(self) -> Result<Effects, StoreError> {
        match self.fault {
            Some(fault) => Err(fault),
            None => Ok(self.effects),
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
