//! Judges the server by the driver's own log.
//!
//! Every call is taken in once, when it has ended; the order does not matter, because rules compare times: what one
//! answer showed must hold in every answer to a call that began after it. [`Judge::settle`] and the checks of
//! traversals add what only a whole list can tell. It shares no code with the server.

mod clusters;
mod definitions;
mod runs;
mod tasks;
#[cfg(test)]
mod tests;
mod traversal;

use std::collections::{HashMap, HashSet};

pub use clusters::Expected;
pub use traversal::Traversal;

use self::clusters::ClusterFacts;
use self::definitions::FamilyFacts;
use self::runs::RunFacts;
use self::tasks::TaskFacts;
use super::call::{Answer, Call, Desired, Name, Nanos, Outcome, Request, TaskId};
use super::random::Random;

/// A rule that was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which; one of the rules of `docs/design/crash-driver.md`.
    pub rule: &'static str,
    /// What was seen.
    pub text: String,
    /// The numbers of the calls that show it.
    pub calls: Vec<u64>,
}

impl Violation {
    /// A broken rule.
    pub fn new(rule: &'static str, text: impl Into<String>, calls: impl IntoIterator<Item = u64>) -> Self {
        Self { rule, text: text.into(), calls: calls.into_iter().collect() }
    }
}

/// A moment and the call that knows of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Evidence {
    /// When.
    pub at: Nanos,
    /// The number of the call.
    pub call: u64,
}

impl Evidence {
    fn begin(call: &Call) -> Self {
        Self { at: call.invoked, call: call.number }
    }

    fn end(call: &Call) -> Self {
        Self { at: call.ended, call: call.number }
    }
}

fn keep_earliest(kept: &mut Option<Evidence>, new: Evidence) {
    if kept.is_none_or(|kept| new.at < kept.at) {
        *kept = Some(new);
    }
}

fn keep_latest(kept: &mut Option<Evidence>, new: Evidence) {
    if kept.is_none_or(|kept| new.at > kept.at) {
        *kept = Some(new);
    }
}

/// Everything that is known of one server's data.
#[derive(Debug, Default)]
pub struct Judge {
    clusters: HashMap<Name, ClusterFacts>,
    tasks: HashMap<TaskId, TaskFacts>,
    runs: HashMap<Name, RunFacts>,
    /// Inputs that shared a client token, by cluster and token.
    tokens: HashMap<(Name, Name), Vec<Name>>,
    families: HashMap<Name, FamilyFacts>,
}

impl Judge {
    /// Takes note of a call that is about to begin: from now on others may see what it does.
    pub fn announce(&mut self, number: u64, request: &Request, now: Nanos) {
        let begin = Evidence { at: now, call: number };
        match request {
            Request::RunTask(run) => self.announce_run(run, begin),
            Request::RegisterTaskDefinition { family, marker, .. } => self.announce_register(family, *marker, begin),
            Request::DeregisterTaskDefinition { family, revision } => {
                self.announce_deregister(family, *revision, number);
            }
            _ => {}
        }
    }

    /// Takes in a call that has ended, and that was announced.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub fn take(&mut self, call: &Call) -> Result<(), Violation> {
        match &call.outcome {
            Outcome::Nonsense(text) => {
                return Err(Violation::new("answers make sense", text.clone(), [call.number]));
            }
            Outcome::Refused { code, message, .. } if !self.may_refuse(call, code) => {
                return Err(Violation::new("only expected refusals", format!("{code}: {message}"), [call.number]));
            }
            _ => {}
        }
        match &call.request {
            Request::RunTask(run) => self.take_run(call, run),
            Request::StopTask { cluster, task } => self.take_described(call, cluster, &[*task]),
            Request::DescribeTasks { cluster, tasks } => self.take_described(call, cluster, tasks),
            Request::ListTasks(list) => self.take_page(call, list),
            Request::CreateCluster { cluster } => self.take_create(call, cluster),
            Request::DeleteCluster { cluster } => self.take_delete(call, cluster),
            Request::DescribeClusters { clusters } => self.take_clusters(call, clusters),
            Request::RegisterTaskDefinition { family, marker, .. } => self.take_register(call, family, *marker),
            Request::DeregisterTaskDefinition { family, .. } | Request::DescribeTaskDefinition { family, .. } => {
                self.take_definition(call, family)
            }
            Request::ListTaskDefinitions { .. } => Ok(()),
        }
    }

    fn may_refuse(&self, call: &Call, code: &str) -> bool {
        if code == "ThrottlingException" {
            return true;
        }
        match &call.request {
            Request::RunTask(run) => code == "ConflictException" && run.token.is_some(),
            Request::DeleteCluster { .. } => code == "ClusterContainsTasksException",
            Request::ListTasks(list) => {
                code == "ClusterNotFoundException" && self.expected(&list.cluster) != Expected::Active
            }
            Request::DeregisterTaskDefinition { family, revision } => {
                let family = self.families.get(family);
                family.is_some_and(|family| family.somebody_deregistered(*revision, call.number))
            }
            _ => false,
        }
    }

    /// StopTask and DescribeTasks.
    fn take_described(&mut self, call: &Call, cluster: &Name, asked: &[TaskId]) -> Result<(), Violation> {
        let Outcome::Answered(Answer::Tasks { tasks, failures }) = &call.outcome else { return Ok(()) };
        for task in tasks {
            self.see_task(call, cluster, task)?;
        }
        if let Request::StopTask { task, .. } = &call.request
            && !tasks.iter().any(|seen| seen.id == *task && seen.desired == Desired::Stopped)
        {
            return Err(Violation::new("answers make sense", format!("StopTask did not stop {task}"), [call.number]));
        }
        if tasks.len() + failures.len() != asked.len() {
            let text = format!("asked for {}, got {} and {} failures", asked.len(), tasks.len(), failures.len());
            return Err(Violation::new("answers make sense", text, [call.number]));
        }
        let shown: HashSet<TaskId> = tasks.iter().map(|task| task.id).collect();
        for id in asked.iter().filter(|id| !shown.contains(id)) {
            if let Some(facts) = self.tasks.get_mut(id) {
                facts.miss(*id, call)?;
            }
        }
        Ok(())
    }

    /// Tasks of a cluster that lists have shown and that nobody has described yet.
    pub fn unknown(&self, cluster: &Name) -> Vec<TaskId> {
        let tasks = self.clusters.get(cluster).map(|cluster| cluster.tasks.as_slice()).unwrap_or_default();
        tasks.iter().copied().filter(|id| self.tasks.get(id).is_some_and(|task| task.run.is_none())).collect()
    }

    /// A task of a cluster that is not known to be stopped, if the random choice finds one.
    pub fn some_live(&mut self, cluster: &Name, random: &mut Random) -> Option<TaskId> {
        let live = &mut self.clusters.get_mut(cluster)?.live;
        while !live.is_empty() {
            let at = random.below(live.len());
            let id = *live.get(at)?;
            if self.tasks.get(&id).is_some_and(|task| task.stopped.is_none()) {
                return Some(id);
            }
            live.swap_remove(at);
        }
        None
    }

    /// The tasks of a cluster that are not known to be stopped.
    pub fn live(&mut self, cluster: &Name) -> Vec<TaskId> {
        let Some(facts) = self.clusters.get_mut(cluster) else { return vec![] };
        let tasks = &self.tasks;
        facts.live.retain(|id| tasks.get(id).is_some_and(|task| task.stopped.is_none()));
        facts.live.clone()
    }

    /// Up to `most` tasks of a cluster, the latest ones more often than others.
    pub fn some_tasks(&self, cluster: &Name, most: usize, random: &mut Random) -> Vec<TaskId> {
        let Some(facts) = self.clusters.get(cluster) else { return vec![] };
        let tasks = &facts.tasks;
        let wanted = random.between(1, most);
        let recent = tasks.get(tasks.len().saturating_sub(100)..).unwrap_or_default();
        let mut chosen: Vec<TaskId> = (0..wanted)
            .filter_map(|_| if random.chance(50) { random.pick(recent) } else { random.pick(tasks) })
            .copied()
            .collect();
        chosen.sort_unstable();
        chosen.dedup();
        chosen
    }

    /// All tasks of a cluster that are known.
    pub fn all_tasks(&self, cluster: &Name) -> &[TaskId] {
        self.clusters.get(cluster).map(|cluster| cluster.tasks.as_slice()).unwrap_or_default()
    }

    /// How many tasks are known in all.
    pub fn task_count(&self) -> usize {
        self.tasks.len()
    }
}
