//! Space: how a file is laid out, and how pages that are no longer needed go back to the disk.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::schema::PAGE_SIZE;

/// Free pages that a file may keep for the next rows, however small it is: 256 KiB.
const KEPT_PAGES: i64 = 32;
/// Besides, one page in so many may be free.
const KEPT_SHARE: i64 = 8;
/// Pages that one transaction gives back.
const SLICE_PAGES: i64 = 256;
/// How long one call goes on giving back.
const TURN: Duration = Duration::from_millis(50);

fn pragma(connection: &Connection, name: &str) -> rusqlite::Result<i64> {
    connection.prepare_cached(&format!("PRAGMA {name}"))?.query_row([], |row| row.get(0))
}

/// Gives free pages back to the disk while there are too many and time is left. The file itself shrinks when the log is
/// next brought into it.
pub(super) fn give_back(connection: &Connection) -> rusqlite::Result<()> {
    let begun = Instant::now();
    loop {
        let free = pragma(connection, "freelist_count")?;
        let kept = KEPT_PAGES.max(pragma(connection, "page_count")? / KEPT_SHARE);
        if free <= kept || begun.elapsed() >= TURN {
            return Ok(());
        }
        let slice = (free - kept).min(SLICE_PAGES);
        let mut statement = connection.prepare(&format!("PRAGMA incremental_vacuum({slice})"))?;
        let mut steps = statement.query([])?;
        while steps.next()?.is_some() {}
        if pragma(connection, "freelist_count")? >= free {
            return Ok(());
        }
    }
}

/// Gives a file of another layout ours, by writing it anew once. One that another program is reading keeps its layout
/// until a later start; it only takes more space.
pub(super) fn arrange(connection: &Connection, path: &Path) {
    let arranged = || -> rusqlite::Result<bool> {
        Ok(pragma(connection, "auto_vacuum")? == 2 && pragma(connection, "page_size")? == PAGE_SIZE)
    };
    let write_anew = || -> rusqlite::Result<()> {
        connection.pragma_update(None, "journal_mode", "DELETE")?;
        connection.pragma_update(None, "page_size", PAGE_SIZE)?;
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
        connection.execute_batch("VACUUM")
    };
    match arranged() {
        Ok(true) => return,
        Ok(false) => {}
        Err(error) => return tracing::warn!(path = %path.display(), %error, "the layout cannot be read"),
    }
    if let Err(error) = write_anew() {
        tracing::warn!(path = %path.display(), %error, "the file keeps its old layout, which takes more space");
    }
    if let Err(error) = connection.pragma_update(None, "journal_mode", "WAL") {
        tracing::warn!(path = %path.display(), %error, "the file has no write-ahead log");
    }
}
