//! SQLite's side: the rows that the server wrote since the last time, written again by SQLite and nothing else.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags, Statement, TransactionBehavior, params};

use super::Replayed;
use super::server_side::Place;

/// The tables that RunTask writes, with the cluster's at the end.
const TABLES: [&str; 3] = ["client_tokens", "tasks", "clusters"];
/// The cluster, whose row every transaction writes again.
const CLUSTERS: usize = 2;

/// A row as it stands in the file.
struct Row {
    table: usize,
    key: String,
    version: i64,
    body: String,
    crc: i64,
}

/// A second file with the same tables on the same disk.
pub struct Baseline {
    server: Connection,
    own: Connection,
    /// What was replayed up to this version.
    version: i64,
}

impl Baseline {
    /// Makes the file and copies what is there so far.
    ///
    /// # Errors
    /// The disk.
    pub fn beside(place: &Place) -> Result<Self, String> {
        Self::new(&place.file(), &place.beside("replayed.db")).map_err(|error| failed(&error))
    }

    fn new(server: &Path, own: &Path) -> rusqlite::Result<Self> {
        let server = Connection::open_with_flags(server, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        server.busy_timeout(Duration::from_secs(10))?;
        let own = Connection::open(own)?;
        // As `crates/store` sets them.
        own.pragma_update(
            None,
            "page_size",
            server.pragma_query_value(None, "page_size", |row| row.get::<_, i64>(0))?,
        )?;
        own.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
        own.pragma_update(None, "journal_mode", "WAL")?;
        own.pragma_update(None, "synchronous", "FULL")?;
        own.pragma_update(None, "journal_size_limit", 64 << 20)?;
        own.pragma_update(None, "wal_autocheckpoint", 4096)?;
        own.pragma_update(None, "cache_size", -(16 << 10))?;
        let mut tables = server.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL")?;
        for sql in tables.query_map([], |row| row.get::<_, String>(0))? {
            own.execute_batch(&sql?)?;
        }
        drop(tables);
        // Whatever columns it has: its row is copied and then updated as it is.
        own.execute_batch("CREATE TABLE batches (id INTEGER PRIMARY KEY, version INTEGER NOT NULL); INSERT INTO batches VALUES (1, 0)")?;
        Ok(Self { server, own, version: 0 })
    }

    /// Writes what the server has written since the last time, with the rows of `batch` calls in a transaction.
    ///
    /// # Errors
    /// The disk.
    pub fn replay(&mut self, batch: f64) -> Result<Replayed, String> {
        self.replay_rows(batch.max(1.0)).map_err(|error| failed(&error))
    }

    fn replay_rows(&mut self, batch: f64) -> rusqlite::Result<Replayed> {
        let calls = self.calls_since()?;
        let mut cluster = self.rows(CLUSTERS, -1)?;
        let transactions = transactions(calls, batch, cluster.pop());
        let calls: usize = transactions.iter().map(|transaction| transaction.calls).sum();
        let (cpu, started) = (thread_cpu(), Instant::now());
        for transaction in &transactions {
            let open = self.own.transaction_with_behavior(TransactionBehavior::Immediate)?;
            {
                let mut put = Vec::new();
                for table in TABLES {
                    let sql =
                        format!("INSERT OR REPLACE INTO {table} (key, version, body, crc) VALUES (?1, ?2, ?3, ?4)");
                    put.push(open.prepare_cached(&sql)?);
                }
                for row in &transaction.rows {
                    write(&mut put, row)?;
                }
                let mut mark = open.prepare_cached("UPDATE batches SET version = ?1 WHERE id = 1")?;
                mark.execute([transaction.version])?;
            }
            open.commit()?;
        }
        Ok(Replayed {
            calls: calls as u64,
            elapsed: started.elapsed(),
            cpu: thread_cpu() - cpu,
            batches: transactions.len() as u64,
        })
    }

    /// The rows of each call since the last time, by the version that names the call.
    fn calls_since(&mut self) -> rusqlite::Result<BTreeMap<i64, Vec<Row>>> {
        let mut calls: BTreeMap<i64, Vec<Row>> = BTreeMap::new();
        for table in 0..CLUSTERS {
            for row in self.rows(table, self.version)? {
                calls.entry(row.version).or_default().push(row);
            }
        }
        self.version = calls.last_key_value().map_or(self.version, |(version, _)| *version);
        Ok(calls)
    }

    fn rows(&self, table: usize, after: i64) -> rusqlite::Result<Vec<Row>> {
        let name = TABLES.get(table).copied().unwrap_or_default();
        let sql = format!("SELECT key, version, body, crc FROM {name} WHERE version > ?1");
        let mut statement = self.server.prepare(&sql)?;
        let rows = statement.query_map([after], |row| {
            Ok(Row { table, key: row.get(0)?, version: row.get(1)?, body: row.get(2)?, crc: row.get(3)? })
        })?;
        rows.collect()
    }
}

/// The rows of one transaction.
struct Transaction {
    rows: Vec<Row>,
    version: i64,
    calls: usize,
}

/// Cuts calls into transactions of `batch` calls on average, each with the cluster's row, in the order of their keys.
fn transactions(calls: BTreeMap<i64, Vec<Row>>, batch: f64, cluster: Option<Row>) -> Vec<Transaction> {
    let (mut transactions, mut begun, mut due) = (Vec::new(), 0.0, 0.0);
    let mut open = Transaction { rows: Vec::new(), version: 0, calls: 0 };
    let last = calls.len();
    for (number, (version, rows)) in calls.into_iter().enumerate() {
        open.rows.extend(rows);
        (open.version, open.calls) = (version, open.calls + 1);
        begun += 1.0;
        if begun >= due + batch || number + 1 == last {
            due += batch;
            open.rows.extend(cluster.as_ref().map(|row| Row { key: row.key.clone(), body: row.body.clone(), ..*row }));
            open.rows.sort_by(|a, b| (a.table, &a.key).cmp(&(b.table, &b.key)));
            transactions.push(std::mem::replace(&mut open, Transaction { rows: Vec::new(), version: 0, calls: 0 }));
        }
    }
    transactions
}

fn write(put: &mut [rusqlite::CachedStatement<'_>], row: &Row) -> rusqlite::Result<()> {
    let Some(put) = put.get_mut(row.table) else { return Ok(()) };
    let put: &mut Statement<'_> = put;
    put.execute(params![row.key, row.version, row.body, row.crc]).map(drop)
}

/// CPU time of this thread.
fn thread_cpu() -> Duration {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = text.split(' ').next().and_then(|nanos| nanos.parse().ok());
    Duration::from_nanos(nanos.unwrap_or_default())
}

fn failed(error: &rusqlite::Error) -> String {
    format!("the rows cannot be written again: {error}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_cut_into_transactions_of_the_mean_size() {
        let row = |table: usize, version: i64| Row {
            table,
            key: format!("{}", 9 - version),
            version,
            body: String::new(),
            crc: 0,
        };
        let calls: BTreeMap<i64, Vec<Row>> =
            (1..=5).map(|version| (version, vec![row(1, version), row(0, version)])).collect();
        let cut = transactions(calls, 1.5, Some(row(CLUSTERS, 7)));
        assert_eq!(cut.iter().map(|one| one.calls).collect::<Vec<_>>(), [2, 1, 2]);
        let keys: Vec<_> = cut[0].rows.iter().map(|row| (row.table, row.version)).collect();
        assert_eq!(keys, [(0, 2), (0, 1), (1, 2), (1, 1), (CLUSTERS, 7)]);
    }
}
