//! The embedded backend: one SQLite file, WAL, `synchronous=FULL`, normal locking.
//!
//! One table a kind of record: `key`, `version`, `body` (JSON, readable with `sqlite3 -readonly`), `crc`. Table `meta`
//! holds the version of the last batch and the digest of all rows. `application_id` and `user_version` say what the file
//! is and in which format. A file that is damaged, incomplete or of a newer format is refused, and not one byte of it is
//! changed. A disk that is full or read-only makes commits fail, and nothing else; they work again when it does.

mod backup;
mod commit;
mod digest;
mod fault;
mod load;
mod meta;
mod restore;
mod schema;
mod space;
mod upgrade;
mod witness;

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

pub use self::backup::{Backup, BackupError, backup};
pub use self::restore::{RestoreError, Restored, restore};

use self::commit::{Statements, Written};
use self::meta::Meta;
use self::schema::Found;
use self::witness::Witness;
use super::{Batch, Durable};
use crate::{Record, StoreError};

/// How long a lock of another program is waited for.
const BUSY: Duration = Duration::from_secs(10);
/// How long the beginning waits for programs that read.
const READERS: Duration = Duration::from_secs(1);
/// Pages of log after which a commit brings them into the file: 32 MiB.
const CHECKPOINT_PAGES: i64 = 4096;
/// Bytes that the log keeps on disk when it is not needed.
const LOG_BYTES: i64 = 64 << 20;
/// KiB of pages in memory, for the writing connection.
const CACHE_KIB: i64 = 16 << 10;

/// An open file.
pub struct Sqlite {
    path: PathBuf,
    connection: Connection,
    statements: Statements,
    witness: Witness,
    /// Whether the log was begun anew since the file was opened.
    begun: bool,
}

impl Sqlite {
    /// Opens the file, or makes it where there is none; brings an older format up to date.
    ///
    /// # Errors
    /// Damaged, newer, not ours, or the disk.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let found = schema::examine(path)?;
        let witness = Witness::beside(path);
        if found == Found::Nothing {
            witness.allows_an_empty_file(path)?;
        }
        let open = |error: rusqlite::Error| fault::reading(path, &error);
        let mut connection = connect(path, found).map_err(open)?;
        if connection.is_readonly("main").map_err(open)? {
            let reason = "the file is read-only; make it writable for this user, and its disk not read-only";
            return Err(StoreError::Open { path: path.to_path_buf(), reason: reason.into() });
        }
        match found {
            Found::Nothing => schema::create(&connection).map_err(open)?,
            Found::Older => upgrade::upgrade(&mut connection, path)?,
            Found::Store => {}
        }
        Ok(Self { path: path.to_path_buf(), connection, statements: Statements::default(), witness, begun: false })
    }

    /// Brings the log into the file and begins it anew, both synced. What was read may have been in the system's cache
    /// only, where the end of a process leaves it; after a sync that failed it would never reach the disk, and
    /// everything written after it would be lost with it. While another program reads, the log cannot begin anew.
    fn begin_log_anew(&self) -> rusqlite::Result<()> {
        self.connection.busy_timeout(READERS)?;
        let busy = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0))?;
        self.connection.busy_timeout(BUSY)?;
        if busy != 0 {
            tracing::warn!(path = %self.path.display(), "another program reads the store; its log is kept as it is");
        }
        // A commit syncs the log with its new beginning.
        self.connection.pragma_update(None, "user_version", schema::FORMAT)
    }

    fn meta(&self) -> Result<Meta, StoreError> {
        let meta = Meta::read(&self.connection).map_err(|error| fault::reading(&self.path, &error))?;
        meta.map_err(|reason| fault::damaged(&self.path, reason))
    }
}

/// The connection that writes.
fn connect(path: &Path, found: Found) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    // Until the content is known to be good, closing must not bring the log into the file.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    if found == Found::Nothing {
        // Before the first page is written.
        connection.pragma_update(None, "page_size", schema::PAGE_SIZE)?;
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    }
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "journal_size_limit", LOG_BYTES)?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

impl Durable for Sqlite {
    fn load(&mut self, insert: &mut dyn FnMut(Record)) -> Result<u64, StoreError> {
        let meta = load::load(&self.path, insert)?;
        self.witness.check(&self.path, meta.version)?;
        if !self.begun {
            self.begin_log_anew().map_err(|error| fault::reading(&self.path, &error))?;
            self.begun = true;
        }
        self.connection
            .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)
            .map_err(|error| fault::reading(&self.path, &error))?;
        space::arrange(&self.connection, &self.path);
        Ok(meta.version)
    }

    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
        match self.statements.write(&mut self.connection, batch) {
            Ok(Written::Durable) => {
                self.witness.saw(batch.version);
                Ok(())
            }
            Ok(Written::Moved(found)) => Err(StoreError::Moved { expected: batch.previous, found }),
            Ok(Written::Damaged(reason)) => Err(fault::damaged(&self.path, reason)),
            Err(error) => Err(fault::writing(&self.path, &error)),
        }
    }

    fn version(&mut self) -> Result<u64, StoreError> {
        self.meta().map(|meta| meta.version)
    }

    fn tidy(&mut self) -> Result<(), StoreError> {
        space::give_back(&self.connection).map_err(|error| fault::writing(&self.path, &error))
    }
}
