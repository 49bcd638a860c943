//! A backend for tests: rows in memory, which a clone shares, so that a store can be opened again on the same rows.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Batch, Durable};
use crate::record::Row;
use crate::{Kind, Record, StoreError};

#[derive(Debug, Default)]
struct Rows {
    version: u64,
    rows: BTreeMap<(Kind, String), Row>,
}

/// Rows in memory; clones share them.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    rows: Arc<Mutex<Rows>>,
}

impl Memory {
    fn lock(&self) -> MutexGuard<'_, Rows> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Durable for Memory {
    fn load(&mut self, insert: &mut dyn FnMut(Record)) -> Result<u64, StoreError> {
        let held = self.lock();
        for row in held.rows.values() {
            insert(Record::decode(row.kind, row.body.as_deref().unwrap_or_default())?);
        }
        Ok(held.version)
    }

    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
        let mut held = self.lock();
        if held.version != batch.previous {
            return Err(StoreError::Moved { expected: batch.previous, found: held.version });
        }
        for row in &batch.rows {
            let key = (row.kind, row.key.clone());
            if row.body.is_some() {
                held.rows.insert(key, row.clone());
            } else {
                held.rows.remove(&key);
            }
        }
        held.version = batch.version;
        Ok(())
    }

    fn version(&mut self) -> Result<u64, StoreError> {
        Ok(self.lock().version)
    }
}
