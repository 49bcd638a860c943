//! What goes from the decider to the committer: updates that are decided together and become durable together.

use std::sync::Arc;

use super::pending::Pending;
use super::{MAX_BATCH_BYTES, MAX_UPDATES};
use crate::record::Row;
use crate::tx::Effects;
use crate::watch::Change;
use crate::{State, StoreError};

/// An update that is decided.
pub(crate) struct Decided {
    pub update: Box<dyn Pending>,
    /// Why its changes were undone, if the store refused them.
    pub fault: Option<StoreError>,
}

/// A batch while the decider collects it.
#[derive(Default)]
pub(crate) struct Open {
    rows: Vec<Row>,
    changes: Vec<Change>,
    updates: Vec<Decided>,
    bytes: usize,
}

impl Open {
    pub(crate) fn is_empty(&self) -> bool {
        self.updates.is_empty()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.updates.len() >= MAX_UPDATES || self.bytes >= MAX_BATCH_BYTES
    }

    /// Takes in an update and what it wrote.
    pub(crate) fn add(&mut self, update: Box<dyn Pending>, effects: Effects) {
        self.bytes += effects.rows.iter().filter_map(|row| row.body.as_ref()).map(String::len).sum::<usize>();
        self.rows.extend(effects.rows);
        self.changes.extend(effects.changes);
        self.updates.push(Decided { update, fault: None });
    }

    /// Takes in an update that left nothing, for whatever reason.
    pub(crate) fn add_without_effect(&mut self, update: Box<dyn Pending>, fault: Option<StoreError>) {
        self.updates.push(Decided { update, fault });
    }

    /// The batch as it goes to the committer: on `previous`, of `epoch`, with the state that it leads to.
    pub(crate) fn close(self, epoch: u64, previous: u64, state: Arc<State>) -> Batch {
        Batch { epoch, previous, state, rows: latest_of_each(self.rows), changes: self.changes, updates: self.updates }
    }
}

/// A decided batch.
pub(crate) struct Batch {
    /// Epoch of the state it was decided on.
    pub epoch: u64,
    /// Version of the state it was decided on.
    pub previous: u64,
    /// The state once it is durable.
    pub state: Arc<State>,
    /// One row a key, by kind and key; none if nothing changed.
    pub rows: Vec<Row>,
    /// Every change, in order.
    pub changes: Vec<Change>,
    /// Everybody who waits for it, in order.
    pub updates: Vec<Decided>,
}

/// Keeps the last row of each key, sorted by kind and key.
fn latest_of_each(mut rows: Vec<Row>) -> Vec<Row> {
    // The sort is stable: the last of a key stays the last.
    rows.sort_by(|a, b| (a.kind, &a.key).cmp(&(b.kind, &b.key)));
    rows.dedup_by(|later, kept| {
        let same = later.kind == kept.kind && later.key == kept.key;
        if same {
            std::mem::swap(later, kept);
        }
        same
    });
    rows
}

#[cfg(test)]
mod tests {
    use super::latest_of_each;
    use crate::Kind;
    use crate::record::Row;

    #[test]
    fn the_last_row_of_a_key_is_kept() {
        let row = |kind, key: &str, version, body: Option<&str>| Row {
            kind,
            key: key.into(),
            version,
            body: body.map(str::to_owned),
        };
        let rows = vec![
            row(Kind::Task, "b", 1, Some("1")),
            row(Kind::Task, "a", 1, Some("1")),
            row(Kind::Family, "b", 2, Some("2")),
            row(Kind::Task, "b", 3, Some("3")),
            row(Kind::Task, "a", 4, None),
            row(Kind::Task, "b", 5, Some("5")),
        ];
        let kept = vec![
            row(Kind::Family, "b", 2, Some("2")),
            row(Kind::Task, "a", 4, None),
            row(Kind::Task, "b", 5, Some("5")),
        ];
        assert_eq!(latest_of_each(rows), kept);
    }
}
