//! The one row of table `meta`: the last batch, the one it was built on, and the digest of all rows, with a checksum.
//!
//! It is written in the transaction of every batch, so it always says what the other tables hold.

use rusqlite::{Connection, OptionalExtension, params};

use super::digest::SetDigest;

/// The table; a file whose table differs is not of this format.
pub(super) const TABLE: &str = "CREATE TABLE meta (id INTEGER PRIMARY KEY CHECK (id = 1), version INTEGER NOT NULL, \
     previous INTEGER NOT NULL, digest TEXT NOT NULL, crc INTEGER NOT NULL)";

/// What the file says of itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Meta {
    /// Version of the last batch; 0 in a new file.
    pub version: u64,
    /// Version of the batch that it was built on.
    pub previous: u64,
    /// Digest of the rows of all kinds.
    pub digest: SetDigest,
}

impl Meta {
    fn checksum(&self) -> u32 {
        crc32fast::hash(format!("{}/{}/{}", self.version, self.previous, self.digest).as_bytes())
    }

    /// Reads it; the inner error says what is wrong with the row.
    ///
    /// # Errors
    /// The disk, or a damaged file.
    pub(crate) fn read(connection: &Connection) -> rusqlite::Result<Result<Self, &'static str>> {
        let sql = "SELECT version, previous, digest, crc FROM meta WHERE id = 1";
        let row = connection.prepare_cached(sql)?.query_row([], |row| {
            let digest = row.get_ref(2)?.as_str()?.parse();
            Ok((row.get(0)?, row.get(1)?, digest, row.get::<_, u32>(3)?))
        });
        let Some((version, previous, digest, crc)) = row.optional()? else {
            return Ok(Err("table meta has no row"));
        };
        let Ok(digest) = digest else { return Ok(Err("the digest in table meta is no number")) };
        let meta = Self { version, previous, digest };
        Ok(if meta.checksum() == crc { Ok(meta) } else { Err("the checksum of table meta is wrong") })
    }

    /// Makes the first row.
    ///
    /// # Errors
    /// The disk.
    pub(crate) fn insert(&self, connection: &Connection) -> rusqlite::Result<()> {
        let sql = "INSERT INTO meta (id, version, previous, digest, crc) VALUES (1, ?1, ?2, ?3, ?4)";
        let digest = self.digest.to_string();
        connection.execute(sql, params![self.version, self.previous, digest, self.checksum()]).map(|_| ())
    }

    /// Writes it over the row of its `previous`; false if the row is of another version, which then stays.
    ///
    /// # Errors
    /// The disk.
    pub(crate) fn follow(&self, connection: &Connection) -> rusqlite::Result<bool> {
        let sql = "UPDATE meta SET version = ?1, previous = ?2, digest = ?3, crc = ?4 WHERE id = 1 AND version = ?2";
        let digest = self.digest.to_string();
        let mut update = connection.prepare_cached(sql)?;
        Ok(update.execute(params![self.version, self.previous, digest, self.checksum()])? == 1)
    }
}
