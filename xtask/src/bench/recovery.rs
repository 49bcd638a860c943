//! `bench recovery`: from starting the process over a fleet's file to the first page, and the file beside what it holds.
//!
//! The file is in the page cache. Beside it stands what reading the same rows costs SQLite alone, on one thread. Then
//! half of the fleet is reaped and rounds of tasks come and go, which tells what the file is like later, and whether
//! starting over it is slower.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;

use super::choice::Choices;
use super::churn::{self, Work};
use super::contents;
use super::fleet::Fleet;
use super::fleet_store::{self, CLUSTER, FILE};
use super::http_client::Connection;
use super::pages::unix_seconds;
use super::report::{Aim, Figure, Report, rounded};
use super::server::ServerProcess;
use super::statistics::median;

const FLAGS: [&str; 6] = ["--builtin-node", "none", "--task-retention-seconds", "3000000000", "--log-level", "warn"];

/// One start.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Start {
    /// From starting the process to the answer.
    first_page: Duration,
    /// CPU time of the process until then.
    cpu: Duration,
    /// One thread reading all rows.
    scan: Duration,
}

/// Runs the benchmark.
///
/// # Errors
/// A server does not start.
pub fn run(words: &[&str]) -> Result<Report, String> {
    let defaults = [("tasks", 1_000_000), ("rounds", 5), ("churn-rounds", 10), ("churn-tasks", 100_000)];
    let quick = [("tasks", 20_000), ("rounds", 2), ("churn-rounds", 2), ("churn-tasks", 5_000)];
    let (choices, _) = Choices::read_either(&defaults, &quick, words)?;
    let tasks = u64::from(choices.get("tasks"));
    let data_dir = fleet_store::data_dir_with(&Fleet::of(tasks).all_running())?;
    let fresh = starts(data_dir.path(), choices.get("rounds"))?;
    let work =
        Work { fleet: tasks, reap_every: 2, rounds: choices.get("churn-rounds"), tasks: choices.get("churn-tasks") };
    let churned = churn::run_in(data_dir.path(), work)?;
    let later = starts(data_dir.path(), choices.get("rounds"))?;
    let seconds = |starts: &[Start], of: fn(&Start) -> Duration| median(starts.iter().map(|s| of(s).as_secs_f64()));
    let by_scan = |start: &Start| start.first_page.as_secs_f64() / start.scan.as_secs_f64();
    let last = churned.rounds.last().unwrap_or(&churned.loaded);
    let half = churned.reaped.as_ref().unwrap_or(last);
    let figures = vec![
        Figure::new(
            format!("recovery: seconds from start to the first page, {tasks} tasks"),
            seconds(&fresh, |start| start.first_page),
            Aim::AtMost(2.0),
        ),
        Figure::new("recovery: the same ÷ reading the rows with SQLite", median(fresh.iter().map(by_scan)), Aim::None),
        Figure::new("recovery: file ÷ live data, all tasks there", churned.loaded.overhead(), Aim::AtMost(2.0)),
        Figure::new("recovery: file ÷ live data, half reaped", half.overhead(), Aim::AtMost(2.0)),
        Figure::new("recovery: file ÷ live data, after the rounds", last.overhead(), Aim::AtMost(2.0)),
    ];
    let details = format!(
        "{} starts each, the file in the page cache.\n\n| file | first page s | of it, CPU of all threads s | one thread \
         reading the rows s | ÷ |\n|---|---:|---:|---:|---:|\n{}{}\n{}",
        fresh.len(),
        row(&format!("{tasks} tasks"), &fresh),
        row("after half was reaped, and the rounds below", &later),
        churned.table(),
    );
    let list = |starts: &[Start], of: fn(&Start) -> Duration| -> Vec<f64> {
        starts.iter().map(|start| rounded(of(start).as_secs_f64())).collect()
    };
    let numbers = json!({
        "tasks": tasks,
        "firstPageSeconds": list(&fresh, |start| start.first_page),
        "cpuSeconds": list(&fresh, |start| start.cpu),
        "scanSeconds": list(&fresh, |start| start.scan),
        "laterFirstPageSeconds": list(&later, |start| start.first_page),
        "churn": churned.numbers(),
    });
    Ok(Report { name: "recovery", figures, details, numbers })
}

fn row(name: &str, starts: &[Start]) -> String {
    let seconds = |of: fn(&Start) -> Duration| median(starts.iter().map(|start| of(start).as_secs_f64()));
    let ratio = median(starts.iter().map(|start| start.first_page.as_secs_f64() / start.scan.as_secs_f64()));
    format!(
        "| {name} | **{:.2}** | {:.2} | {:.2} | {ratio:.2} |\n",
        seconds(|start| start.first_page),
        seconds(|start| start.cpu),
        seconds(|start| start.scan)
    )
}

fn starts(data_dir: &Path, count: u32) -> Result<Vec<Start>, String> {
    (1..=count).map(|round| start(data_dir, round)).collect()
}

fn start(data_dir: &Path, round: u32) -> Result<Start, String> {
    eprintln!("start {round}");
    let scan = contents::scan(&data_dir.join(FILE))?;
    let started = Instant::now();
    let server = ServerProcess::longshore(data_dir, &FLAGS)?;
    first_page(&server, unix_seconds())?;
    let (first_page, cpu) = (started.elapsed(), server.cpu()?);
    server.stop()?;
    Ok(Start { first_page, cpu, scan })
}

/// Asks for the first page of the fleet's cluster, or of the default one where there is no fleet.
///
/// # Errors
/// No answer, or one that is no page.
pub fn first_page(server: &ServerProcess, now: u64) -> Result<(), String> {
    let mut connection = Connection::tcp(&server.address)?;
    let mut ask = |body: serde_json::Value| {
        let request = server.signer().request("ListTasks", &body.to_string(), now, 0);
        connection.send(&request)?.json()
    };
    let page = ask(json!({ "cluster": CLUSTER })).or_else(|_| ask(json!({})))?;
    page["taskArns"].as_array().map(drop).ok_or_else(|| format!("this is no page: {page}"))
}
