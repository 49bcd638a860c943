//! What a run comes to: the totals of a good one, the evidence of a bad one.

use std::fmt;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::call::Call;
use super::client::Shared;
use super::judge::Violation;
use super::options::Options;

/// Calls that are printed; the file holds all.
const PRINTED: usize = 20;

/// Characters of one printed call.
const WIDTH: usize = 1_000;

/// How much was done.
#[derive(Debug, Default)]
pub struct Totals {
    /// Kills.
    pub kills: usize,
    /// Data directories.
    pub directories: u64,
    /// Wall clock.
    pub seconds: f64,
    at_start: usize,
    /// Kills at which the database file itself had just changed.
    pub at_checkpoint: usize,
    calls: usize,
    tasks: usize,
    counts: [usize; 8],
}

impl Totals {
    /// One more kill.
    pub fn killed(&mut self, at_start: bool) {
        self.kills += 1;
        self.at_start += usize::from(at_start);
        if self.kills.is_multiple_of(50) {
            eprintln!("{} kills", self.kills);
        }
    }

    /// What the clients of one data directory did.
    pub fn add(&mut self, shared: &Shared) {
        self.calls += shared.log().len();
        self.tasks += shared.judge().task_count();
        let counts = &shared.counts;
        let read = |count: &AtomicUsize| count.load(Ordering::Relaxed);
        let new = [
            read(&counts.lost),
            read(&counts.throttled),
            read(&counts.replays),
            read(&counts.deletions),
            read(&counts.traversals),
            read(&counts.traversals_across),
            read(&counts.histories),
            read(&counts.histories_across),
        ];
        for (total, new) in self.counts.iter_mut().zip(new) {
            *total += new;
        }
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [lost, throttled, replays, deletions, traversals, across, histories, histories_across] = self.counts;
        writeln!(
            out,
            "{} kills in {:.0} s, {} of them during the start and {} at a checkpoint, on {} data directories: nothing \
             lost",
            self.kills, self.seconds, self.at_start, self.at_checkpoint, self.directories
        )?;
        writeln!(
            out,
            "{} calls, {lost} without an answer, {throttled} throttled; {} tasks; {replays} replays of tokens; \
             {deletions} clusters deleted",
            self.calls, self.tasks
        )?;
        write!(
            out,
            "{traversals} traversals, {across} of them across a kill; {histories} histories linearizable, \
             {histories_across} of them across a kill"
        )
    }
}

/// A broken rule with everything that shows it.
pub struct Found<'a> {
    /// What the driver was told.
    pub options: &'a Options,
    /// Where data and logs are kept.
    pub directory: &'a Path,
    /// Kills on this data directory before it was found.
    pub kills: usize,
    /// The rule.
    pub violation: &'a Violation,
    /// The log.
    pub shared: &'a Shared,
}

impl Found<'_> {
    /// Writes the log beside the data and says what was found.
    pub fn tell(&self) -> String {
        let file = self.directory.join("calls.jsonl");
        let calls = self.shared.log();
        let written = write(&file, &calls);
        let violation = self.violation;
        let mut text = format!(
            "seed {}, {} kills on this data directory\nbroken: {}\n{}\n",
            self.options.seed, self.kills, violation.rule, violation.text
        );
        let concerned = calls.iter().filter(|call| violation.calls.contains(&call.number));
        for call in concerned.take(PRINTED) {
            text += &cut(&line(call));
            text.push('\n');
        }
        text += &match written {
            Ok(()) => format!("data, the server's log and all calls: {}", self.directory.display()),
            Err(error) => format!("data: {}; the calls could not be written: {error}", self.directory.display()),
        };
        text
    }
}

fn write(file: &Path, calls: &[Call]) -> std::io::Result<()> {
    let mut out = std::io::BufWriter::new(std::fs::File::create(file)?);
    calls.iter().try_for_each(|call| writeln!(out, "{}", line(call)))?;
    out.flush()
}

fn line(call: &Call) -> String {
    serde_json::to_string(call).unwrap_or_else(|error| format!("call {}: {error}", call.number))
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(WIDTH) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
