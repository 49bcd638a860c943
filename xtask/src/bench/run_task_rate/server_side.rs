//! The server's side: a store with room for any number of tasks, a server over it, and load on that.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::Duration;

use longshore_domain::Resources;
use longshore_domain::cluster::ClusterRecord;
use longshore_domain::node::NodeRecord;
use longshore_store::{Backend, Options, Record, Store};
use tempfile::TempDir;

use super::{Case, Stretch};
use crate::bench::fleet_records::{MOMENT, definition, instance, node, scope};
use crate::bench::fleet_store::{self, CLUSTER, FILE, put_all};
use crate::bench::http_client::Connection;
use crate::bench::load::Load;
use crate::bench::pages::{Request, unix_seconds};
use crate::bench::server::ServerProcess;

/// More calls a second than any server here answers; so many requests are signed beforehand.
const MOST_PER_SECOND: u64 = 25_000;

/// The first transaction's number, which makes the cluster.
const INCARNATION: u64 = 1;

const FLAGS: [&str; 4] = ["--builtin-node", "none", "--log-level", "warn"];

/// A data directory whose one cluster has one instance, on a machine of endless size.
pub struct Place {
    directory: TempDir,
}

impl Place {
    /// Makes it.
    ///
    /// # Errors
    /// The disk.
    pub fn new() -> Result<Self, String> {
        let failed = |error: &dyn std::fmt::Display| format!("cannot make a store: {error}");
        let directory = fleet_store::data_dir()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| failed(&e))?;
        let backend = Backend::Sqlite(directory.path().to_owned());
        let store = Store::open(Options::new(backend)).map_err(|e| failed(&e))?;
        let (family, definition) = definition(0);
        let capacity = Resources { cpu: 1 << 50, memory: 1 << 50, tcp_ports: vec![22], udp_ports: vec![] };
        let records = [
            Record::from(ClusterRecord::new(scope(), CLUSTER, INCARNATION, MOMENT)),
            Record::from(family),
            Record::from(definition),
            Record::from(NodeRecord { capacity, ..node(0) }),
            Record::from(instance(INCARNATION, 0)),
        ];
        runtime.block_on(async {
            put_all(&store, records.into_iter()).await?;
            store.close().await.map_err(|error| failed(&error))
        })?;
        Ok(Self { directory })
    }

    /// The store's file.
    pub fn file(&self) -> PathBuf {
        self.directory.path().join(FILE)
    }

    /// A file beside it.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }
}

/// A server that runs.
pub struct ServerSide {
    server: ServerProcess,
    family: String,
    /// Calls that were signed so far; makes every token another.
    signed: u64,
}

impl ServerSide {
    /// Starts it.
    ///
    /// # Errors
    /// It does not start.
    pub fn start(place: &Place) -> Result<Self, String> {
        let server = ServerProcess::longshore(place.directory.path(), &FLAGS)?;
        Ok(Self { server, family: definition(0).0.family.to_string(), signed: 0 })
    }

    /// Puts load on it.
    ///
    /// # Errors
    /// A call that is not answered with success.
    pub fn load(&mut self, case: Case, duration: Duration) -> Result<Stretch, String> {
        let seconds = duration.as_secs_f64() + 0.5;
        // A further task costs at least a quarter of what the call costs.
        let most = MOST_PER_SECOND as f64 * seconds * 4.0 / f64::from(case.count + 3);
        let pool = self.pool(case.count, most as u64);
        let signed = pool.len() as u64;
        let load =
            Load { address: &self.server.address, pool, lengths_vary: true, connections: case.connections, duration };
        let before = self.counters()?;
        let threads = RefCell::new(Vec::new());
        let measured = load.run(|| {
            threads.borrow_mut().push(thread_cpu(self.server.pid())?);
            self.server.cpu()
        })?;
        let after = self.counters()?;
        let done = |name: &str| (after.get(name).unwrap_or(&0.0) - before.get(name).unwrap_or(&0.0)).max(0.0);
        if done("longshore_store_batch_updates_total") >= signed as f64 {
            return Err("too few requests were signed, so some were answered from their tokens".to_owned());
        }
        let threads = threads.into_inner();
        let of_thread = |name: &str| {
            let at =
                |index: usize| threads.get(index).and_then(|threads| threads.get(name).copied()).unwrap_or_default();
            at(1).saturating_sub(at(0))
        };
        Ok(Stretch {
            calls: measured.answers,
            elapsed: measured.elapsed,
            cpu: measured.cpu,
            commit_cpu: of_thread("store-commit"),
            decide_cpu: of_thread("store-decide"),
            batch: done("longshore_store_batch_updates_total") / done("longshore_store_batches_total").max(1.0),
            latencies: measured.latencies,
        })
    }

    /// Ends it.
    ///
    /// # Errors
    /// It does not end.
    pub fn stop(self) -> Result<(), String> {
        self.server.stop()
    }

    /// Calls as boto3 makes them, each with a token of its own.
    fn pool(&mut self, count: u32, requests: u64) -> Vec<Request> {
        let (signer, now) = (self.server.signer(), unix_seconds());
        let first = self.signed;
        self.signed += requests;
        (first..self.signed)
            .map(|number| {
                let body = format!(
                    "{{\"cluster\": \"{CLUSTER}\", \"count\": {count}, \"launchType\": \"EC2\", \"startedBy\": \"ci\", \
                     \"taskDefinition\": \"{}\", \"clientToken\": \"5d2f6c1e-0f3a-4b51-9c77-{number:012x}\"}}",
                    self.family
                );
                Request { bytes: signer.request("RunTask", &body, now, number), answer_length: 0 }
            })
            .collect()
    }

    /// The server's metrics without labels, by name.
    fn counters(&self) -> Result<BTreeMap<String, f64>, String> {
        let mut connection: Connection<TcpStream> = Connection::tcp(&self.server.address)?;
        let request = format!("GET /metrics HTTP/1.1\r\nHost: {}\r\n\r\n", self.server.address);
        let answer = connection.send(request.as_bytes())?;
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        let counter = |line: &str| Some((line.split(' ').next()?.to_owned(), line.split(' ').nth(1)?.parse().ok()?));
        Ok(text.lines().filter_map(counter).collect())
    }
}

/// CPU time of each thread of a process by its name; those of one name together.
fn thread_cpu(pid: u32) -> Result<BTreeMap<String, Duration>, String> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).map_err(|error| format!("no process {pid}: {error}"))?;
    let mut times = BTreeMap::new();
    for thread in threads.flatten() {
        // Absent: it has just ended.
        let read = |name: &str| fs::read_to_string(thread.path().join(name)).unwrap_or_default();
        let nanos = read("schedstat").split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or_default();
        *times.entry(read("comm").trim().to_owned()).or_default() += Duration::from_nanos(nanos);
    }
    Ok(times)
}
