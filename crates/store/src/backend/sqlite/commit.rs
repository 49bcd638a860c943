//! A batch as one transaction: its rows, and the row of `meta` that says so.

use rusqlite::{Connection, OptionalExtension, Row as SqlRow, Transaction, TransactionBehavior, params};

use super::digest::SetDigest;
use super::meta::Meta;
use crate::Kind;
use crate::backend::Batch;
use crate::record::{Row, checksum};

/// The statements of one kind.
#[derive(Debug)]
struct OfKind {
    find: String,
    put: String,
    delete: String,
}

/// The statements of every kind, in the order of [`Kind::ALL`].
#[derive(Debug)]
pub(super) struct Statements(Vec<OfKind>);

impl Default for Statements {
    fn default() -> Self {
        let of = |kind: &Kind| {
            let table = kind.table();
            OfKind {
                find: format!("SELECT version, crc FROM {table} WHERE key = ?1"),
                put: format!("INSERT OR REPLACE INTO {table} (key, version, body, crc) VALUES (?1, ?2, ?3, ?4)"),
                delete: format!("DELETE FROM {table} WHERE key = ?1 RETURNING version, crc"),
            }
        };
        Self(Kind::ALL.iter().map(of).collect())
    }
}

/// What became of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    /// It is durable.
    Durable,
    /// Nothing was written: the file is of this version, which is not what the batch is built on.
    Moved(u64),
    /// Nothing was written: the file does not say what it is, for this reason.
    Damaged(&'static str),
}

impl Statements {
    /// Writes the batch, whole or not at all.
    ///
    /// # Errors
    /// The disk; whether the batch is there is not known.
    pub(super) fn write(&self, connection: &mut Connection, batch: &Batch) -> rusqlite::Result<Written> {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let meta = match Meta::read(&transaction)? {
            Ok(meta) if meta.version == batch.previous => meta,
            Ok(meta) => return Ok(Written::Moved(meta.version)),
            Err(reason) => return Ok(Written::Damaged(reason)),
        };
        let mut digest = meta.digest;
        for row in &batch.rows {
            self.write_row(&transaction, row, &mut digest)?;
        }
        let next = Meta { version: batch.version, previous: batch.previous, digest };
        if !next.follow(&transaction)? {
            return Ok(Written::Moved(meta.version));
        }
        transaction.commit().map(|()| Written::Durable)
    }

    fn write_row(&self, transaction: &Transaction<'_>, row: &Row, digest: &mut SetDigest) -> rusqlite::Result<()> {
        let Some(sql) = self.0.get(row.kind as usize) else { return Ok(()) };
        let mark = |found: &SqlRow<'_>| Ok(SetDigest::of(row.kind, &row.key, found.get(0)?, found.get(1)?));
        let find = if row.body.is_some() { &sql.find } else { &sql.delete };
        if let Some(old) = transaction.prepare_cached(find)?.query_row([&row.key], mark).optional()? {
            digest.take_out(old);
        }
        if let Some(body) = &row.body {
            let crc = checksum(row.kind, &row.key, row.version, body);
            transaction.prepare_cached(&sql.put)?.execute(params![row.key, row.version, body, crc])?;
            digest.add(SetDigest::of(row.kind, &row.key, row.version, crc));
        }
        Ok(())
    }
}
