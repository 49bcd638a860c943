//! What is known of each RunTask: it happens whole or not at all, once, and its token holds.

use std::collections::HashSet;

use super::super::call::{Answer, Call, Name, Outcome, RunTask, TaskId};
use super::{Evidence, Judge, Violation, keep_earliest, keep_latest};

/// What is known of one input of RunTask, over all its attempts.
#[derive(Debug, Clone)]
pub(super) struct RunFacts {
    pub(super) input: RunTask,
    /// When its first attempt began.
    pub(super) first: Evidence,
    /// When its latest attempt began.
    latest: Evidence,
    /// The earliest answer that showed that it happened.
    pub(super) known: Option<Evidence>,
    /// The earliest success.
    pub(super) answered: Option<Evidence>,
    /// The tasks of a success, in the order of its answer.
    pub(super) tasks: Vec<TaskId>,
    /// Tasks that were found to be of it.
    pub(super) found: HashSet<TaskId>,
    /// A look that found none of its tasks after every attempt so far had ended.
    absent: Option<Evidence>,
    /// A refusal that says that it happened.
    vouched: Option<Evidence>,
}

impl Judge {
    pub(super) fn announce_run(&mut self, input: &RunTask, begin: Evidence) {
        let run = self.runs.entry(input.started_by.clone()).or_insert_with(|| RunFacts {
            input: input.clone(),
            first: begin,
            latest: begin,
            known: None,
            answered: None,
            tasks: Vec::new(),
            found: HashSet::new(),
            absent: None,
            vouched: None,
        });
        if begin.at > run.latest.at {
            run.latest = begin;
        }
        if let Some(token) = &input.token {
            let sharing = self.tokens.entry((input.cluster.clone(), token.clone())).or_default();
            if !sharing.contains(&input.started_by) {
                sharing.push(input.started_by.clone());
            }
        }
    }

    pub(super) fn take_run(&mut self, call: &Call, input: &RunTask) -> Result<(), Violation> {
        match &call.outcome {
            Outcome::Answered(Answer::Tasks { tasks, failures }) => {
                if tasks.len() != input.count || !failures.is_empty() {
                    let text = format!("{} of {} tasks, failures {failures:?}", tasks.len(), input.count);
                    return Err(Violation::new("a call happens whole", text, [call.number]));
                }
                let ids: Vec<TaskId> = tasks.iter().map(|task| task.id).collect();
                self.run_succeeded(call, input, &ids)?;
                tasks.iter().try_for_each(|task| self.see_task(call, &input.cluster, task))
            }
            Outcome::Refused { code, resources, .. } if code == "ConflictException" => {
                self.run_conflicts(call, input, resources)
            }
            _ => Ok(()),
        }
    }

    fn run_succeeded(&mut self, call: &Call, input: &RunTask, ids: &[TaskId]) -> Result<(), Violation> {
        if let Some(other) = self.sharing(input).find(|other| other.known.is_some()) {
            let text = format!("{} and {} both happened with one token", other.input.started_by, input.started_by);
            return Err(Violation::new("a token protects", text, [other.first.call, call.number]));
        }
        let Some(run) = self.runs.get_mut(&input.started_by) else { return Ok(()) };
        if let Some(answered) = run.answered.filter(|_| run.tasks != ids) {
            let text = format!("{} answered {:?}, then {ids:?}", input.started_by, run.tasks);
            return Err(Violation::new("a token protects", text, [answered.call, call.number]));
        }
        run.tasks = ids.to_vec();
        keep_earliest(&mut run.answered, Evidence::end(call));
        ids.iter().try_for_each(|id| self.attribute(*id, &input.cluster, &input.started_by, "", call))
    }

    /// The other inputs with the same token.
    fn sharing(&self, input: &RunTask) -> impl Iterator<Item = &RunFacts> {
        let key = input.token.clone().map(|token| (input.cluster.clone(), token));
        let sharing = key.and_then(|key| self.tokens.get(&key)).map(Vec::as_slice).unwrap_or_default();
        let started_by = input.started_by.clone();
        sharing.iter().filter(move |other| **other != started_by).filter_map(|other| self.runs.get(other))
    }

    fn run_conflicts(&mut self, call: &Call, input: &RunTask, resources: &[TaskId]) -> Result<(), Violation> {
        let own = self.runs.get(&input.started_by).and_then(|run| run.known);
        if let Some(known) = own {
            let text = format!("{} happened, and its token conflicts", input.started_by);
            return Err(Violation::new("a token protects", text, [known.call, call.number]));
        }
        let rivals: Vec<Name> = self.sharing(input).map(|other| other.input.started_by.clone()).collect();
        let [rival] = rivals.as_slice() else { return Ok(()) };
        let Some(rival) = self.runs.get_mut(rival) else { return Ok(()) };
        keep_earliest(&mut rival.vouched, Evidence::end(call));
        if rival.answered.is_some() && rival.tasks != resources {
            let text = format!("the conflict names {resources:?}, not {:?}", rival.tasks);
            return Err(Violation::new("a token protects", text, [rival.first.call, call.number]));
        }
        Ok(())
    }

    /// A call shows that a task came of a RunTask. `definition` is empty where it does not tell.
    pub(super) fn attribute(
        &mut self,
        id: TaskId,
        cluster: &Name,
        started_by: &Name,
        definition: &str,
        call: &Call,
    ) -> Result<(), Violation> {
        let facts = self.seen(id, cluster, call);
        let earlier = facts.run.replace(started_by.clone()).filter(|run| run != started_by);
        if let Some(earlier) = earlier {
            let text = format!("task {id} is of {earlier} and of {started_by}");
            return Err(Violation::new("ids are never used twice", text, [facts.known.call, call.number]));
        }
        let Some(run) = self.runs.get_mut(started_by).filter(|run| run.input.cluster == *cluster) else {
            let text = format!("nobody ran task {id} of {started_by} in {cluster}");
            return Err(Violation::new("only what was asked for", text, [call.number]));
        };
        if !definition.is_empty() && *definition != format!("{}:1", run.input.family) {
            let text = format!("task {id} of {started_by} runs {definition}");
            return Err(Violation::new("only what was asked for", text, [run.first.call, call.number]));
        }
        keep_earliest(&mut run.known, Evidence::end(call));
        run.found.insert(id);
        let complete = run.answered.is_some() && !run.tasks.contains(&id);
        if run.found.len() > run.input.count || complete {
            let text = format!("{started_by} was to run {} tasks; {id} is one more", run.input.count);
            return Err(Violation::new("nothing runs twice", text, [run.first.call, call.number]));
        }
        if let Some(absent) = run.absent.filter(|absent| run.latest.at < absent.at) {
            let text = format!("{started_by} had not happened after the crash, and then did");
            let calls = [run.latest.call, absent.call, call.number];
            return Err(Violation::new("a call happens before its end", text, calls));
        }
        Ok(())
    }

    /// All tasks of a cluster are known, by a look at `look` while nobody else called: each of its calls happened whole
    /// or not at all.
    pub(super) fn settle_runs(&mut self, cluster: &Name, look: Evidence) -> Result<(), Violation> {
        let open = |run: &&mut RunFacts| run.input.cluster == *cluster && run.found.len() != run.input.count;
        for run in self.runs.values_mut().filter(open) {
            let (started_by, found, count) = (&run.input.started_by, run.found.len(), run.input.count);
            if found > 0 {
                let text = format!("{found} of the {count} tasks of {started_by} are there");
                return Err(Violation::new("a call happens whole", text, [run.first.call, run.latest.call, look.call]));
            }
            if let Some(vouched) = run.vouched {
                let text = format!("{started_by} happened, as a conflict says, and left no tasks");
                return Err(Violation::new("nothing is lost", text, [run.first.call, vouched.call, look.call]));
            }
            keep_latest(&mut run.absent, look);
        }
        Ok(())
    }

    /// Whether a RunTask is known to have happened.
    pub fn has_happened(&self, started_by: &Name) -> bool {
        self.runs.get(started_by).is_some_and(|run| run.known.is_some())
    }
}
