//! A state from what the backend holds: at start, and when another process has changed it.
//!
//! Tasks are by far the most records, so they are collected and entered all at once.

use crate::backend::Durable;
use crate::tables::TaskLoader;
use crate::{Record, State, StoreError};

impl State {
    /// Everything the backend holds, with all indexes.
    ///
    /// # Errors
    /// What reading it says.
    pub(crate) fn load(backend: &mut dyn Durable) -> Result<Self, StoreError> {
        let (mut state, mut tasks) = (Self::default(), TaskLoader::default());
        state.version = backend.load(&mut |record| match record {
            Record::Task(task) => tasks.add(&task),
            other => other.insert(&mut state),
        })?;
        tasks.enter(&mut state);
        Ok(state)
    }
}

#[cfg(test)]
mod tests;
