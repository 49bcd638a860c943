//! From a benchmark's name to its run, in a program built for measuring.

use super::{bare_hyper, list_tasks, run_task, start};

/// Runs the benchmark that the first word names.
///
/// # Errors
/// What kept it from measuring.
pub fn measure(words: &[&str]) -> Result<String, String> {
    match words {
        ["list-tasks", rest @ ..] => list_tasks::run(rest),
        ["run-task", rest @ ..] => run_task::run(rest),
        ["start", rest @ ..] => start::run(rest),
        ["bare-hyper", body_file] => bare_hyper::run(body_file),
        _ => Err(super::USAGE.to_owned()),
    }
}
