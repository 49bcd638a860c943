//! Properties of the plan under engines and servers that do anything in any order.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::engine::{ContainerPhase, EngineError, Observed};
use crate::runner::outcome::Outcome;
use crate::runner::report::TaskStatus;
use crate::runner::task_state::tests::{at, observed, spec};

/// What the engine really has of one container.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Real {
    creates: u32,
    exists: bool,
    started: bool,
    runs: bool,
}

/// A task, an engine that keeps the rules of engines, and what was seen of both.
struct World {
    state: TaskState,
    real: Vec<Real>,
    under_way: Vec<Step>,
    now: i64,
    reported: Option<(TaskStatus, Vec<TaskStatus>)>,
    server_wants_stop: bool,
}

/// One choice of the adversary.
#[derive(Debug, Clone)]
struct Choice {
    kind: u8,
    pick: usize,
    /// 0–5: works, 6: refused, 7: lost before it was done, 8: lost after it was done, 9: not found.
    fate: u8,
    wait: i64,
}

fn choice() -> impl Strategy<Value = Choice> {
    (0u8..10, 0usize..8, 0u8..10, 0i64..40_000).prop_map(|(kind, pick, fate, wait)| Choice { kind, pick, fate, wait })
}

impl World {
    fn new(essential: &[bool]) -> Self {
        let state = TaskState::new(spec(essential), DesiredStatus::Running, &[], at(0));
        let real = vec![Real::default(); essential.len()];
        Self { state, real, under_way: vec![], now: 0, reported: None, server_wants_stop: false }
    }

    /// Begins all that is planned, checking each step against the promises.
    fn begin(&mut self) -> Result<(), TestCaseError> {
        loop {
            let plan = plan(&self.state, 5_000, at(self.now));
            if plan.finished {
                prop_assert!(self.real.iter().all(|real| !real.runs), "finished and something runs: {:?}", self.real);
            }
            if plan.steps.is_empty() {
                return Ok(());
            }
            let mut of_container = BTreeMap::new();
            for step in plan.steps {
                let wants_stop = self.state.desired == DesiredStatus::Stopped;
                match step {
                    Step::Create(_) | Step::Start(_) | Step::Pull(_) => {
                        prop_assert!(!wants_stop, "{step:?} after a stop")
                    }
                    Step::Remove(_) => {
                        prop_assert!(self.state.report.knows_the_end(), "removed before the server knows")
                    }
                    _ => {}
                }
                if let Some(index) = container_of(&step) {
                    let busy = self.under_way.iter().any(|other| container_of(other) == Some(index));
                    prop_assert!(!busy && of_container.insert(index, ()).is_none(), "two calls for container {index}");
                }
                self.state.begin(&step);
                self.under_way.push(step);
            }
        }
    }

    fn turn(&mut self, choice: &Choice) -> Result<(), TestCaseError> {
        self.now += choice.wait;
        match choice.kind {
            0 => {
                self.server_wants_stop = true;
                self.state.apply(Outcome::StopWanted { reason: None }, at(self.now));
            }
            1 => self.end_a_process(choice.pick),
            2 if !self.real.is_empty() => {
                let index = choice.pick % self.real.len();
                if let Some(seen) = self.look(index) {
                    self.state.apply(Outcome::Seen(index, seen), at(self.now));
                }
            }
            _ if !self.under_way.is_empty() => {
                let step = self.under_way.remove(choice.pick % self.under_way.len());
                self.finish(step, choice.fate)?;
            }
            _ => {}
        }
        self.begin()
    }

    fn end_a_process(&mut self, pick: usize) {
        let running: Vec<usize> = (0..self.real.len()).filter(|index| self.real[*index].runs).collect();
        if let Some(index) = running.get(pick % running.len().max(1)) {
            self.real[*index].runs = false;
            self.state.apply(Outcome::Changed(*index), at(self.now));
        }
    }

    fn look(&self, index: usize) -> Option<Observed> {
        let real = self.real[index];
        let phase = match real {
            Real { exists: false, .. } => return None,
            Real { runs: true, .. } => ContainerPhase::Running,
            Real { started: true, .. } => ContainerPhase::Exited,
            _ => ContainerPhase::Created,
        };
        Some(observed(index, phase, (phase == ContainerPhase::Exited).then_some(0)))
    }

    /// Carries a call out, or not, and tells the outcome, or that it was lost.
    fn finish(&mut self, step: Step, fate: u8) -> Result<(), TestCaseError> {
        let refused = || EngineError::Refused("no".into());
        let lost = || EngineError::Unreachable("gone".into());
        let (done, error) = match fate {
            6 => (false, Some(refused())),
            7 => (false, Some(lost())),
            8 => (true, Some(lost())),
            _ => (true, None),
        };
        let result = |error: Option<EngineError>| error.map_or(Ok(()), Err);
        let outcome = match step {
            Step::Pull(index) if self.state.desired == DesiredStatus::Stopped => Outcome::PullCancelled { index },
            Step::Pull(index) => {
                let result = error.map_or(Ok(None), |error| Err(error.to_string()));
                Outcome::Pulled { index, started: at(self.now), result }
            }
            Step::Create(index) => {
                if done {
                    self.real[index].creates += 1;
                    self.real[index].exists = true;
                    prop_assert_eq!(self.real[index].creates, 1, "created twice");
                }
                Outcome::Created(index, error.map_or(Ok(format!("id{index}")), Err))
            }
            Step::Start(index) => {
                if done && self.real[index].exists {
                    prop_assert!(!self.real[index].started, "started twice");
                    self.real[index].started = true;
                    self.real[index].runs = true;
                }
                Outcome::Started(index, result(error))
            }
            Step::Inspect(index) => match (error, self.look(index)) {
                (Some(error), _) => Outcome::Inspected(index, Err(error)),
                (None, Some(seen)) => Outcome::Inspected(index, Ok(seen)),
                (None, None) => Outcome::Inspected(index, Err(EngineError::NotFound("none".into()))),
            },
            Step::Stop(index) => {
                self.real[index].runs &= !done;
                Outcome::Stopped(index, result(error))
            }
            Step::Remove(index) => {
                if done {
                    self.real[index].exists = false;
                    self.real[index].runs = false;
                }
                Outcome::Removed(index, result(error))
            }
            Step::Report(report) => {
                let settled = error.is_none();
                if settled {
                    self.check_forward(&report)?;
                }
                Outcome::Reported { reported: report.reported.clone(), settled }
            }
        };
        self.state.apply(outcome, at(self.now));
        Ok(())
    }

    fn check_forward(&mut self, report: &Report) -> Result<(), TestCaseError> {
        let (status, containers) = (report.reported.status, report.reported.containers.clone());
        if let Some((last, last_containers)) = &self.reported {
            prop_assert!(status >= *last, "the task went back from {last:?} to {status:?}");
            prop_assert!(containers.iter().zip(last_containers).all(|(now, was)| now >= was), "a container went back");
            prop_assert!(*last != TaskStatus::Stopped, "a report after STOPPED");
        }
        self.reported = Some((status, containers));
        Ok(())
    }

    /// From now on everything works: the task must come to its end, or to rest in RUNNING.
    fn calm_down(&mut self) -> Result<(), TestCaseError> {
        for _ in 0..400 {
            self.begin()?;
            if let Some(step) = self.under_way.pop() {
                self.finish(step, 0)?;
                continue;
            }
            let plan = plan(&self.state, 5_000, at(self.now));
            match plan.look_again {
                Some(next) => self.now = self.now.max(next.millis_since(at(0))),
                None => return self.check_rest(&plan),
            }
        }
        Err(TestCaseError::fail(format!("does not come to rest: {:?}", self.state)))
    }

    fn check_rest(&self, plan: &Plan) -> Result<(), TestCaseError> {
        match self.state.status() {
            TaskStatus::Running if !self.server_wants_stop => {
                prop_assert_eq!(self.reported.as_ref().map(|(status, _)| *status), Some(TaskStatus::Running));
            }
            TaskStatus::Stopped => {
                prop_assert!(plan.finished, "stopped but not finished: {:?}", self.state);
                prop_assert_eq!(self.reported.as_ref().map(|(status, _)| *status), Some(TaskStatus::Stopped));
                prop_assert!(self.real.iter().all(|real| !real.exists && !real.runs), "left behind: {:?}", self.real);
            }
            other => prop_assert!(false, "at rest in {other:?}: {:?}", self.state),
        }
        Ok(())
    }
}

fn container_of(step: &Step) -> Option<usize> {
    match step {
        Step::Pull(index) | Step::Create(index) | Step::Start(index) => Some(*index),
        Step::Inspect(index) | Step::Stop(index) | Step::Remove(index) => Some(*index),
        Step::Report(_) => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn the_promises_hold_whatever_happens(
        essential in prop::collection::vec(any::<bool>(), 1..4),
        choices in prop::collection::vec(choice(), 0..60),
    ) {
        let mut world = World::new(&essential);
        world.begin()?;
        for choice in &choices {
            world.turn(choice)?;
        }
        world.calm_down()?;
    }
}
