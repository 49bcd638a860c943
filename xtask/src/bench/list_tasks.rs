//! `bench list-tasks`: pages of 100 tasks, signatures verified, beside a bare hyper server.
//!
//! For each fleet a server and a bare server that answers with one of the fleet's pages get the
//! same signed requests, in turn, round after round. CPU time of the server process per page comes
//! first; it hardly depends on what else the machine does.

use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::choice::Choices;
use super::fleet::{FLEETS, Fleet};
use super::load::{Load, Measured};
use super::machine;
use super::pages::{POOL, Pages, unix_seconds};
use super::server::ServerProcess;
use super::statistics::{median, percentile};

/// Everything of one fleet: both servers, and what to ask them.
struct Stage {
    fleet: Fleet,
    longshore: ServerProcess,
    bare: ServerProcess,
    pages: Pages,
    rounds: Vec<[Figures; 2]>,
    _data_dir: TempDir,
}

/// One measurement in the units of the tables.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Figures {
    cpu_micros: f64,
    per_second: f64,
    p50_micros: f64,
    p99_micros: f64,
}

impl From<Measured> for Figures {
    fn from(measured: Measured) -> Self {
        let micros = |percent| percentile(measured.latencies.iter().map(|nanos| f64::from(*nanos) / 1e3), percent);
        let answers = measured.answers.max(1) as f64;
        Self {
            cpu_micros: measured.cpu.as_secs_f64() * 1e6 / answers,
            per_second: answers / measured.elapsed.as_secs_f64(),
            p50_micros: micros(50),
            p99_micros: micros(99),
        }
    }
}

/// Runs the benchmark; its report.
///
/// # Errors
/// A server does not start or gives a wrong answer.
pub fn run(words: &[&str]) -> Result<String, String> {
    let choices = Choices::read(&[("rounds", 5), ("seconds", 4), ("connections", 64)], words)?;
    let machine = machine::description();
    let mut stages = FLEETS.into_iter().map(Stage::new).collect::<Result<Vec<_>, _>>()?;
    for round in 1..=choices.get("rounds") {
        for stage in &mut stages {
            eprintln!("round {round}, {} tasks", stage.fleet.tasks);
            stage.measure(&choices)?;
        }
    }
    let about = format!(
        "{machine}. {} rounds of {} s each, {} connections, {POOL} signed requests a pool.",
        choices.get("rounds"),
        choices.get("seconds"),
        choices.get("connections"),
    );
    Ok(format!("{about}\n\n{}\n\n```json\n{}\n```", tables(&stages)?, numbers(&stages)))
}

impl Stage {
    fn new(fleet: Fleet) -> Result<Self, String> {
        let data_dir = tempfile::tempdir().map_err(|error| format!("no folder for data: {error}"))?;
        fleet.store_in(data_dir.path())?;
        let longshore = ServerProcess::longshore(data_dir.path(), &["--builtin-node", "none"])?;
        let pages = Pages::walk(&longshore, &fleet)?;
        let bare_dir = data_dir.path().join("bare");
        let body = bare_dir.join("page.json");
        std::fs::create_dir(&bare_dir)
            .and_then(|()| std::fs::write(&body, pages.typical_body()))
            .map_err(|error| format!("cannot write {}: {error}", body.display()))?;
        let bare = ServerProcess::bare_hyper(&body, &bare_dir)?;
        Ok(Self { fleet, longshore, bare, pages, rounds: Vec::new(), _data_dir: data_dir })
    }

    fn measure(&mut self, choices: &Choices) -> Result<(), String> {
        let length = self.pages.typical_body().len();
        let longshore = self.load(&self.longshore, None, choices)?;
        let bare = self.load(&self.bare, Some(length), choices)?;
        self.rounds.push([longshore, bare]);
        Ok(())
    }

    fn load(&self, server: &ServerProcess, fixed_length: Option<usize>, choices: &Choices) -> Result<Figures, String> {
        let load = Load {
            address: &server.address,
            pool: self.pages.pool(&server.signer(), unix_seconds()),
            fixed_length,
            connections: choices.get("connections"),
            duration: Duration::from_secs(choices.get("seconds").into()),
        };
        load.run(|| server.cpu()).map(Figures::from)
    }

    /// The middle one of the rounds' ratios, Longshore to bare.
    fn ratio(&self, of: impl Fn(&Figures) -> f64) -> f64 {
        median(self.rounds.iter().map(|[longshore, bare]| of(longshore) / of(bare)))
    }

    fn middle(&self, side: usize, of: impl Fn(&Figures) -> f64) -> f64 {
        median(self.rounds.iter().filter_map(|round| round.get(side).map(&of)))
    }
}

fn tables(stages: &[Stage]) -> Result<String, String> {
    let mut text = String::from(
        "Longshore ÷ bare hyper, median of the rounds' ratios (aim for CPU: at most 1.25):\n\n\
         | tasks | server CPU per page | pages per second | p50 | p99 |\n|---:|---:|---:|---:|---:|\n",
    );
    for stage in stages {
        text += &format!(
            "| {} | **{:.2}** | {:.2} | {:.2} | {:.2} |\n",
            stage.fleet.tasks,
            stage.ratio(|figures| figures.cpu_micros),
            stage.ratio(|figures| figures.per_second),
            stage.ratio(|figures| figures.p50_micros),
            stage.ratio(|figures| figures.p99_micros),
        );
    }
    if let [_, small, large] = stages {
        let pairs = small.rounds.iter().zip(&large.rounds);
        let growth = median(pairs.map(|([small, _], [large, _])| large.cpu_micros / small.cpu_micros));
        text += &format!(
            "\nServer CPU per page at {} tasks ÷ at {} tasks: **{growth:.2}** (aim: at most 1.1).\n",
            large.fleet.tasks, small.fleet.tasks
        );
    }
    text += "\nMedians:\n\n| tasks | server | CPU µs per page | pages per second | p50 µs | p99 µs | body bytes | pages \
             asked for | resident MB |\n|---:|---|---:|---:|---:|---:|---:|---:|---:|\n";
    for stage in stages {
        for (side, name, process) in [(0, "longshore", &stage.longshore), (1, "bare hyper", &stage.bare)] {
            text += &format!(
                "| {} | {name} | {:.1} | {:.0} | {:.0} | {:.0} | {} | {} | {:.1} |\n",
                stage.fleet.tasks,
                stage.middle(side, |figures| figures.cpu_micros),
                stage.middle(side, |figures| figures.per_second),
                stage.middle(side, |figures| figures.p50_micros),
                stage.middle(side, |figures| figures.p99_micros),
                stage.pages.typical_body().len(),
                stage.pages.len(),
                process.resident_mb()?,
            );
        }
    }
    Ok(text.trim_end().to_owned())
}

/// Every round, for other programs.
fn numbers(stages: &[Stage]) -> String {
    let rounded = |value: f64| (value * 100.0).round() / 100.0;
    let side = |figures: &Figures| {
        json!({
            "cpuMicros": rounded(figures.cpu_micros),
            "perSecond": figures.per_second.round(),
            "p50Micros": rounded(figures.p50_micros),
            "p99Micros": rounded(figures.p99_micros),
        })
    };
    let rounds = |stage: &Stage| -> Vec<Value> {
        stage.rounds.iter().map(|[ours, bare]| json!({ "longshore": side(ours), "bare": side(bare) })).collect()
    };
    let fleets = stages.iter().map(|stage| json!({ "tasks": stage.fleet.tasks, "rounds": rounds(stage) }));
    let lines: Vec<String> = fleets.map(|fleet| fleet.to_string()).collect();
    lines.join("\n")
}
