//! The tables: one file each, with the key of its rows and what a row does to the state and its indexes.

mod client_tokens;
mod clusters;
mod container_instances;
mod families;
mod nodes;
mod secrets;
mod task_definitions;
mod tasks;

use std::sync::Arc;

pub(crate) use tasks::TaskLoader;

use crate::State;

/// What every kind of record knows of its table.
pub(crate) trait Table {
    /// Key of the row; readable, unique in the table, immutable over the record's life.
    fn row_key(&self) -> String;

    /// Puts the record into the state, over what its key held before.
    fn insert(this: &Arc<Self>, state: &mut State);

    /// Takes what the record's key holds out of the state.
    fn remove(this: &Arc<Self>, state: &mut State);
}
