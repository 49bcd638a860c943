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
mod docker_api;
#[cfg(feature = "bench")]
mod driver;
#[cfg(feature = "bench")]
mod fleet;
#[cfg(feature = "bench")]
mod http_client;
#[cfg(feature = "bench")]
mod list_tasks;
#[cfg(feature = "bench")]
mod load;
#[cfg(feature = "bench")]
mod machine;
#[cfg(feature = "bench")]
mod pages;
#[cfg(feature = "bench")]
mod run_task;
#[cfg(feature = "bench")]
mod server;
#[cfg(feature = "bench")]
mod signer;
#[cfg(feature = "bench")]
mod start;
#[cfg(feature = "bench")]
mod statistics;

const USAGE: &str = "\
usage: cargo xtask bench <benchmark> [--name value]…

  list-tasks        pages of ListTasks beside a bare hyper server
                      --rounds 5  --seconds 4  --connections 64
  run-task          RunTask to RUNNING beside the container engine's own API
                      --rounds 15
  start             cold start to the first answer, and idle memory
                      --rounds 15";

/// Runs a benchmark and returns its report in Markdown.
///
/// # Errors
/// An unknown benchmark, a failed build, or what kept the benchmark from measuring.
pub fn run(words: &[&str]) -> Result<String, String> {
    match words {
        ["list-tasks" | "run-task" | "start" | "bare-hyper", ..] => measure(words),
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
