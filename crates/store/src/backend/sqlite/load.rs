//! Loading: two threads, each with a read-only connection of its own, read a table from its two ends until they meet,
//! decode, and hand their records over in chunks.
//!
//! Every page of every table is read once, every row is checked (checksum, version, order of the keys, key of the record),
//! and the digest over all rows must be what `meta` says: no row is missing, doubled or older than the last batch. Chunks
//! and the queue between the threads are bounded, so loading needs little memory beside the state itself.

use std::path::Path;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};

use rusqlite::Connection;

use super::digest::SetDigest;
use super::meta::Meta;
use super::{fault, schema};
use crate::record::checksum;
use crate::{Kind, Record, StoreError};

/// A chunk ends at so many rows,
const CHUNK_ROWS: usize = 256;
/// or at so many bytes of bodies.
const CHUNK_BYTES: usize = 512 << 10;
/// Chunks that wait for the inserting thread.
const CHUNKS: usize = 4;

/// From which end a table is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum From {
    Start,
    End,
}

/// A row that was read.
struct Loaded {
    key: String,
    mark: SetDigest,
    record: Record,
}

/// Where the two readers of a table are: what lies outside of the two keys is taken.
#[derive(Debug, Default)]
struct Frontier(Mutex<(Option<String>, Option<String>)>);

impl Frontier {
    /// Takes the rows of a chunk for the reader of one end, except those that the other has taken, which are dropped from
    /// the chunk; true if there were any, so that the two have met.
    fn take(&self, from: From, chunk: &mut Vec<Loaded>) -> bool {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (low, high) = &mut *taken;
        let free = chunk.partition_point(|row| match from {
            From::Start => high.as_ref().is_none_or(|high| row.key < *high),
            From::End => low.as_ref().is_none_or(|low| row.key > *low),
        });
        let met = free < chunk.len();
        chunk.truncate(free);
        if let Some(last) = chunk.last() {
            let mine = if from == From::Start { low } else { high };
            *mine = Some(last.key.clone());
        }
        met
    }
}

/// Reads the whole file; what it says of itself.
///
/// # Errors
/// Damaged, or the disk.
pub(super) fn load(path: &Path, insert: &mut dyn FnMut(Record)) -> Result<Meta, StoreError> {
    let readers = [From::Start, From::End].map(|from| Reader::open(path, from));
    let [first, second] = readers;
    let mut readers = [first?, second?];
    let [meta, other] = [readers[0].meta, readers[1].meta];
    if meta != other {
        return Err(StoreError::Moved { expected: meta.version, found: other.version });
    }
    let mut digest = SetDigest::default();
    for kind in Kind::ALL {
        digest.add(load_kind(&mut readers, *kind, insert)?);
    }
    if digest != meta.digest {
        let reason = "the rows are not those of the last batch: some are missing, doubled or older";
        return Err(fault::damaged(path, reason));
    }
    Ok(meta)
}

fn load_kind(
    readers: &mut [Reader<'_>; 2],
    kind: Kind,
    insert: &mut dyn FnMut(Record),
) -> Result<SetDigest, StoreError> {
    let frontier = Frontier::default();
    std::thread::scope(|scope| {
        let (sender, chunks) = sync_channel(CHUNKS);
        let scans = readers.each_mut().map(|reader| {
            let (sender, frontier) = (sender.clone(), &frontier);
            scope.spawn(move || reader.scan(kind, frontier, &sender))
        });
        drop(sender);
        for chunk in chunks {
            chunk.into_iter().for_each(&mut *insert);
        }
        let mut digest = SetDigest::default();
        for scan in scans {
            digest.add(scan.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
        }
        Ok(digest)
    })
}

/// One of the two.
struct Reader<'a> {
    path: &'a Path,
    connection: Connection,
    from: From,
    meta: Meta,
}

impl<'a> Reader<'a> {
    fn open(path: &'a Path, from: From) -> Result<Self, StoreError> {
        let connection = schema::open_to_read(path)?;
        let meta = Meta::read(&connection).map_err(|error| fault::reading(path, &error))?;
        let meta = meta.map_err(|reason| fault::damaged(path, reason))?;
        Ok(Self { path, connection, from, meta })
    }

    /// Reads the table until the other reader is met; the digest of what it handed over.
    fn scan(&self, kind: Kind, frontier: &Frontier, chunks: &SyncSender<Vec<Record>>) -> Result<SetDigest, StoreError> {
        let read = |error: rusqlite::Error| fault::reading(self.path, &error);
        let order = if self.from == From::Start { "ASC" } else { "DESC" };
        let sql = format!("SELECT key, version, body, crc FROM {} ORDER BY key {order}", kind.table());
        let mut statement = self.connection.prepare(&sql).map_err(read)?;
        let mut rows = statement.query([]).map_err(read)?;
        let mut digest = SetDigest::default();
        let mut before: Option<String> = None;
        loop {
            let (mut chunk, mut bytes, mut ended) = (Vec::with_capacity(CHUNK_ROWS), 0, false);
            while chunk.len() < CHUNK_ROWS && bytes < CHUNK_BYTES {
                let Some(row) = rows.next().map_err(read)? else {
                    ended = true;
                    break;
                };
                let (loaded, length) = self.check(kind, row)?;
                bytes += length;
                let previous = chunk.last().map(|row: &Loaded| &row.key).or(before.as_ref());
                let wanted =
                    if self.from == From::Start { std::cmp::Ordering::Less } else { std::cmp::Ordering::Greater };
                if previous.is_some_and(|previous| previous.cmp(&loaded.key) != wanted) {
                    return Err(self.damaged(kind, &loaded.key, "is not in its place"));
                }
                chunk.push(loaded);
            }
            before = chunk.last().map(|row| row.key.clone()).or(before);
            let met = frontier.take(self.from, &mut chunk);
            chunk.iter().for_each(|row| digest.add(row.mark));
            let records: Vec<Record> = chunk.into_iter().map(|row| row.record).collect();
            let nobody = !records.is_empty() && chunks.send(records).is_err();
            if met || ended || nobody {
                return Ok(digest);
            }
        }
    }

    /// A row, if it is one of the last batch or before, and undamaged; and the length of its body.
    fn check(&self, kind: Kind, row: &rusqlite::Row<'_>) -> Result<(Loaded, usize), StoreError> {
        let read = |error: rusqlite::Error| fault::reading(self.path, &error);
        let text = |index| row.get_ref(index).and_then(|value| Ok(value.as_str()?)).map_err(read);
        let (key, body) = (text(0)?, text(2)?);
        let (version, crc): (u64, u32) = (row.get(1).map_err(read)?, row.get(3).map_err(read)?);
        if checksum(kind, key, version, body) != crc {
            return Err(self.damaged(kind, key, "has a wrong checksum"));
        }
        if version > self.meta.version {
            return Err(self.damaged(kind, key, "is newer than the last batch"));
        }
        let record = Record::decode(kind, body).map_err(|error| fault::damaged(self.path, error))?;
        if record.key() != key {
            return Err(self.damaged(kind, key, "holds another record"));
        }
        let mark = SetDigest::of(kind, key, version, crc);
        Ok((Loaded { key: key.to_owned(), mark, record }, body.len()))
    }

    fn damaged(&self, kind: Kind, key: &str, what: &str) -> StoreError {
        fault::damaged(self.path, format!("row {key} in table {} {what}", kind.table()))
    }
}
