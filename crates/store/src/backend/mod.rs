//! What makes a batch durable. One test suite judges every backend.

pub mod memory;
pub mod sqlite;

use crate::record::Row;
use crate::{Record, StoreError};

/// A batch of updates, one row a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Version of its last transaction.
    pub version: u64,
    /// Its rows.
    pub rows: Vec<Row>,
}

/// A durability backend.
pub trait Durable: Send {
    /// Hands every record to `insert`, kind by kind in the order of [`crate::Kind::ALL`]; the version of the last batch.
    ///
    /// # Errors
    /// A damaged or newer store, or the disk.
    fn load(&mut self, insert: &mut dyn FnMut(Record)) -> Result<u64, StoreError>;

    /// Makes a batch durable, whole or not at all.
    ///
    /// # Errors
    /// It is not known whether the batch is there: ask [`Durable::version`].
    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError>;

    /// Version of the last durable batch.
    ///
    /// # Errors
    /// The disk.
    fn version(&mut self) -> Result<u64, StoreError>;
}
