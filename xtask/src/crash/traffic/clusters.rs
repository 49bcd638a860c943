//! A cluster of the client's own that is made, used, emptied, deleted and made anew under the same name.

use std::sync::atomic::Ordering;

use super::super::call::{Answer, Desired, Filter, ListTasks, Name, Outcome, Request};
use super::super::client::Over;
use super::Worker;

/// Where the cluster's life is; a step without an answer is done again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Create,
    /// So many RunTask are still to be made.
    Run(usize),
    Empty,
    Delete,
    /// It is INACTIVE: it must list nothing.
    Look,
}

/// The cluster.
#[derive(Debug)]
pub struct Churn {
    cluster: Name,
    step: Step,
}

impl Churn {
    /// The cluster of this client.
    pub fn new(client: usize) -> Self {
        Self { cluster: format!("own-{client}").into(), step: Step::Create }
    }
}

impl Worker<'_> {
    pub(super) fn churn(&mut self) -> Result<(), Over> {
        let cluster = self.churn.cluster.clone();
        match self.churn.step {
            Step::Create => {
                let call = self.client.call(Request::CreateCluster { cluster })?;
                if matches!(call.outcome, Outcome::Answered(_)) {
                    self.churn.step = Step::Run(self.random.between(0, 2));
                }
            }
            Step::Run(0) => self.churn.step = Step::Empty,
            Step::Run(left) => {
                let run = self.new_run(cluster, 4);
                self.client.call(Request::RunTask(run))?;
                self.churn.step = Step::Run(left - 1);
            }
            Step::Empty => {
                let list = list_running(cluster.clone());
                let call = self.client.call(list)?;
                let Outcome::Answered(Answer::Listed { tasks, .. }) = call.outcome else { return Ok(()) };
                if tasks.is_empty() {
                    self.churn.step = Step::Delete;
                }
                for task in tasks {
                    self.client.call(Request::StopTask { cluster: cluster.clone(), task })?;
                }
            }
            Step::Delete => {
                let call = self.client.call(Request::DeleteCluster { cluster })?;
                if matches!(call.outcome, Outcome::Answered(_)) {
                    self.client.shared.counts.deletions.fetch_add(1, Ordering::Relaxed);
                    self.churn.step = Step::Look;
                }
            }
            Step::Look => {
                self.client.call(list_running(cluster))?;
                self.churn.step = Step::Create;
            }
        }
        Ok(())
    }
}

fn list_running(cluster: Name) -> Request {
    Request::ListTasks(ListTasks { cluster, desired: Desired::Running, filter: Filter::All, limit: 100, token: None })
}
