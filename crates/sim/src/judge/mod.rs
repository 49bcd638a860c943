//! What must hold, whatever happened: judged from what callers and the node were told, by code of its own.
//!
//! Whatever was acknowledged or shown once must be there ever after, until it may go; nothing goes back; nothing is
//! half there. [`tasks`] keeps what is known of each task, [`runs`] of each RunTask, [`clusters`] and [`definitions`]
//! of the rest; [`audit`] looks at all of it through the API, [`indexes`] compares a state's indexes with its records,
//! and [`history`] gives the whole story to the linearizability checker.

pub(crate) mod audit;
pub(crate) mod clusters;
pub(crate) mod definitions;
pub(crate) mod history;
mod indexes;
pub(crate) mod runs;
pub(crate) mod tasks;

use longshore_domain::task::TaskKey;
use longshore_store::State;

use clusters::Clusters;
use definitions::Definitions;
use history::History;
use runs::Runs;
use tasks::Tasks;

/// Everything that is known, and what was found wrong.
#[derive(Debug, Default)]
pub(crate) struct Judge {
    violations: Vec<String>,
    pub tasks: Tasks,
    pub runs: Runs,
    pub clusters: Clusters,
    pub definitions: Definitions,
    pub history: History,
    /// The highest version that was published.
    version: u64,
    last_commit: u64,
}

impl Judge {
    /// Something is wrong.
    pub fn violation(&mut self, what: impl Into<String>) {
        if self.violations.len() < 20 {
            self.violations.push(what.into());
        }
    }

    /// Takes over what was found, if anything.
    pub fn check(&mut self, outcome: Result<(), String>) {
        if let Err(what) = outcome {
            self.violation(what);
        }
    }

    /// Whether nothing was wrong so far.
    pub fn is_good(&self) -> bool {
        self.violations.is_empty()
    }

    pub fn take_violations(&mut self) -> Vec<String> {
        std::mem::take(&mut self.violations)
    }

    /// A store was opened.
    pub fn opened_at(&mut self, version: u64) {
        if version < self.version {
            self.violation(format!("version {} was published, and {version} was found at the start", self.version));
        }
    }

    /// A commit was made that began at tick `began`.
    pub fn published(&mut self, state: &State, began: u64) {
        if state.version() < self.version {
            self.violation(format!("version {} was published after {}", state.version(), self.version));
        }
        self.version = state.version();
        self.last_commit = began;
    }

    /// A server begins with this state.
    pub fn begun(&mut self, state: &State, _began: u64, ready: u64) {
        self.version = self.version.max(state.version());
        let is_there = |id: &str| {
            let id = id.parse().ok();
            id.is_some_and(|id| state.all_clusters().any(|cluster| cluster.tasks.life(id).is_some()))
        };
        let vanished: Vec<String> = self.tasks.present().filter(|arn| !is_there(tasks::id_of(arn))).collect();
        for arn in vanished {
            // Whether it may is judged when it is looked for.
            self.history.expired(&arn, self.last_commit, ready);
        }
    }

    /// Tasks whose removal was published between two ticks.
    pub fn expired(&mut self, gone: &[TaskKey], before: u64, after: u64) {
        for key in gone {
            if let Some(arn) = self.tasks.arn_of(&key.id.to_string()) {
                self.history.expired(&arn, before, after);
            }
        }
    }

    /// The node was told of a task, so it must be there.
    pub fn told_of(&mut self, arn: &str, now: i64) {
        let epoch = self.clusters.epoch(tasks::cluster_of(arn));
        self.tasks.heard_of(arn, epoch, now);
    }

    /// The node reported the end of a task between two ticks.
    pub fn task_ended(&mut self, arn: &str, began: u64, ended: u64) {
        self.history.task_ended(arn, began, ended);
    }

    /// The end of the run: the whole story.
    pub fn conclude(&mut self) {
        if !self.is_good() {
            return;
        }
        let outcome = self.history.check(&self.runs, &self.tasks);
        self.check(outcome);
    }
}
