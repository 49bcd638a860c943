//! One fleet with its server, what it is asked, and what came out of it.

use std::time::Duration;

use tempfile::TempDir;

use super::super::choice::Choices;
use super::super::fleet::Fleet;
use super::super::fleet_store;
use super::super::kinds::{Kind, Position};
use super::super::load::{Load, Measured};
use super::super::machine::Memory;
use super::super::pages::{Pages, Request, Selection, unix_seconds};
use super::super::server::ServerProcess;
use super::super::statistics::{median, percentile};
use super::writer::Writer;

/// Flags of the measured servers: no node, and no stopped task is old enough to go.
const FLAGS: [&str; 6] = ["--builtin-node", "none", "--task-retention-seconds", "3000000000", "--log-level", "warn"];

/// What is asked for in one measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    /// Every kind and position in turn.
    All,
    /// Pages at one position of all kinds.
    Position(Position),
    /// One kind, all positions.
    Kind(Kind),
}

impl Case {
    fn pages(self, pages: &Pages) -> Selection<'_> {
        match self {
            Self::All => pages.all(),
            Self::Position(wanted) => pages.select(|_, position| position == wanted),
            Self::Kind(wanted) => pages.select(|kind, _| kind == wanted),
        }
    }
}

/// One measurement in the units of the tables.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figures {
    /// CPU time of the server for each answer.
    pub cpu_micros: f64,
    /// Answers in a second.
    pub per_second: f64,
    /// Time to an answer, the middle one.
    pub p50_micros: f64,
    /// Time to an answer that one in a hundred exceeds.
    pub p99_micros: f64,
}

impl Figures {
    /// Figures of what was measured, with the CPU time that went to these answers.
    fn new(measured: &Measured, cpu: Duration) -> Self {
        let micros = |percent| percentile(measured.latencies.iter().map(|nanos| f64::from(*nanos) / 1e3), percent);
        let answers = measured.answers.max(1) as f64;
        Self {
            cpu_micros: cpu.as_secs_f64() * 1e6 / answers,
            per_second: answers / measured.elapsed.as_secs_f64(),
            p50_micros: micros(50),
            p99_micros: micros(99),
        }
    }
}

/// The rounds of one case.
#[derive(Debug)]
pub struct Rounds {
    /// The case.
    pub case: Case,
    /// Tasks in an answer, on average.
    pub mean_tasks: f64,
    /// Longshore's figures and the bare server's.
    pub rounds: Vec<[Figures; 2]>,
}

impl Rounds {
    /// The middle one of the rounds' ratios, Longshore to bare.
    pub fn ratio(&self, of: impl Fn(&Figures) -> f64) -> f64 {
        median(self.rounds.iter().map(|[longshore, bare]| of(longshore) / of(bare)))
    }

    /// The middle one of the rounds' figures; side 0 is Longshore's.
    pub fn middle(&self, side: usize, of: impl Fn(&Figures) -> f64) -> f64 {
        median(self.rounds.iter().filter_map(|round| round.get(side).map(&of)))
    }
}

/// One round while somebody writes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WritingRound {
    /// CPU time of the server for each change, measured without readers.
    pub cpu_micros_per_change: f64,
    /// Changes in a second that were acknowledged while pages were asked for.
    pub changes_per_second: f64,
    /// The same pages just before, without a writer.
    pub quiet: Figures,
    /// Pages with the writer; the writer's own CPU time is taken off.
    pub writing: Figures,
}

/// Everything of one fleet.
pub struct Stage {
    /// The fleet.
    pub fleet: Fleet,
    /// Figures by case.
    pub cases: Vec<Rounds>,
    /// Rounds with a writer.
    pub writing: Vec<WritingRound>,
    /// How many pages were walked and kept.
    pub pages_kept: usize,
    /// The server's memory once it had answered all of them.
    pub memory: Memory,
    pages: Pages,
    longshore: ServerProcess,
    bare: ServerProcess,
    scattered: u64,
    _directories: [TempDir; 2],
}

impl Stage {
    /// Starts the fleet's server, walks its pages, and starts a bare server.
    ///
    /// # Errors
    /// The fleet cannot be stored, a server does not start, a page is wrong.
    pub fn new(fleet: Fleet, in_detail: bool) -> Result<Self, String> {
        let data_dir = fleet_store::data_dir_with(&fleet)?;
        let bare_dir = fleet_store::data_dir()?;
        let longshore = ServerProcess::longshore(data_dir.path(), &FLAGS)?;
        let pages = Pages::walk(&longshore, &fleet)?;
        let bare = ServerProcess::bare_hyper(bare_dir.path())?;
        let mut cases = Vec::new();
        for case in super::cases(in_detail) {
            let selection = case.pages(&pages);
            if !selection.is_empty() {
                cases.push(Rounds { case, mean_tasks: selection.mean_tasks(), rounds: Vec::new() });
            }
        }
        Ok(Self {
            fleet,
            cases,
            writing: Vec::new(),
            pages_kept: pages.len(),
            memory: longshore.memory()?,
            pages,
            longshore,
            bare,
            scattered: 0,
            _directories: [data_dir, bare_dir],
        })
    }

    /// One round of every case.
    ///
    /// # Errors
    /// A wrong answer.
    pub fn measure(&mut self, choices: &Choices) -> Result<(), String> {
        for at in 0..self.cases.len() {
            let millis = choices.get("millis") * if self.cases[at].case == Case::All { 3 } else { 1 };
            let pool = self.pool(self.cases[at].case);
            let for_bare = pool.iter().map(Request::for_bare_server).collect();
            let longshore = load(&self.longshore, pool, millis, choices, false)?;
            let bare = load(&self.bare, for_bare, millis, choices, false)?;
            let figures = [longshore, bare].map(|measured| Figures::new(&measured, measured.cpu));
            self.cases[at].rounds.push(figures);
        }
        Ok(())
    }

    /// One round of the mixture: without a writer, the writer alone, both.
    ///
    /// # Errors
    /// A wrong answer, or a write that fails.
    pub fn measure_while_writing(&mut self, choices: &Choices) -> Result<(), String> {
        let millis = choices.get("writing-millis");
        let quiet = load(&self.longshore, self.pool(Case::All), millis, choices, true)?;
        let pool = self.pool(Case::All);
        let writer = Writer::start(&self.longshore, &self.fleet, choices.get("changes"), self.scattered)?;
        let alone = writer.measure(&self.longshore, Duration::from_millis(millis.into()))?;
        let before = writer.changes();
        let started = std::time::Instant::now();
        let mut both = load(&self.longshore, pool, millis, choices, true)?;
        let changes_per_second = (writer.changes() - before) as f64 / started.elapsed().as_secs_f64();
        self.scattered = writer.stop()?;
        let changes = changes_per_second * both.elapsed.as_secs_f64();
        let own = Duration::from_secs_f64(alone.cpu_micros_per_change / 1e6 * changes);
        both.cpu = both.cpu.saturating_sub(own);
        self.writing.push(WritingRound {
            cpu_micros_per_change: alone.cpu_micros_per_change,
            changes_per_second,
            quiet: Figures::new(&quiet, quiet.cpu),
            writing: Figures::new(&both, both.cpu),
        });
        Ok(())
    }

    fn pool(&self, case: Case) -> Vec<Request> {
        case.pages(&self.pages).pool(&self.longshore.signer(), unix_seconds())
    }
}

fn load(
    server: &ServerProcess,
    pool: Vec<Request>,
    millis: u32,
    choices: &Choices,
    lengths_vary: bool,
) -> Result<Measured, String> {
    let load = Load {
        address: &server.address,
        pool,
        lengths_vary,
        connections: choices.get("connections"),
        duration: Duration::from_millis(millis.into()),
    };
    load.run(|| server.cpu())
}
