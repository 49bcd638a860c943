//! A state from what the backend holds: at start, and when another process has changed it.

use crate::backend::Durable;
use crate::{State, StoreError};

impl State {
    /// Everything the backend holds, with all indexes.
    ///
    /// # Errors
    /// What reading it says.
    pub(crate) fn load(backend: &mut dyn Durable) -> Result<Self, StoreError> {
        let mut state = Self::default();
        state.version = backend.load(&mut |record| record.insert(&mut state))?;
        state.settle();
        Ok(state)
    }
}
