//! The story of the run as the linearizability checker wants it: every call to a cluster that is never deleted.

use std::collections::BTreeSet;

use crate::linearizability::tasks::{Desired, Task, TaskCall, TaskInput, TaskModel, TaskOutput};
use crate::linearizability::{Call, check};

use super::runs::Runs;
use super::tasks::{Tasks, cluster_of, id_of};

/// Model steps that may be tried for each cluster.
const STEPS: usize = 200_000;

/// A history with fewer calls would prove nothing.
const CALLS: usize = 100;

/// Calls and what else happened, in any order.
#[derive(Debug, Default)]
pub(crate) struct History {
    calls: Vec<Call<TaskInput, TaskOutput>>,
    ended: BTreeSet<String>,
    expired: BTreeSet<String>,
    /// Clusters that are never deleted.
    pub clusters: Vec<&'static str>,
}

/// A task is named by its id: the rest of its ARN is the cluster's.
fn task(arn: &str) -> Task {
    id_of(arn).into()
}

impl History {
    fn add(&mut self, cluster: &str, times: (u64, Option<u64>), call: TaskCall, output: Option<TaskOutput>) {
        if self.clusters.contains(&cluster) {
            let input = TaskInput { cluster: cluster.into(), call };
            self.calls.push(Call { client: 0, invoked: times.0, returned: times.1, input, output });
        }
    }

    /// StopTask; `done` is false for one that does not know the task, none without an answer.
    pub fn stop(&mut self, arn: &str, invoked: u64, returned: u64, done: Option<bool>) {
        let output = done.map(|done| if done { TaskOutput::Done } else { TaskOutput::Refused });
        self.add(cluster_of(arn), (invoked, Some(returned)), TaskCall::StopTask { task: task(arn) }, output);
    }

    /// A whole list.
    pub fn list(&mut self, cluster: &str, stopped: bool, listed: &[String], invoked: u64, returned: u64) {
        let desired = if stopped { Desired::Stopped } else { Desired::Running };
        let listed = listed.iter().map(|arn| task(arn)).collect();
        let (call, output) = (TaskCall::ListTasks { desired }, TaskOutput::Listed(listed));
        self.add(cluster, (invoked, Some(returned)), call, Some(output));
    }

    /// A description of these tasks, each wanted STOPPED or not, or missing.
    pub fn describe(&mut self, cluster: &str, described: &[(String, Option<bool>)], invoked: u64, returned: u64) {
        let tasks = described.iter().map(|(arn, _)| task(arn)).collect();
        let desired = |stopped: bool| if stopped { Desired::Stopped } else { Desired::Running };
        let output = described.iter().map(|(_, stopped)| stopped.map(desired)).collect();
        let (call, output) = (TaskCall::DescribeTasks { tasks }, TaskOutput::Described(output));
        self.add(cluster, (invoked, Some(returned)), call, Some(output));
    }

    /// The node reported the end of a task, for the first time between these ticks.
    pub fn task_ended(&mut self, arn: &str, began: u64, ended: u64) {
        if self.ended.insert(arn.to_owned()) {
            let call = TaskCall::TaskEnds { task: task(arn) };
            self.add(cluster_of(arn), (began, Some(ended)), call, Some(TaskOutput::Done));
        }
    }

    /// A task went between these ticks.
    pub fn expired(&mut self, arn: &str, before: u64, after: u64) {
        if self.expired.insert(arn.to_owned()) {
            let call = TaskCall::TaskExpires { task: task(arn) };
            self.add(cluster_of(arn), (before, Some(after)), call, Some(TaskOutput::Done));
        }
    }

    /// Whether the story is one that could have happened one call at a time.
    pub fn check(&mut self, runs: &Runs, tasks: &Tasks) -> Result<(), String> {
        for (tag, run) in runs.iter() {
            let made = run.tasks.clone().unwrap_or_else(|| tasks.of_run(tag));
            let call = TaskCall::RunTask { tasks: made.iter().map(|arn| task(arn)).collect() };
            let output = run.returned.map(|_| TaskOutput::Done);
            self.add(&run.cluster, (run.invoked, run.returned), call, output);
        }
        if self.calls.len() < CALLS {
            return Err(format!("the history has {} calls only", self.calls.len()));
        }
        check(&TaskModel, &self.calls, STEPS).map_err(|violation| violation.to_string())
    }
}
