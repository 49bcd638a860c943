//! Rounds of start and reap: what they leave behind, in memory and in the file.
//!
//! A process of its own opens a fleet's store, with the store's and the reaper's code as the server has them, with the
//! server's allocator, and on a clock of its own: an hour's retention need not be waited for. First it may stop and reap
//! a part of the fleet. Then, in each round, it starts tasks, stops them, and has them reaped. The way through HTTP and
//! the API is not part of it.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use longshore_controllers::{Controller, Reaper, TaskRetention};
use longshore_store::{Backend, Options, Record, Store};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::contents;
use super::fleet::Fleet;
use super::fleet_records::{MOMENT, scope, stopped, task};
use super::fleet_store::{self, CLUSTER, FILE, put_all};
use super::machine;
use super::release;

/// What the worker is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Work {
    /// Tasks of the fleet in the data directory, all running.
    pub fleet: u64,
    /// Of them, every how manieth is stopped and reaped first; 0: none.
    pub reap_every: u64,
    /// Rounds after that.
    pub rounds: u32,
    /// Tasks in a round.
    pub tasks: u32,
}

/// How things are at some moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Seen {
    /// Tasks in the store.
    pub tasks: u64,
    /// Resident memory.
    pub resident: u64,
    /// Of it, heap and stacks.
    pub anonymous: u64,
    /// Bytes of the file.
    pub file: u64,
    /// Bytes of its log, which is empty after a close.
    pub log: u64,
    /// Bytes of all keys and bodies.
    pub live: u64,
}

/// What the worker saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Churned {
    /// The fleet as it was loaded.
    pub loaded: Seen,
    /// After a part of it was reaped.
    pub reaped: Option<Seen>,
    /// After each round.
    pub rounds: Vec<Seen>,
    work: Work,
}

impl Seen {
    /// Bytes on disk for each byte of keys and bodies.
    pub fn overhead(&self) -> f64 {
        self.file as f64 / self.live.max(1) as f64
    }
}

impl Churned {
    /// Memory and file by round, in Markdown.
    pub fn table(&self) -> String {
        let Work { fleet, rounds, tasks, .. } = self.work;
        let mut text = format!(
            "Start and reap, {rounds} rounds of {tasks} tasks beside {fleet} that go on running (store and reaper in a \
             process of their own, without HTTP):\n\n\
             | after | tasks | resident MB | anonymous MB | file MB | file ÷ live data | log MB |\n\
             |---|---:|---:|---:|---:|---:|---:|\n"
        );
        let mut row = |name: String, seen: &Seen| {
            let Seen { tasks, resident, anonymous, file, log, .. } = *seen;
            let [resident, anonymous, file, log] = [resident, anonymous, file, log].map(|bytes| bytes as f64 / 1e6);
            let overhead = seen.overhead();
            text += &format!(
                "| {name} | {tasks} | {resident:.1} | {anonymous:.1} | {file:.1} | {overhead:.2} | {log:.1} |\n"
            );
        };
        row("loading".to_owned(), &self.loaded);
        if let Some(reaped) = &self.reaped {
            row("reaping a part".to_owned(), reaped);
        }
        for (index, seen) in self.rounds.iter().enumerate() {
            row(format!("round {}", index + 1), seen);
        }
        text
    }

    /// The same for other programs.
    pub fn numbers(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

/// Rounds over a fleet as large as one round.
///
/// # Errors
/// What the worker says.
pub fn run(tasks: u32, rounds: u32) -> Result<Churned, String> {
    let work = Work { fleet: tasks.into(), reap_every: 0, rounds, tasks };
    let data_dir = fleet_store::data_dir_with(&Fleet::of(work.fleet).all_running())?;
    run_in(data_dir.path(), work)
}

/// Lets a worker do its work in a data directory.
///
/// # Errors
/// What the worker says.
pub fn run_in(data_dir: &Path, work: Work) -> Result<Churned, String> {
    let failed = |why: String| format!("the worker: {why}");
    let mut command = Command::new(release::program("xtask"));
    let text = serde_json::to_string(&work).map_err(|error| failed(error.to_string()))?;
    command.args(["bench", "churn-worker"]).arg(data_dir).arg(text).stderr(Stdio::inherit());
    let output = command.output().map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        return Err(failed(output.status.to_string()));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| failed(error.to_string()))
}

/// The worker: what it saw, as JSON.
///
/// # Errors
/// The store's, or a file that cannot be read.
pub fn work(data_dir: &str, work: &str) -> Result<String, String> {
    let work: Work = serde_json::from_str(work).map_err(|error| error.to_string())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("cannot start threads: {error}"))?;
    let churned = runtime.block_on(churn(Path::new(data_dir), work))?;
    serde_json::to_string(&churned).map_err(|error| error.to_string())
}

async fn churn(data_dir: &Path, work: Work) -> Result<Churned, String> {
    let store = Store::open(Options::new(Backend::Sqlite(data_dir.to_owned()))).map_err(|error| error.to_string())?;
    let fleet = Fleet::of(work.fleet).all_running();
    let cluster = store.view().cluster(&scope(), CLUSTER).ok_or("there is no fleet")?.record.incarnation;
    // Longer after the fleet's moment than any retention.
    let now = MOMENT.plus_seconds(1_000_000);
    let mut reaper = Reaper::new(store.clone(), TaskRetention::default(), Arc::new(move || now));
    let mut reap = async |indexes: &mut dyn Iterator<Item = u64>| {
        let ended = indexes.map(|index| Record::from(stopped(&task(&fleet, cluster, index), MOMENT)));
        put_all(&store, ended).await?;
        reaper.reconcile().await.map(drop).map_err(|error| format!("the reaper: {error}"))
    };
    let loaded = look(&store, data_dir)?;
    let mut reaped = None;
    if work.reap_every > 0 {
        reap(&mut (0..work.fleet).filter(|index| index.is_multiple_of(work.reap_every))).await?;
        reaped = Some(look(&store, data_dir)?);
    }
    let mut rounds = Vec::new();
    for round in 0..u64::from(work.rounds) {
        let first = work.fleet + round * u64::from(work.tasks);
        let mut indexes = first..first + u64::from(work.tasks);
        put_all(&store, indexes.clone().map(|index| Record::from(task(&fleet, cluster, index)))).await?;
        reap(&mut indexes).await?;
        rounds.push(look(&store, data_dir)?);
    }
    store.close().await.map_err(|error| error.to_string())?;
    Ok(Churned { loaded, reaped, rounds, work })
}

fn look(store: &Store, data_dir: &Path) -> Result<Seen, String> {
    let memory = machine::memory(std::process::id())?;
    let tasks = store.view().cluster(&scope(), CLUSTER).map_or(0, |cluster| cluster.tasks.len()) as u64;
    let contents::Sizes { file, log, live } = contents::sizes(&data_dir.join(FILE))?;
    Ok(Seen { tasks, resident: memory.resident, anonymous: memory.anonymous, file, log, live })
}
