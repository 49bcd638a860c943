//! What is known of one task, and the rules that hold for it alone.
//!
//! A task once seen is there; its statuses never go back; what never changes never changes.

use super::super::call::{Call, Desired, Filter, Identity, Name, STATUSES, TaskId, TaskSeen};
use super::{Evidence, Judge, Violation, keep_earliest, keep_latest};

/// What is known of one task.
#[derive(Debug, Clone)]
pub struct TaskFacts {
    /// Its cluster.
    pub cluster: Name,
    /// The `startedBy` of the call that it came of, once known.
    pub run: Option<Name>,
    /// The earliest answer that showed it.
    pub known: Evidence,
    /// The earliest answer that showed it with desired status STOPPED.
    pub stopped: Option<Evidence>,
    /// The latest call that found it with desired status RUNNING, when that began.
    pub running: Option<Evidence>,
    /// From here on nobody may see it: its cluster was made anew.
    pub gone: Option<Evidence>,
    /// The latest call that did not find it, when that began.
    missing: Option<Evidence>,
    /// For each status the earliest answer that showed it, and the latest call that saw it, when that began.
    last: [(Option<Evidence>, Option<Evidence>); STATUSES.len()],
    identity: Option<Identity>,
    stop: Option<((String, String), Evidence)>,
    /// Filters under which it was listed before its identity was known.
    claims: Vec<(Filter, u64)>,
}

impl TaskFacts {
    /// A task that this call shows.
    pub(super) fn new(cluster: Name, call: &Call) -> Self {
        Self {
            cluster,
            run: None,
            known: Evidence::end(call),
            stopped: None,
            running: None,
            gone: None,
            missing: None,
            last: [(None, None); STATUSES.len()],
            identity: None,
            stop: None,
            claims: Vec::new(),
        }
    }

    /// Whether it passes a filter, as far as is known.
    pub(super) fn passes(&self, filter: &Filter) -> Option<bool> {
        match filter {
            Filter::All => Some(true),
            Filter::StartedBy(started_by) => self.run.as_ref().map(|run| run == started_by),
            Filter::Family(family) => {
                let definition = &self.identity.as_ref()?.definition;
                Some(definition.rsplit_once(':').is_some_and(|(name, _)| *name == **family))
            }
        }
    }

    /// The call shows the task with this desired status.
    pub(super) fn see(&mut self, id: TaskId, desired: Desired, call: &Call) -> Result<(), Violation> {
        let (begin, end) = (Evidence::begin(call), Evidence::end(call));
        if end.at < self.known.at {
            self.known = end;
        }
        if let Some(gone) = self.gone.filter(|gone| begin.at > gone.at) {
            let text = format!("task {id} of a deleted cluster is in the new one");
            return Err(Violation::new("no task comes back", text, [gone.call, call.number]));
        }
        match desired {
            Desired::Stopped => keep_earliest(&mut self.stopped, end),
            Desired::Running => keep_latest(&mut self.running, begin),
        }
        if let (Some(stopped), Some(running)) = (self.stopped, self.running)
            && running.at > stopped.at
        {
            let text = format!("task {id} was to be STOPPED and is to be RUNNING again");
            return Err(Violation::new("statuses never go back", text, [stopped.call, running.call]));
        }
        self.is_there(id)
    }

    /// The call did not find the task.
    pub(super) fn miss(&mut self, id: TaskId, call: &Call) -> Result<(), Violation> {
        if self.gone.is_some() {
            return Ok(());
        }
        keep_latest(&mut self.missing, Evidence::begin(call));
        self.is_there(id)
    }

    fn is_there(&self, id: TaskId) -> Result<(), Violation> {
        match self.missing {
            Some(missing) if missing.at > self.known.at => {
                let text = format!("task {id} is MISSING");
                Err(Violation::new("nothing is lost", text, [self.known.call, missing.call]))
            }
            _ => Ok(()),
        }
    }

    fn see_last(&mut self, id: TaskId, status: usize, call: &Call) -> Result<(), Violation> {
        if let Some((earliest, latest)) = self.last.get_mut(status) {
            keep_earliest(earliest, Evidence::end(call));
            keep_latest(latest, Evidence::begin(call));
        }
        for (lower, (_, latest)) in self.last.iter().enumerate() {
            for (higher, (earliest, _)) in self.last.iter().enumerate().skip(lower + 1) {
                if let (Some(latest), Some(earliest)) = (latest, earliest)
                    && latest.at > earliest.at
                {
                    let name = |at: usize| STATUSES.get(at).copied().unwrap_or_default();
                    let text = format!("task {id} was {} and is {} again", name(higher), name(lower));
                    return Err(Violation::new("statuses never go back", text, [earliest.call, latest.call]));
                }
            }
        }
        Ok(())
    }

    fn see_rest(&mut self, task: &TaskSeen, call: &Call) -> Result<(), Violation> {
        let changed = |what: &str, from: String, to: String, first: u64| {
            let text = format!("task {}: {what} was {from} and is {to}", task.id);
            Err(Violation::new("what is written stays", text, [first, call.number]))
        };
        if let Some(identity) = &task.identity {
            match &self.identity {
                Some(known) if known != identity => {
                    return changed("identity", format!("{known:?}"), format!("{identity:?}"), self.known.call);
                }
                _ => self.identity = Some(identity.clone()),
            }
        }
        if let Some(stop) = &task.stop {
            match &self.stop {
                Some((known, evidence)) if known != stop => {
                    return changed("stop", format!("{known:?}"), format!("{stop:?}"), evidence.call);
                }
                _ => self.stop = Some((stop.clone(), Evidence::end(call))),
            }
        }
        for (filter, listed) in std::mem::take(&mut self.claims) {
            if self.passes(&filter) == Some(false) {
                let text = format!("task {} was listed under {filter:?}", task.id);
                return Err(Violation::new("lists and descriptions agree", text, [listed, call.number]));
            }
        }
        Ok(())
    }

    /// The call lists the task under a filter.
    pub(super) fn listed(&mut self, id: TaskId, filter: &Filter, call: &Call) -> Result<(), Violation> {
        match self.passes(filter) {
            Some(true) => Ok(()),
            Some(false) => {
                let text = format!("task {id} is listed under {filter:?}");
                Err(Violation::new("lists and descriptions agree", text, [self.known.call, call.number]))
            }
            None => {
                self.claims.push((filter.clone(), call.number));
                Ok(())
            }
        }
    }
}

impl Judge {
    /// The facts of a task that a call shows, made if nobody has seen it before.
    pub(super) fn seen(&mut self, id: TaskId, cluster: &Name, call: &Call) -> &mut TaskFacts {
        let clusters = &mut self.clusters;
        self.tasks.entry(id).or_insert_with(|| {
            let facts = clusters.entry(cluster.clone()).or_default();
            facts.tasks.push(id);
            facts.live.push(id);
            TaskFacts::new(cluster.clone(), call)
        })
    }

    /// An answer shows a task in full.
    pub(super) fn see_task(&mut self, call: &Call, cluster: &Name, task: &TaskSeen) -> Result<(), Violation> {
        let id = task.id;
        let facts = self.seen(id, cluster, call);
        if facts.cluster != task.cluster || *cluster != task.cluster {
            let text = format!("task {id} of {} is shown in {cluster}", facts.cluster);
            return Err(Violation::new("ids are never used twice", text, [facts.known.call, call.number]));
        }
        facts.see(id, task.desired, call)?;
        facts.see_last(id, task.last, call)?;
        if let Some(identity) = &task.identity
            && facts.run.is_none()
        {
            facts.run = Some(identity.started_by.clone());
            facts.see_rest(task, call)?;
            return self.attribute(id, cluster, &identity.started_by, &identity.definition, call);
        }
        facts.see_rest(task, call)
    }
}
