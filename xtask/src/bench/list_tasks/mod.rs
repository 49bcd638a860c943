//! `bench list-tasks`: pages of up to 100 tasks, signatures verified, beside a bare hyper server with the same bytes.
//!
//! Every fleet has a server of its own. Each measurement asks it and the bare server for the same pages, in turn, round
//! after round; the figures are medians of the rounds. Measured are the mixture of all kinds of listings, first, middle
//! and last pages, each kind by itself, and the mixture while somebody writes. CPU time of the server's process comes
//! first; it hardly depends on what else the machine does.

mod stage;
mod tables;
mod writer;

use super::choice::Choices;
use super::fleet::Fleet;
use super::report::Report;
use stage::{Case, Stage};

/// Sizes of the fleets, and whether each kind of listing is measured by itself in them.
const FLEETS: [(u64, bool); 4] = [(1, false), (1_000, true), (100_000, false), (1_000_000, true)];

/// The same in the short form.
const QUICK_FLEETS: [(u64, bool); 2] = [(1_000, false), (20_000, false)];

/// Runs the benchmark.
///
/// # Errors
/// A server does not start or gives a wrong answer.
pub fn run(words: &[&str]) -> Result<Report, String> {
    let defaults = [("rounds", 5), ("millis", 300), ("writing-millis", 2_500), ("connections", 64), ("changes", 1_000)];
    let quick = [("rounds", 3), ("millis", 150), ("writing-millis", 500), ("connections", 64), ("changes", 1_000)];
    let (choices, is_quick) = Choices::read_either(&defaults, &quick, words)?;
    let fleets: &[(u64, bool)] = if is_quick { &QUICK_FLEETS } else { &FLEETS };
    let mut stages = Vec::new();
    for (tasks, in_detail) in fleets {
        stages.push(Stage::new(Fleet::of(*tasks), *in_detail)?);
    }
    for round in 1..=choices.get("rounds") {
        for stage in &mut stages {
            eprintln!("round {round}, {} tasks", stage.fleet.tasks);
            stage.measure(&choices)?;
        }
    }
    // Afterwards, for they change the fleets.
    for round in 1..=choices.get("rounds") {
        for stage in stages.iter_mut().filter(|stage| stage.fleet.tasks > 1) {
            eprintln!("round {round} with a writer, {} tasks", stage.fleet.tasks);
            stage.measure_while_writing(&choices)?;
        }
    }
    tables::report(&stages, &choices)
}

/// The cases of a fleet.
fn cases(in_detail: bool) -> Vec<Case> {
    let kinds = super::kinds::Kind::all().map(Case::Kind);
    let positions = super::kinds::Position::ALL.into_iter().map(Case::Position);
    [Case::All].into_iter().chain(positions).chain(kinds.filter(|_| in_detail)).collect()
}
