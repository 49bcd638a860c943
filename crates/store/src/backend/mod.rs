//! What makes a batch durable. One test suite judges every backend.

pub mod memory;
pub mod sqlite;

use crate::record::Row;
use crate::{Record, StoreError};

/// A batch of updates, one row a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Version of the durable batch that it is built on; 0 for the first.
    pub previous: u64,
    /// Version of its last transaction.
    pub version: u64,
    /// Its rows; in the order of kind and key they are written fastest.
    pub rows: Vec<Row>,
}

/// A durability backend.
pub trait Durable: Send {
    /// Hands every record to `insert`, kind by kind in the order of [`crate::Kind::ALL`], within a kind in any order;
    /// the version of the last batch. What was inserted before an error is worth nothing.
    ///
    /// # Errors
    /// A damaged, incomplete or newer store, or the disk.
    fn load(&mut self, insert: &mut dyn FnMut(Record)) -> Result<u64, StoreError>;

    /// Makes a batch durable, whole or not at all.
    ///
    /// # Errors
    /// [`StoreError::Moved`]: what it is built on is not what the backend holds; nothing was written. Anything else: it
    /// is not known whether the batch is there; ask [`Durable::version`].
    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError>;

    /// Version of the last durable batch.
    ///
    /// # Errors
    /// The disk.
    fn version(&mut self) -> Result<u64, StoreError>;

    /// A bounded piece of housekeeping that no answer waits for, such as giving space back; called about once a second.
    ///
    /// # Errors
    /// The disk; nothing is lost by it.
    fn tidy(&mut self) -> Result<(), StoreError> {
        Ok(())
    }
}
