//! Format 1 to format 2, in one transaction.
//!
//! Format 1 had tables of the same form, but no digest, `meta` as name and value, and tasks keyed by their id. Its rows
//! are checked as they are read; a damaged one leaves the file as it is.

use std::path::Path;

use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::digest::SetDigest;
use super::meta::{self, Meta};
use super::{fault, schema};
use crate::record::checksum;
use crate::{Kind, Record, StoreError};

/// Table `meta` as format 1 had it.
pub(super) const META_OF_FORMAT_1: &str =
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID";

/// Brings the file to the present format.
///
/// # Errors
/// A damaged row, or the disk; the file is then as before.
pub(super) fn upgrade(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let read = |error: rusqlite::Error| fault::reading(path, &error);
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(read)?;
    let version = transaction
        .query_row("SELECT value FROM meta WHERE name = 'version'", [], |row| row.get::<_, u64>(0))
        .map_err(read)?;
    transaction.execute_batch(&format!("DROP TABLE meta; {}", meta::TABLE)).map_err(read)?;
    let mut digest = SetDigest::default();
    for kind in Kind::ALL {
        digest.add(rewrite(&transaction, *kind, version, path)?);
    }
    Meta { version, previous: 0, digest }.insert(&transaction).map_err(read)?;
    transaction.pragma_update(None, "user_version", schema::FORMAT).map_err(read)?;
    transaction.commit().map_err(read)?;
    tracing::info!(path = %path.display(), format = schema::FORMAT, "the store was brought to the present format");
    Ok(())
}

/// Writes a table anew with the present keys; the digest of its rows.
fn rewrite(transaction: &Transaction<'_>, kind: Kind, newest: u64, path: &Path) -> Result<SetDigest, StoreError> {
    let read = |error: rusqlite::Error| fault::reading(path, &error);
    let table = kind.table();
    let make = format!("ALTER TABLE {table} RENAME TO old; {}", schema::table(kind));
    transaction.execute_batch(&make).map_err(read)?;
    let mut digest = SetDigest::default();
    {
        let put = format!("INSERT INTO {table} (key, version, body, crc) VALUES (?1, ?2, ?3, ?4)");
        let mut put = transaction.prepare(&put).map_err(read)?;
        let mut select = transaction.prepare("SELECT key, version, body, crc FROM old").map_err(read)?;
        let mut rows = select.query([]).map_err(read)?;
        while let Some(row) = rows.next().map_err(read)? {
            let text = |index| row.get_ref(index).and_then(|value| Ok(value.as_str()?)).map_err(read);
            let (old_key, body) = (text(0)?, text(2)?);
            let (version, crc): (u64, u32) = (row.get(1).map_err(read)?, row.get(3).map_err(read)?);
            if checksum(kind, old_key, version, body) != crc || version > newest {
                return Err(fault::damaged(
                    path,
                    format!("row {old_key} in table {table} has a wrong checksum or version"),
                ));
            }
            let key = Record::decode(kind, body).map_err(|error| fault::damaged(path, error))?.key();
            let crc = checksum(kind, &key, version, body);
            put.execute(params![key, version, body, crc]).map_err(read)?;
            digest.add(SetDigest::of(kind, &key, version, crc));
        }
    }
    transaction.execute_batch("DROP TABLE old").map_err(read)?;
    Ok(digest)
}
