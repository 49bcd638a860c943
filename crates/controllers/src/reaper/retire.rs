//! The transaction that removes what is due.

use std::collections::HashSet;
use std::convert::Infallible;
use std::sync::Arc;

use longshore_store::{State, Tx, Write};
use serde::{Deserialize, Serialize};

use super::due::{Due, record_if_due};

/// What was found due, to be judged again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Retire {
    /// How long stopped tasks are kept.
    pub(super) retention_millis: i64,
    /// The records.
    pub(super) found: Vec<Due>,
}

/// Removes those that are due in the transaction's own state; how many.
pub(super) fn decide(tx: &mut Tx<'_>, write: &Write<Retire>) -> Result<usize, Infallible> {
    let Retire { retention_millis, found } = &write.input;
    let mut removed = 0;
    // Nothing that this transaction does makes a definition used again.
    let unused = unused_definitions(tx.state(), found);
    for due in found {
        if matches!(due, Due::TaskDefinition(..)) && !unused.contains(due) {
            continue;
        }
        if let Some(record) = record_if_due(tx.state(), due, write.at, *retention_millis) {
            tx.delete(record);
            removed += 1;
        }
    }
    Ok(removed)
}

fn unused_definitions(state: &State, found: &[Due]) -> HashSet<Due> {
    if !found.iter().any(|due| matches!(due, Due::TaskDefinition(..))) {
        return HashSet::new();
    }
    let deletable = state.deletable_definitions();
    deletable
        .map(|record| Due::TaskDefinition(record.scope.clone(), Arc::clone(&record.family), record.revision))
        .collect()
}
