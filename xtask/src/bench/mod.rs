//! `cargo xtask bench`: what the system costs, beside what it cannot cost less than.
//!
//! A benchmark compares two things in one run, alternated, and prints medians, ratios first; it
//! asserts nothing. Server and drivers are built with the release profile from the same libraries:
//! the command builds both and goes on in the driver that came out (`release`).

mod release;

#[cfg(feature = "bench")]
mod bare_hyper;
#[cfg(feature = "bench")]
mod choice;
#[cfg(feature = "bench")]
mod churn;
#[cfg(feature = "bench")]
mod contents;
#[cfg(feature = "bench")]
mod docker_api;
#[cfg(feature = "bench")]
mod driver;
#[cfg(feature = "bench")]
mod fleet;
#[cfg(feature = "bench")]
mod fleet_records;
#[cfg(feature = "bench")]
mod fleet_store;
#[cfg(feature = "bench")]
mod kinds;
#[cfg(feature = "bench")]
mod list_tasks;
#[cfg(feature = "bench")]
mod load;
#[cfg(feature = "bench")]
mod machine;
#[cfg(feature = "bench")]
mod memory;
#[cfg(feature = "bench")]
mod pages;
#[cfg(feature = "bench")]
mod recovery;
#[cfg(feature = "bench")]
mod report;
#[cfg(feature = "bench")]
mod run_task;
#[cfg(feature = "bench")]
mod run_task_rate;
#[cfg(feature = "bench")]
mod server;
#[cfg(feature = "bench")]
mod signer;
#[cfg(feature = "bench")]
mod start;
#[cfg(feature = "bench")]
mod statistics;

#[cfg(feature = "bench")]
use crate::client::http_client;

const USAGE: &str = "\
usage: cargo xtask bench [--quick]                        everything
       cargo xtask bench <benchmark> [--quick] [--name value]…

  list-tasks        pages of ListTasks beside a bare hyper server, fleets of up to 1,000,000 tasks
                      --rounds 5  --millis 300  --writing-millis 2500  --connections 64  --changes 1000
  memory            resident bytes a task, and rounds of start and reap
                      --tasks 1000000  --rounds 3  --churn-tasks 100000  --churn-rounds 10
  recovery          start over 1,000,000 tasks to the first page, and the file's size
                      --tasks 1000000  --rounds 5  --churn-tasks 100000  --churn-rounds 10
  run-task          RunTask to RUNNING beside the container engine's own API
                      --rounds 15
  run-task-rate     acknowledged RunTask calls a second beside SQLite committing the same rows
                      --rounds 5  --millis 2000
  start             cold start to the first answer, and idle memory
                      --rounds 15

Everything writes docs/benchmarks/results.md and results.json; the short form and single benchmarks only print.";

/// Runs benchmarks and returns their report in Markdown.
///
/// # Errors
/// An unknown benchmark, a failed build, or what kept a benchmark from measuring.
pub fn run(words: &[&str]) -> Result<String, String> {
    match words {
        [] | ["--quick"] => measure(words),
        ["list-tasks" | "memory" | "recovery" | "run-task" | "run-task-rate" | "start", ..] => measure(words),
        ["bare-hyper" | "churn-worker", ..] => measure(words),
        _ => Err(USAGE.to_owned()),
    }
}

fn measure(words: &[&str]) -> Result<String, String> {
    #[cfg(feature = "bench")]
    if !cfg!(debug_assertions) {
        return driver::measure(words);
    }
    Err(release::build_and_run(words))
}
