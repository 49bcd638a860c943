//! Pages, and traversals of them: a task that matched from the first page to the last is there exactly once, in
//! creation order, also across a crash.

use std::collections::HashSet;

use super::super::call::{Answer, Call, Desired, ListTasks, Name, Nanos, Outcome, TaskId};
use super::{Evidence, Judge, Violation};

/// A traversal from its first page on.
#[derive(Debug, Clone)]
pub struct Traversal {
    /// What is asked for; the limit may change from page to page.
    pub list: ListTasks,
    /// When its first page was asked for.
    pub begun: Option<Evidence>,
    /// When its latest page was there.
    pub ended: Nanos,
    /// What its pages listed.
    pub tasks: Vec<TaskId>,
    /// The calls that answered its pages.
    pub pages: Vec<u64>,
    /// How often the server had been killed before its first page.
    pub kills: usize,
}

impl Traversal {
    /// One that is to begin.
    pub fn new(list: ListTasks) -> Self {
        Self { list, begun: None, ended: 0, tasks: Vec::new(), pages: Vec::new(), kills: 0 }
    }

    /// Takes in a page; whether it was the last.
    pub fn add(&mut self, call: &Call) -> bool {
        let Outcome::Answered(Answer::Listed { tasks, next }) = &call.outcome else { return false };
        if self.begun.is_none() {
            self.begun = Some(Evidence::begin(call));
            self.kills = call.kills;
        }
        self.ended = call.ended;
        self.tasks.extend(tasks);
        self.pages.push(call.number);
        self.list.token.clone_from(next);
        next.is_none()
    }
}

impl Judge {
    pub(super) fn take_page(&mut self, call: &Call, list: &ListTasks) -> Result<(), Violation> {
        let Outcome::Answered(Answer::Listed { tasks, .. }) = &call.outcome else { return Ok(()) };
        if tasks.len() > list.limit {
            let text = format!("{} tasks on a page of {}", tasks.len(), list.limit);
            return Err(Violation::new("answers make sense", text, [call.number]));
        }
        for id in tasks {
            let facts = self.seen(*id, &list.cluster, call);
            if facts.cluster != list.cluster {
                let text = format!("task {id} of {} is listed in {}", facts.cluster, list.cluster);
                return Err(Violation::new("ids are never used twice", text, [facts.known.call, call.number]));
            }
            facts.see(*id, list.desired, call)?;
            facts.listed(*id, &list.filter, call)?;
        }
        Ok(())
    }

    /// Judges a traversal that has ended.
    ///
    /// # Errors
    /// The rule that it breaks. The tasks returned it left out: they may have been stopped meanwhile. They are to be
    /// described, then [`Judge::left_out`] called.
    pub fn traversed(&self, traversal: &Traversal) -> Result<Vec<TaskId>, Violation> {
        let Some(begun) = traversal.begun else { return Ok(vec![]) };
        let mut listed = HashSet::with_capacity(traversal.tasks.len());
        for id in &traversal.tasks {
            if !listed.insert(*id) {
                let text = format!("task {id} is listed twice");
                return Err(Violation::new("a traversal lists each task once", text, traversal.pages.clone()));
            }
        }
        self.in_order(&traversal.tasks, &traversal.pages)?;
        let mut doubtful = Vec::new();
        for id in self.all_tasks(&traversal.list.cluster).iter().filter(|id| !listed.contains(id)) {
            let Some(task) = self.tasks.get(id) else { continue };
            if task.known.at >= begun.at || task.passes(&traversal.list.filter) != Some(true) {
                continue;
            }
            let stopped_before = task.stopped.is_some_and(|stopped| stopped.at < begun.at);
            match traversal.list.desired {
                Desired::Stopped if stopped_before => return Err(left_out(*id, traversal, task.known.call)),
                Desired::Stopped => {}
                Desired::Running if task.running.is_some_and(|running| running.at >= traversal.ended) => {
                    return Err(left_out(*id, traversal, task.known.call));
                }
                Desired::Running if task.stopped.is_none() => doubtful.push(*id),
                Desired::Running => {}
            }
        }
        Ok(doubtful)
    }

    /// Judges the tasks that a traversal left out, now that they have been described.
    ///
    /// # Errors
    /// One matched all the time.
    pub fn left_out(&self, traversal: &Traversal, doubtful: &[TaskId]) -> Result<(), Violation> {
        for id in doubtful {
            let Some(task) = self.tasks.get(id) else { continue };
            if let Some(running) = task.running.filter(|running| running.at >= traversal.ended) {
                return Err(left_out(*id, traversal, running.call));
            }
        }
        Ok(())
    }

    /// Tasks stand in creation order: those of one call together and in the order of its answer, those of a call that
    /// began after another was known to have happened after the other's.
    pub(super) fn in_order(&self, tasks: &[TaskId], pages: &[u64]) -> Result<(), Violation> {
        let broken = |text: String, calls: [u64; 2]| {
            let calls = calls.into_iter().chain(pages.iter().copied());
            Err(Violation::new("order is creation order", text, calls))
        };
        let mut latest: Option<Evidence> = None;
        let mut done: HashSet<&Name> = HashSet::new();
        let mut current: Option<(&Name, usize)> = None;
        for id in tasks {
            let Some(started_by) = self.tasks.get(id).and_then(|task| task.run.as_ref()) else { continue };
            let Some(run) = self.runs.get(started_by) else { continue };
            let place = run.tasks.iter().position(|task| task == id).unwrap_or_default();
            match current {
                Some((name, before)) if name == started_by => {
                    if run.answered.is_some() && place <= before {
                        let text = format!("{id} of {started_by} stands behind a later one");
                        return broken(text, [run.first.call, run.first.call]);
                    }
                }
                _ => {
                    if !done.insert(started_by) {
                        let text = format!("others stand between the tasks of {started_by}");
                        return broken(text, [run.first.call, run.first.call]);
                    }
                    let known = run.known.unwrap_or(run.first);
                    if let Some(later) = latest.filter(|later| later.at > known.at) {
                        let text = format!("{id} of {started_by} stands behind tasks of a later call");
                        return broken(text, [run.first.call, later.call]);
                    }
                    if latest.is_none_or(|latest| run.first.at > latest.at) {
                        latest = Some(run.first);
                    }
                }
            }
            current = Some((started_by, place));
        }
        Ok(())
    }

    /// Judges a cluster by traversals of all its running and then of all its stopped tasks, made while nobody else
    /// called, after [`Judge::unknown`] tasks have been described.
    ///
    /// # Errors
    /// A task is on neither list; a call happened in part.
    pub fn settle(&mut self, running: &Traversal, stopped: &Traversal) -> Result<(), Violation> {
        let Some(begun) = running.begun else { return Ok(()) };
        let listed: HashSet<&TaskId> = running.tasks.iter().chain(&stopped.tasks).collect();
        for id in self.all_tasks(&running.list.cluster) {
            let known = self.tasks.get(id).map(|task| task.known).filter(|known| known.at < begun.at);
            if let Some(known) = known.filter(|_| !listed.contains(id)) {
                let text = format!("task {id} is neither among the running nor among the stopped");
                let pages = running.pages.iter().chain(&stopped.pages).copied();
                return Err(Violation::new("nothing is lost", text, [known.call].into_iter().chain(pages)));
            }
        }
        self.settle_runs(&running.list.cluster.clone(), begun)
    }
}

fn left_out(id: TaskId, traversal: &Traversal, witness: u64) -> Violation {
    let text = format!("task {id} matched from the first page to the last and is not listed");
    Violation::new("a traversal lists each task once", text, [witness].into_iter().chain(traversal.pages.clone()))
}
