//! From a benchmark's name to its run, in a program built for measuring.

use super::choice::QUICK;
use super::report::{self, Report};
use super::{bare_hyper, churn, list_tasks, memory, recovery, run_task, run_task_rate, start};

/// A benchmark: its words, and its report.
type Benchmark = fn(&[&str]) -> Result<Report, String>;

/// Every benchmark, in the order of the report.
const ALL: [(&str, Benchmark); 6] = [
    ("list-tasks", list_tasks::run),
    ("memory", memory::run),
    ("recovery", recovery::run),
    ("run-task", run_task::run),
    ("run-task-rate", run_task_rate::run),
    ("start", start::run),
];

/// Runs the benchmark that the first word names, or all of them.
///
/// # Errors
/// What kept it from measuring.
pub fn measure(words: &[&str]) -> Result<String, String> {
    match words {
        [] => everything(),
        [QUICK] => everything_quickly(),
        ["bare-hyper"] => bare_hyper::run(),
        ["churn-worker", data_dir, work] => churn::work(data_dir, work),
        [name, rest @ ..] => {
            let benchmark = ALL.iter().find(|(known, _)| known == name);
            let (_, benchmark) = benchmark.ok_or_else(|| super::USAGE.to_owned())?;
            benchmark(rest).map(|report| report.text())
        }
    }
}

/// Runs everything and writes the files after each benchmark, so that a later failure loses nothing.
fn everything() -> Result<String, String> {
    let mut reports = Vec::new();
    for (name, benchmark) in ALL {
        eprintln!("{name}");
        let report = benchmark(&[]).map_err(|error| format!("{name}: {error}"))?;
        println!("{}\n", report.text());
        reports.push(report);
        report::write_files(&reports)?;
    }
    Ok("docs/benchmarks/results.md and results.json were written".to_owned())
}

/// Runs the short forms and prints them.
fn everything_quickly() -> Result<String, String> {
    let mut texts = Vec::new();
    for (name, benchmark) in ALL {
        let report = benchmark(&[QUICK]).map_err(|error| format!("{name}: {error}"))?;
        texts.push(format!("## {name}\n\n{}", report.text()));
    }
    Ok(texts.join("\n\n"))
}
