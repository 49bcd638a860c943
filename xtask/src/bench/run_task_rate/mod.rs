//! `bench run-task-rate`: acknowledged RunTask calls per second, beside what SQLite commits of the same rows alone.
//!
//! The server places tasks on a machine without a node, so that nothing but RunTask happens. Every call carries a client
//! token of its own, as every AWS SDK sends one. After each stretch of load the rows that it wrote are read back and
//! written again into a file of its own on the same disk, with the same settings, in transactions of the size that the
//! server's had (its counters tell the mean), by SQLite and nothing else. Load, server and SQLite share the machine, so
//! the CPU that a call takes on each side stands beside the rates.

mod replay;
mod server_side;

use std::time::Duration;

use serde_json::{Value, json};

use self::replay::Baseline;
use self::server_side::{Place, ServerSide};
use super::choice::Choices;
use super::report::{Aim, Figure, Report, rounded};
use super::statistics::{median, percentile};

/// Tasks of one call.
const COUNTS: [u32; 2] = [1, 10];

/// Connections at once.
const CONNECTIONS: [u32; 3] = [1, 8, 64];

/// One stretch of load.
#[derive(Debug, Clone)]
pub struct Stretch {
    /// Calls acknowledged while it was counted.
    pub calls: u64,
    /// Time in which they came.
    pub elapsed: Duration,
    /// CPU of the whole server in it.
    pub cpu: Duration,
    /// Of it, of the thread that commits.
    pub commit_cpu: Duration,
    /// Of it, of the thread that decides.
    pub decide_cpu: Duration,
    /// Calls in one transaction, on average.
    pub batch: f64,
    /// Nanoseconds from request to answer.
    pub latencies: Vec<u32>,
}

/// The same calls' rows, written by SQLite alone.
#[derive(Debug, Clone, Copy)]
pub struct Replayed {
    /// Calls whose rows were written.
    pub calls: u64,
    /// Wall time.
    pub elapsed: Duration,
    /// CPU time.
    pub cpu: Duration,
    /// Transactions.
    pub batches: u64,
}

/// A round of one case.
struct Round {
    server: Stretch,
    sqlite: Replayed,
}

/// How many connections, each call for how many tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Case {
    /// Connections at once.
    pub connections: u32,
    /// Tasks of one call.
    pub count: u32,
}

/// Runs the benchmark.
///
/// # Errors
/// The server or the disk does not do what it should.
pub fn run(words: &[&str]) -> Result<Report, String> {
    let defaults = [("rounds", 5), ("millis", 2_000)];
    let quick = [("rounds", 1), ("millis", 500)];
    let (choices, _) = Choices::read_either(&defaults, &quick, words)?;
    let place = Place::new()?;
    let mut server = ServerSide::start(&place)?;
    let mut baseline = Baseline::beside(&place)?;
    let cases: Vec<Case> = COUNTS
        .iter()
        .flat_map(|count| CONNECTIONS.iter().map(|connections| Case { connections: *connections, count: *count }))
        .collect();
    let mut measured: Vec<(Case, Vec<Round>)> = cases.into_iter().map(|case| (case, Vec::new())).collect();
    let duration = Duration::from_millis(choices.get("millis").into());
    for round in 1..=choices.get("rounds") {
        for (case, rounds) in &mut measured {
            eprintln!("round {round}, {} connections, {} tasks a call", case.connections, case.count);
            let stretch = server.load(*case, duration)?;
            let sqlite = baseline.replay(stretch.batch)?;
            rounds.push(Round { server: stretch, sqlite });
        }
    }
    server.stop()?;
    Ok(report(&measured, choices.get("rounds"), duration))
}

impl Round {
    fn rate(&self) -> f64 {
        self.server.calls as f64 / self.server.elapsed.as_secs_f64()
    }

    fn sqlite_rate(&self) -> f64 {
        self.sqlite.calls as f64 / self.sqlite.elapsed.as_secs_f64()
    }

    /// Microseconds of a duration for each call.
    fn micros(&self, of: fn(&Stretch) -> Duration) -> f64 {
        of(&self.server).as_secs_f64() * 1e6 / self.server.calls as f64
    }

    fn sqlite_micros(&self) -> f64 {
        self.sqlite.cpu.as_secs_f64() * 1e6 / self.sqlite.calls as f64
    }
}

fn report(measured: &[(Case, Vec<Round>)], rounds: u32, duration: Duration) -> Report {
    let mut details = format!(
        "{rounds} rounds of {} ms each. CPU in µs a call; \"commit\" and \"decide\" are the server's two writer threads, \
         the rest of the server is HTTP, signatures, JSON and waking callers.\n\n| connections | tasks a call | calls/s | \
         calls a batch | SQLite alone, calls/s | ÷ | p50 ms | p99 ms | server CPU | commit | decide | SQLite CPU |\n|{}\n",
        duration.as_millis(),
        "---:|".repeat(12)
    );
    let (mut figures, mut numbers) = (Vec::new(), Vec::new());
    for (case, rounds) in measured {
        let middle = |of: &dyn Fn(&Round) -> f64| median(rounds.iter().map(of));
        let ratio = middle(&|round| round.rate() / round.sqlite_rate());
        let latencies = || rounds.iter().flat_map(|round| &round.server.latencies).map(|nanos| f64::from(*nanos) / 1e6);
        details += &format!(
            "| {} | {} | {:.0} | {:.1} | {:.0} | **{ratio:.2}** | {:.2} | {:.2} | {:.0} | {:.0} | {:.0} | {:.0} |\n",
            case.connections,
            case.count,
            middle(&Round::rate),
            middle(&|round| round.server.batch),
            middle(&Round::sqlite_rate),
            percentile(latencies(), 50),
            percentile(latencies(), 99),
            middle(&|round| round.micros(|stretch| stretch.cpu)),
            middle(&|round| round.micros(|stretch| stretch.commit_cpu)),
            middle(&|round| round.micros(|stretch| stretch.decide_cpu)),
            middle(&Round::sqlite_micros),
        );
        let what = format!(
            "run-task-rate: calls/s ÷ SQLite alone, {} connections, {} tasks a call",
            case.connections, case.count
        );
        figures.push(Figure::new(what, ratio, Aim::AtLeast(0.7)));
        numbers.push(case_numbers(*case, rounds));
    }
    Report { name: "run-task-rate", figures, details, numbers: Value::Array(numbers) }
}

fn case_numbers(case: Case, rounds: &[Round]) -> Value {
    let list = |of: &dyn Fn(&Round) -> f64| rounds.iter().map(|round| rounded(of(round))).collect::<Vec<_>>();
    json!({
        "connections": case.connections,
        "tasksPerCall": case.count,
        "callsPerSecond": list(&Round::rate),
        "callsPerBatch": list(&|round| round.server.batch),
        "sqliteCallsPerSecond": list(&Round::sqlite_rate),
        "sqliteBatches": list(&|round| round.sqlite.batches as f64),
        "serverMicrosPerCall": list(&|round| round.micros(|stretch| stretch.cpu)),
        "commitMicrosPerCall": list(&|round| round.micros(|stretch| stretch.commit_cpu)),
        "decideMicrosPerCall": list(&|round| round.micros(|stretch| stretch.decide_cpu)),
        "sqliteMicrosPerCall": list(&Round::sqlite_micros),
    })
}
