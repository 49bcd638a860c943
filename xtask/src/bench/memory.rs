//! `bench memory`: what a task takes of the server's memory, and whether starting and reaping leaves anything behind.
//!
//! A server with a fleet of running tasks is set beside an empty one: the difference in resident memory, divided by the
//! tasks. Both have answered a page and then been left alone. The rounds of start and reap are `churn`'s.

use std::path::Path;
use std::time::Duration;

use serde_json::json;

use super::choice::Choices;
use super::churn;
use super::fleet::Fleet;
use super::fleet_store;
use super::machine::Memory;
use super::pages::unix_seconds;
use super::recovery::first_page;
use super::report::{Aim, Figure, Report};
use super::server::ServerProcess;
use super::statistics::median;

const FLAGS: [&str; 6] = ["--builtin-node", "none", "--task-retention-seconds", "3000000000", "--log-level", "warn"];

/// How long a server is left alone before its memory is read.
const SETTLE: Duration = Duration::from_secs(3);

/// Runs the benchmark.
///
/// # Errors
/// A server does not start.
pub fn run(words: &[&str]) -> Result<Report, String> {
    let defaults = [("tasks", 1_000_000), ("rounds", 3), ("churn-rounds", 10), ("churn-tasks", 100_000)];
    let quick = [("tasks", 20_000), ("rounds", 1), ("churn-rounds", 3), ("churn-tasks", 5_000)];
    let (choices, _) = Choices::read_either(&defaults, &quick, words)?;
    let tasks = u64::from(choices.get("tasks"));
    let fleet = Fleet::of(tasks).all_running();
    let with_fleet = fleet_store::data_dir_with(&fleet)?;
    let mut rounds = Vec::new();
    for round in 1..=choices.get("rounds") {
        eprintln!("round {round}");
        let empty = fleet_store::data_dir()?;
        rounds.push([settled(with_fleet.path())?, settled(empty.path())?]);
    }
    let a_task = |of: fn(&Memory) -> u64| {
        let growth = |[full, empty]: &[Memory; 2]| of(full).saturating_sub(of(empty)) as f64 / tasks as f64;
        median(rounds.iter().map(growth))
    };
    let [resident, proportional, anonymous] =
        [a_task(|memory| memory.resident), a_task(|memory| memory.proportional), a_task(|memory| memory.anonymous)];
    let churned = churn::run(choices.get("churn-tasks"), choices.get("churn-rounds"))?;
    let kept: Vec<f64> = churned.rounds.iter().map(|round| round.resident as f64).collect();
    let grown = growth_after_the_first(&kept);
    let figures = vec![
        Figure::new(format!("memory: resident bytes a RUNNING task, {tasks} tasks"), resident, Aim::AtMost(512.0)),
        Figure::new("memory: after the last round of start and reap ÷ after the second", grown, Aim::AtMost(1.05)),
    ];
    let megabytes = |side: usize| median(rounds.iter().map(|round| round[side].resident as f64 / 1e6));
    let details = format!(
        "{} rounds, servers with `--builtin-node none`, {} s after their first page, the file in the page cache. Growth in \
         bytes a task: resident {resident:.0}, proportional {proportional:.0}, anonymous {anonymous:.0}. With the fleet \
         {:.0} MB resident, empty {:.0} MB.\n\n{}",
        rounds.len(),
        SETTLE.as_secs(),
        megabytes(0),
        megabytes(1),
        churned.table(),
    );
    let all = |side: usize, of: fn(&Memory) -> u64| rounds.iter().map(|round| of(&round[side])).collect::<Vec<_>>();
    let numbers = json!({
        "tasks": tasks,
        "residentBytes": all(0, |memory| memory.resident),
        "emptyResidentBytes": all(1, |memory| memory.resident),
        "anonymousBytes": all(0, |memory| memory.anonymous),
        "emptyAnonymousBytes": all(1, |memory| memory.anonymous),
        "churn": churned.numbers(),
    });
    Ok(Report { name: "memory", figures, details, numbers })
}

/// The last round against the second: the first may still be filling what is then kept for later.
fn growth_after_the_first(resident: &[f64]) -> f64 {
    let from = resident.get(1).or(resident.first()).copied().unwrap_or(1.0);
    resident.last().copied().unwrap_or_default() / from
}

/// Memory of a server over this data directory that has answered and come to rest.
fn settled(data_dir: &Path) -> Result<Memory, String> {
    let server = ServerProcess::longshore(data_dir, &FLAGS)?;
    first_page(&server, unix_seconds())?;
    std::thread::sleep(SETTLE);
    let memory = server.memory()?;
    server.stop()?;
    Ok(memory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_is_that_after_the_second_round() {
        assert_eq!(growth_after_the_first(&[50.0, 100.0, 90.0, 150.0]), 1.5);
        assert_eq!(growth_after_the_first(&[100.0]), 1.0);
    }
}
