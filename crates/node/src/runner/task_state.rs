//! What the runner knows of one task, and how each answer of the engine and of the server changes it.
//!
//! Pure: no clock, no calls. [`TaskState::begin`] marks a step as under way, [`TaskState::apply`] takes in its outcome,
//! [`super::plan::plan`] says what to do next. Statuses only move forward.

use longshore_ecs_wire::Timestamp;
use longshore_ecs_wire::agent::DesiredStatus;

use super::container_state::{Call, ContainerState, Existence, Phase};
use super::outcome::Outcome;
use super::plan::Step;
use super::reason::{self, Transition};
use super::report::{ReportState, TaskStatus};
use super::task_spec::TaskSpec;
use crate::engine::{ContainerPhase, EngineError, Observed};
use crate::ownership::CONTAINER_NAME_LABEL;

/// Failed looks after which a container that was started but never seen counts as failed.
const LOOKS_BEFORE_GIVING_UP: u32 = 6;

/// One task.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TaskState {
    /// What to run.
    pub spec: TaskSpec,
    /// The containers, in the order of `spec.containers`.
    pub containers: Vec<ContainerState>,
    /// The status wanted, by the server or because an essential container has ended.
    pub desired: DesiredStatus,
    /// Whether the server itself wants it stopped.
    pub stopped_by_server: bool,
    /// Whether all containers have run at the same time.
    pub reached_running: bool,
    /// Why the task failed to start.
    pub failure: Option<String>,
    /// When the first pull began.
    pub pull_started_at: Option<Timestamp>,
    /// When the last pull ended.
    pub pull_stopped_at: Option<Timestamp>,
    /// When the container ended that stopped the task.
    pub execution_stopped_at: Option<Timestamp>,
    /// What the server knows.
    pub report: ReportState,
}

impl TaskState {
    /// A task that the server wants in status `desired`, of which `found` is on the engine.
    pub fn new(spec: TaskSpec, desired: DesiredStatus, found: &[Observed], now: Timestamp) -> Self {
        let refusal = spec.refusal.clone();
        let mut state = Self {
            containers: spec.containers.iter().map(|_| ContainerState::new()).collect(),
            spec,
            desired,
            stopped_by_server: desired == DesiredStatus::Stopped,
            reached_running: false,
            failure: None,
            pull_started_at: None,
            pull_stopped_at: None,
            execution_stopped_at: None,
            report: ReportState::default(),
        };
        for observed in found {
            if let Some(index) = state.index_of(observed) {
                state.see(index, observed, now);
                // It was listed a while ago; a change since then has not been told to this task.
                state.container(index, |container| container.look = container.phase < Phase::Stopped);
            }
        }
        state.expect_reported();
        if let Some(refusal) = refusal {
            state.failure = Some(refusal.reason.clone());
            state.desired = DesiredStatus::Stopped;
            for (index, container) in state.containers.iter_mut().enumerate() {
                let about_it = refusal.container.is_none_or(|about| about == index);
                if container.phase < Phase::Created {
                    container.stop(about_it.then(|| refusal.reason.clone()), now);
                }
            }
        }
        if state.containers.is_empty() && state.failure.is_none() {
            state.failure = Some(reason::NEVER_HEARD_OF.to_owned());
        }
        state.settle(now);
        state
    }

    /// What this node has reported once was made: if it was not found, it is looked at, and never made again.
    fn expect_reported(&mut self) {
        for (template, container) in self.spec.containers.iter().zip(&mut self.containers) {
            if let (Some(id), Phase::Waiting) = (&template.reported_id, container.phase) {
                container.runtime_id = Some(id.clone());
                container.phase = Phase::Started;
                container.exists = Existence::Yes;
                container.alive = true;
                container.ran = true;
                container.look = true;
            }
        }
    }

    /// Which container an observation is about.
    pub fn index_of(&self, observed: &Observed) -> Option<usize> {
        let name = observed.labels.get(CONTAINER_NAME_LABEL)?;
        self.spec.containers.iter().position(|template| template.name == *name)
    }

    /// Marks a step as under way.
    pub fn begin(&mut self, step: &Step) {
        let (index, call) = match step {
            Step::Pull(index) => (*index, Call::Pull),
            Step::Create(index) => (*index, Call::Create),
            Step::Start(index) => (*index, Call::Start),
            Step::Inspect(index) => (*index, Call::Inspect),
            Step::Stop(index) => (*index, Call::Stop),
            Step::Remove(index) => (*index, Call::Remove),
            Step::Report(report) => {
                self.report.in_flight = Some(report.reported.clone());
                return;
            }
        };
        self.container(index, |container| {
            container.busy = Some(call);
            if call == Call::Inspect {
                container.look = false;
            }
        });
    }

    /// Takes in what came of a step.
    pub fn apply(&mut self, outcome: Outcome, now: Timestamp) {
        match outcome {
            Outcome::Pulled { index, started, result } => self.pulled(index, started, result, now),
            Outcome::PullCancelled { index } => self.container(index, |container| container.busy = None),
            Outcome::Created(index, result) => self.created(index, result, now),
            Outcome::Adopted(index, observed) => {
                self.container(index, |container| container.busy = None);
                self.see(index, &observed, now);
            }
            Outcome::Started(index, result) => self.started(index, result, now),
            Outcome::Inspected(index, result) => self.inspected(index, result, now),
            Outcome::Stopped(index, result) => self.stopped(index, result, now),
            Outcome::Removed(index, result) => self.removed(index, &result, now),
            Outcome::Reported { reported, settled } => self.report.answered(reported, settled, now),
            Outcome::StopWanted { reason } => {
                self.stopped_by_server = true;
                self.desired = DesiredStatus::Stopped;
                if self.failure.is_none() {
                    self.failure = reason;
                }
            }
            Outcome::ServerForgot => self.report.forget(),
            Outcome::Seen(index, observed) => self.see(index, &observed, now),
            Outcome::Changed(index) => self.container(index, |container| container.look = true),
        }
        self.settle(now);
    }

    /// Changes container `index`, if there is one.
    fn container(&mut self, index: usize, change: impl FnOnce(&mut ContainerState)) {
        if let Some(container) = self.containers.get_mut(index) {
            change(container);
        }
    }

    fn pulled(&mut self, index: usize, started: Timestamp, result: Result<Option<String>, String>, now: Timestamp) {
        self.pull_started_at = Some(self.pull_started_at.map_or(started, |first| first.min(started)));
        self.pull_stopped_at = Some(self.pull_stopped_at.map_or(now, |last| last.max(now)));
        self.container(index, |container| container.busy = None);
        match result {
            Ok(digest) => self.container(index, |container| {
                container.image_digest = digest;
                container.advance(Phase::Pulled);
            }),
            Err(reason) => self.fail(index, reason, now),
        }
    }

    fn created(&mut self, index: usize, result: Result<String, EngineError>, now: Timestamp) {
        self.container(index, |container| container.busy = None);
        match result {
            Ok(runtime_id) => self.container(index, |container| {
                container.runtime_id = Some(runtime_id);
                container.exists = Existence::Yes;
                // What was told meanwhile was about the creation.
                container.look = false;
                container.advance(Phase::Created);
            }),
            Err(error) => {
                let existence = if answer_was_lost(&error) { Existence::Maybe } else { Existence::No };
                self.container(index, |container| container.exists = existence);
                self.fail(index, reason::failed(Transition::Create, &error), now);
            }
        }
    }

    fn started(&mut self, index: usize, result: Result<(), EngineError>, now: Timestamp) {
        self.container(index, |container| container.busy = None);
        match result {
            Ok(()) => self.container(index, |container| {
                container.alive = true;
                container.look = true;
                container.advance(Phase::Started);
            }),
            Err(EngineError::NotFound(_)) => self.vanished(index, now),
            Err(error) => {
                self.container(index, |container| container.alive = answer_was_lost(&error));
                self.fail(index, reason::failed(Transition::Start, &error), now);
            }
        }
    }

    fn inspected(&mut self, index: usize, result: Result<Observed, EngineError>, now: Timestamp) {
        self.container(index, |container| container.busy = None);
        match result {
            Ok(observed) => {
                self.container(index, |container| container.look_retry = Default::default());
                self.see(index, &observed, now);
            }
            Err(EngineError::NotFound(_)) => self.vanished(index, now),
            Err(error) => {
                let mut given_up = false;
                self.container(index, |container| {
                    container.look = true;
                    container.look_retry.failed(now, 500, 10_000);
                    given_up = container.phase == Phase::Started
                        && !container.ran
                        && container.look_retry.tries >= LOOKS_BEFORE_GIVING_UP;
                });
                if given_up {
                    self.fail(index, reason::failed(Transition::Inspect, &error), now);
                }
            }
        }
    }

    fn stopped(&mut self, index: usize, result: Result<(), EngineError>, now: Timestamp) {
        self.container(index, |container| {
            container.busy = None;
            // Until the look that follows says otherwise, it is to be stopped again.
            container.stop_retry.failed(now, 1_000, 10_000);
            container.look |= result.is_ok();
        });
        if let Err(EngineError::NotFound(_)) = result {
            self.vanished(index, now);
        }
    }

    fn removed(&mut self, index: usize, result: &Result<(), EngineError>, now: Timestamp) {
        self.container(index, |container| {
            container.busy = None;
            match result {
                Ok(()) => {
                    container.is_gone();
                    container.advance(Phase::Removed);
                }
                Err(_) => container.remove_retry.failed(now, 10_000, 300_000),
            }
        });
    }

    /// Takes in what the engine shows.
    fn see(&mut self, index: usize, observed: &Observed, now: Timestamp) {
        let Some(container) = self.containers.get_mut(index).filter(|container| container.phase < Phase::Removed)
        else {
            return;
        };
        container.runtime_id = Some(observed.runtime_id.clone());
        container.exists = Existence::Yes;
        match observed.phase {
            ContainerPhase::Created => container.advance(Phase::Created),
            ContainerPhase::Running => {
                container.alive = true;
                container.ran = true;
                if container.phase < Phase::Stopped {
                    container.advance(Phase::Running);
                    container.ports.clone_from(&observed.ports);
                }
            }
            ContainerPhase::Exited | ContainerPhase::Dead => {
                container.alive = false;
                container.look = false;
                if container.phase < Phase::Stopped {
                    container.exit_code = observed.exit_code;
                    container.ran |= observed.exit_code.is_some();
                    container.stop(end_reason(observed), observed.finished_at.unwrap_or(now));
                    if !container.ran {
                        let reason = container.reason.clone();
                        self.failure = self.failure.take().or(reason);
                    }
                }
            }
        }
    }

    /// The container will never run.
    fn fail(&mut self, index: usize, reason: String, now: Timestamp) {
        let essential = self.spec.containers.get(index).is_some_and(|template| template.essential);
        let mut never_ran = false;
        self.container(index, |container| {
            never_ran = !container.ran && container.phase < Phase::Stopped;
            container.stop(Some(reason.clone()), now);
        });
        if never_ran && essential && !self.stopped_by_server {
            self.failure.get_or_insert(reason);
        }
    }

    fn vanished(&mut self, index: usize, now: Timestamp) {
        self.container(index, ContainerState::is_gone);
        self.fail(index, reason::VANISHED.to_owned(), now);
    }

    /// Draws the conclusions that need no call.
    fn settle(&mut self, now: Timestamp) {
        let essential_end = self.essential_end();
        if essential_end.is_some() {
            self.desired = DesiredStatus::Stopped;
        }
        if self.desired == DesiredStatus::Stopped {
            let early = self.stopped_by_server.then(|| reason::stopped_before_pull(&self.spec.arn));
            for container in self.containers.iter_mut().filter(|container| container.busy.is_none()) {
                match container.phase {
                    Phase::Waiting => container.stop(early.clone(), now),
                    Phase::Pulled | Phase::Created if !container.alive => container.stop(None, now),
                    _ => {}
                }
            }
        }
        if self.containers.iter().all(|container| container.phase >= Phase::Stopped) {
            self.desired = DesiredStatus::Stopped;
        }
        let status = self.status();
        self.reached_running |= status == TaskStatus::Running;
        let end = essential_end.or_else(|| (status == TaskStatus::Stopped).then(|| self.last_end().unwrap_or(now)));
        self.execution_stopped_at = self.execution_stopped_at.or(end);
        if status == TaskStatus::Stopped
            && self.failure.is_none()
            && !self.stopped_by_server
            && !self.containers.iter().any(|c| c.ran)
        {
            self.failure = self.containers.iter().find_map(|container| container.reason.clone());
        }
    }

    /// When the first essential container ended, if one has.
    fn essential_end(&self) -> Option<Timestamp> {
        let pairs = self.spec.containers.iter().zip(&self.containers);
        let ended = pairs.filter(|(template, container)| template.essential && container.phase >= Phase::Stopped);
        ended.filter_map(|(_, container)| container.finished_at).min()
    }

    fn last_end(&self) -> Option<Timestamp> {
        self.containers.iter().filter_map(|container| container.finished_at).max()
    }

    /// The task's status as it follows from its containers.
    pub fn status(&self) -> TaskStatus {
        if self.desired == DesiredStatus::Stopped && self.containers.iter().all(ContainerState::is_done) {
            return TaskStatus::Stopped;
        }
        let mut pairs = self.spec.containers.iter().zip(&self.containers);
        let all_run = pairs.all(|(template, container)| match container.phase {
            Phase::Running => true,
            Phase::Stopped | Phase::Removed => !template.essential,
            _ => false,
        });
        let runs = self.desired == DesiredStatus::Running && all_run;
        if runs || self.reached_running { TaskStatus::Running } else { TaskStatus::Pending }
    }
}

/// Whether the engine may have done what it was asked all the same.
fn answer_was_lost(error: &EngineError) -> bool {
    matches!(error, EngineError::Deadline { .. } | EngineError::Unreachable(_))
}

fn end_reason(observed: &Observed) -> Option<String> {
    if observed.oom_killed {
        return Some(reason::OUT_OF_MEMORY.to_owned());
    }
    let words = observed.error.as_deref().filter(|error| !error.is_empty());
    match (words, observed.phase) {
        (Some(words), _) => Some(reason::engine_state(words)),
        (None, ContainerPhase::Dead) => Some(reason::engine_state("the container is dead")),
        (None, _) => None,
    }
}

#[cfg(test)]
#[path = "task_state_tests.rs"]
pub(in crate::runner) mod tests;
