//! Looks at everything after a restart, while the clients wait.

use super::call::{Answer, Call, Desired, Filter, ListTasks, Name, Outcome, Request, RunTask, TaskId};
use super::client::{Client, Over, Shared};
use super::judge::{Expected, Traversal, Violation};
use super::random::Random;

/// Tasks beside the running ones that are described in each cluster, unless all are.
const SAMPLE: usize = 100;

/// Tokens that are replayed.
const REPLAYS: usize = 8;

/// A look at everything.
#[derive(Debug)]
pub struct Verify<'a> {
    client: Client<'a>,
    random: Random,
}

impl<'a> Verify<'a> {
    /// A look through a connection of its own.
    pub fn new(number: usize, shared: &'a Shared, random: Random) -> Self {
        Self { client: Client::new(number, shared), random }
    }

    fn shared(&self) -> &'a Shared {
        self.client.shared
    }

    /// Looks at everything; `all` describes every task instead of some.
    ///
    /// # Errors
    /// A rule was broken; what it was stands in [`Shared::failure`].
    pub fn look(&mut self, all: bool) -> Result<(), Over> {
        let names = self.shared().judge().cluster_names();
        for clusters in names.chunks(100) {
            self.ask(Request::DescribeClusters { clusters: clusters.to_vec() })?;
        }
        for cluster in names {
            let expected = self.shared().judge().expected(&cluster);
            match expected {
                Expected::Active => self.cluster(&cluster, all)?,
                _ => self.no_cluster(&cluster)?,
            }
        }
        self.tokens()?;
        let families = self.shared().judge().family_names();
        families.iter().try_for_each(|family| self.family(family))
    }

    /// A call that must be answered: nobody kills the server now. What is throttled is asked again.
    fn ask(&mut self, request: Request) -> Result<Call, Over> {
        loop {
            let call = self.client.call_now(request.clone())?;
            match &call.outcome {
                Outcome::Refused { code, .. } if code == "ThrottlingException" => {}
                Outcome::Lost(why) => {
                    let violation = Violation::new("every call is answered", why.clone(), [call.number]);
                    return Err(self.shared().fail(violation));
                }
                _ => return Ok(call),
            }
        }
    }

    /// A cluster that is not ACTIVE lists nothing.
    fn no_cluster(&mut self, cluster: &Name) -> Result<(), Over> {
        let list = list(cluster, Desired::Running, Filter::All);
        let call = self.ask(Request::ListTasks(list))?;
        match call.outcome {
            Outcome::Refused { .. } => Ok(()),
            _ => {
                let text = format!("{cluster} is not ACTIVE and lists tasks");
                Err(self.shared().fail(Violation::new("clusters stay", text, [call.number])))
            }
        }
    }

    fn cluster(&mut self, cluster: &Name, all: bool) -> Result<(), Over> {
        let running = self.traverse(list(cluster, Desired::Running, Filter::All))?;
        let stopped = self.traverse(list(cluster, Desired::Stopped, Filter::All))?;
        let unknown = self.shared().judge().unknown(cluster);
        self.describe(cluster, &unknown)?;
        let (chosen, random) = (&mut self.random, self.client.shared);
        let sample = {
            let mut judge = random.judge();
            if all {
                judge.all_tasks(cluster).to_vec()
            } else {
                let mut sample = judge.live(cluster);
                sample.extend(judge.some_tasks(cluster, SAMPLE, chosen));
                sample.sort_unstable();
                sample.dedup();
                sample
            }
        };
        self.describe(cluster, &sample)?;
        for traversal in [&running, &stopped] {
            self.judge_traversal(traversal)?;
        }
        let settled = self.shared().judge().settle(&running, &stopped);
        self.shared().check(settled)?;
        self.filters(cluster)
    }

    /// A traversal from its first page to its last.
    fn traverse(&mut self, list: ListTasks) -> Result<Traversal, Over> {
        let mut traversal = Traversal::new(list);
        loop {
            let call = self.ask(Request::ListTasks(traversal.list.clone()))?;
            if traversal.add(&call) {
                return Ok(traversal);
            }
            if !matches!(call.outcome, Outcome::Answered(_)) {
                let text = format!("{:?}", call.outcome);
                return Err(self.shared().fail(Violation::new("clusters stay", text, [call.number])));
            }
        }
    }

    fn judge_traversal(&mut self, traversal: &Traversal) -> Result<(), Over> {
        let traversed = self.shared().judge().traversed(traversal);
        let doubtful = self.shared().check(traversed)?;
        self.describe(&traversal.list.cluster, &doubtful)?;
        let checked = self.shared().judge().left_out(traversal, &doubtful);
        self.shared().check(checked)
    }

    fn describe(&mut self, cluster: &Name, tasks: &[TaskId]) -> Result<(), Over> {
        for tasks in tasks.chunks(100) {
            self.ask(Request::DescribeTasks { cluster: cluster.clone(), tasks: tasks.to_vec() })?;
        }
        Ok(())
    }

    /// Lists by `startedBy` and by family what some calls started: all of it, and nothing else.
    fn filters(&mut self, cluster: &Name) -> Result<(), Over> {
        let remembered = self.shared().remembered();
        let here: Vec<&RunTask> = remembered.iter().filter(|run| run.cluster == *cluster).collect();
        let Some(run) = self.random.pick(&here).map(|run| (*run).clone()) else { return Ok(()) };
        for filter in [Filter::StartedBy(run.started_by.clone()), Filter::Family(run.family.clone())] {
            for desired in [Desired::Running, Desired::Stopped] {
                let traversal = self.traverse(list(cluster, desired, filter.clone()))?;
                self.judge_traversal(&traversal)?;
            }
        }
        Ok(())
    }

    /// Replays the latest client tokens with their inputs and with others.
    fn tokens(&mut self) -> Result<(), Over> {
        let remembered = self.shared().remembered();
        for run in remembered.iter().rev().take(REPLAYS) {
            self.ask(Request::RunTask(run.clone()))?;
            if !self.random.chance(25) || !self.shared().judge().has_happened(&run.started_by) {
                continue;
            }
            let other = RunTask { started_by: self.shared().name("run"), ..run.clone() };
            let call = self.ask(Request::RunTask(other))?;
            if !matches!(call.outcome, Outcome::Refused { .. }) {
                let text = format!("another input with the token of {} was accepted", run.started_by);
                return Err(self.shared().fail(Violation::new("a token protects", text, [call.number])));
            }
        }
        Ok(())
    }

    fn family(&mut self, family: &Name) -> Result<(), Over> {
        let (active, _) = self.revisions(family, true)?;
        let (inactive, look) = self.revisions(family, false)?;
        let listed = self.shared().judge().listed_revisions(family, &active, &inactive, look);
        let unknown = self.shared().check(listed)?;
        let count = active.len() + inactive.len();
        let sample = (0..10).filter_map(|_| u32::try_from(self.random.between(1, count)).ok());
        let sample: Vec<u32> = sample.chain(unknown).filter(|revision| *revision as usize <= count).collect();
        for revision in sample {
            let request = Request::DescribeTaskDefinition { family: family.clone(), revision };
            let call = self.ask(request)?;
            let Outcome::Answered(Answer::Definition(seen)) = &call.outcome else { continue };
            if seen.active != active.contains(&revision) {
                let text = format!("{family}:{revision} stands on the wrong list");
                let violation = Violation::new("lists and descriptions agree", text, [look, call.number]);
                return Err(self.shared().fail(violation));
            }
        }
        let now = self.shared().now();
        self.shared().judge().settle_family(family, look, now);
        Ok(())
    }

    /// The revisions of a family, and the last call that listed them.
    fn revisions(&mut self, family: &Name, active: bool) -> Result<(Vec<u32>, u64), Over> {
        let (mut all, mut token) = (Vec::new(), None);
        loop {
            let call = self.ask(Request::ListTaskDefinitions { family: family.clone(), active, token })?;
            let Outcome::Answered(Answer::Definitions { revisions, next }) = call.outcome else {
                return Ok((all, call.number));
            };
            all.extend(revisions);
            token = next;
            if token.is_none() {
                return Ok((all, call.number));
            }
        }
    }
}

fn list(cluster: &Name, desired: Desired, filter: Filter) -> ListTasks {
    ListTasks { cluster: cluster.clone(), desired, filter, limit: 100, token: None }
}
