//! Runs one task: plans, does the steps at the same time, takes in what came of them, plans again.
//!
//! Level-triggered: engine events, answers, timers and the server's wishes only change the [`TaskState`]; what follows
//! from it is planned anew each time. Dropping the loop drops every call that is under way; whatever the engine did of
//! them is found again by a later node.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use longshore_ecs_wire::agent::DesiredStatus;
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};

use super::outcome::Outcome;
use super::plan::{Step, plan};
use super::report::Report;
use super::shared::Shared;
use super::task_state::TaskState;
use crate::api::INVALID_PARAMETER;
use crate::engine::{ContainerSpec, EngineError, Observed};
use crate::ownership::is_own;

/// How often a container whose name is taken is looked for before the creation counts as failed.
const ADOPTION_TRIES: u32 = 20;
/// Pause between two looks: the engine may still be making it.
const ADOPTION_PAUSE: Duration = Duration::from_millis(500);
/// How long the server may take to answer a report.
const REPORT_DEADLINE: Duration = Duration::from_secs(30);

/// What a task is told from outside.
#[derive(Debug)]
pub(crate) enum Input {
    /// The server wants it stopped, or the node shuts down and says so.
    Stop {
        /// Why, if that is to be reported.
        reason: Option<String>,
    },
    /// Something happened to the container of this engine-wide name.
    Changed(String),
    /// The engine's list shows this container of the task.
    Seen(Box<Observed>),
    /// The server's state was restored: it is to be told again what it was told.
    ServerForgot,
}

/// One task and its calls.
pub(crate) struct TaskLoop {
    shared: Arc<Shared>,
    state: TaskState,
    stop: watch::Sender<bool>,
    under_way: FuturesUnordered<BoxFuture<'static, Outcome>>,
}

impl TaskLoop {
    pub(crate) fn new(shared: Arc<Shared>, state: TaskState) -> Self {
        Self { shared, state, stop: watch::Sender::new(false), under_way: FuturesUnordered::new() }
    }

    /// Runs until the server knows that the task has stopped and nothing of it is left on the engine.
    pub(crate) async fn run(mut self, mut inputs: mpsc::UnboundedReceiver<Input>) {
        let cleanup_wait = i64::try_from(self.shared.config.container_cleanup_wait.as_millis()).unwrap_or(i64::MAX);
        loop {
            let now = self.shared.config.clock.now();
            let plan = plan(&self.state, cleanup_wait, now);
            if plan.finished && self.under_way.is_empty() {
                return;
            }
            let begun = !plan.steps.is_empty();
            for step in plan.steps {
                self.state.begin(&step);
                let work = self.work(step);
                self.under_way.push(work);
            }
            if begun {
                continue;
            }
            let outcome = tokio::select! {
                Some(outcome) = self.under_way.next(), if !self.under_way.is_empty() => Some(outcome),
                input = inputs.recv() => match input {
                    Some(input) => self.outcome(input),
                    None => return,
                },
                () = wait(plan.look_again.map(|at| at.millis_since(now))) => None,
            };
            if let Some(outcome) = outcome {
                let told = self.state.report.knows_the_end();
                self.state.apply(outcome, self.shared.config.clock.now());
                if self.state.report.knows_the_end() && !told {
                    self.shared.end_is_known(&self.state.spec.arn);
                }
                self.stop.send_replace(self.state.desired == DesiredStatus::Stopped);
            }
        }
    }

    fn outcome(&self, input: Input) -> Option<Outcome> {
        match input {
            Input::Stop { reason } => Some(Outcome::StopWanted { reason }),
            Input::Changed(name) => {
                let index = self.state.spec.containers.iter().position(|template| template.spec.name == name)?;
                Some(Outcome::Changed(index))
            }
            Input::ServerForgot => Some(Outcome::ServerForgot),
            Input::Seen(observed) => self.state.index_of(&observed).map(|index| Outcome::Seen(index, *observed)),
        }
    }

    fn work(&self, step: Step) -> BoxFuture<'static, Outcome> {
        let shared = Arc::clone(&self.shared);
        match step {
            Step::Report(report) => Box::pin(send(shared, *report)),
            Step::Pull(index) => {
                let stop = self.stop.subscribe();
                let image = self.spec(index).image;
                Box::pin(pull(shared, index, image, stop))
            }
            Step::Create(index) => {
                Box::pin(create(shared, index, self.state.spec.arn.clone(), self.name(index), self.spec(index)))
            }
            Step::Start(index) => {
                let (id, spec) = (self.id(index), self.spec(index));
                Box::pin(async move { Outcome::Started(index, shared.calls.start(&id, &spec).await) })
            }
            Step::Inspect(index) => {
                let id = self.id(index);
                Box::pin(async move { Outcome::Inspected(index, shared.calls.inspect(&id).await) })
            }
            Step::Stop(index) => {
                let (id, seconds) = (self.id(index), self.spec(index).stop_timeout_seconds);
                Box::pin(async move { Outcome::Stopped(index, shared.calls.stop(&id, seconds).await) })
            }
            Step::Remove(index) => {
                let known = self.state.containers.get(index).and_then(|container| container.runtime_id.clone());
                Box::pin(remove(
                    shared,
                    index,
                    self.state.spec.arn.clone(),
                    self.name(index),
                    self.spec(index).name,
                    known,
                ))
            }
        }
    }

    fn spec(&self, index: usize) -> ContainerSpec {
        self.state.spec.containers.get(index).map(|template| template.spec.clone()).unwrap_or_default()
    }

    fn name(&self, index: usize) -> String {
        self.state.spec.containers.get(index).map(|template| template.name.clone()).unwrap_or_default()
    }

    /// The engine's id, or the name as long as the id is not known.
    fn id(&self, index: usize) -> String {
        let known = self.state.containers.get(index).and_then(|container| container.runtime_id.clone());
        known.unwrap_or_else(|| self.spec(index).name)
    }
}

/// Waits that long; for ever without a time.
async fn wait(millis: Option<i64>) {
    match millis {
        // A step beyond the clock's own, so that the time has come when it is read again.
        Some(millis) => sleep(Duration::from_millis(u64::try_from(millis).unwrap_or(0) + 1)).await,
        None => std::future::pending().await,
    }
}

async fn pull(shared: Arc<Shared>, index: usize, image: String, mut stop: watch::Receiver<bool>) -> Outcome {
    let started = shared.config.clock.now();
    tokio::select! {
        biased;
        result = shared.images.ensure(&image) => {
            Outcome::Pulled { index, started, result: result.map(|image| image.repository_digest) }
        }
        _ = stop.wait_for(|stop| *stop) => Outcome::PullCancelled { index },
    }
}

/// Creates the container. If its name is taken by a container of ours for the same purpose, that one is adopted: it was
/// made by a call whose answer never arrived. The engine may still be making it, so it is looked for some time.
async fn create(
    shared: Arc<Shared>,
    index: usize,
    task_arn: String,
    container: String,
    spec: ContainerSpec,
) -> Outcome {
    let mut tries = 0;
    loop {
        let error = match shared.calls.create(&spec).await {
            Err(error @ EngineError::NameTaken(_)) => error,
            other => return Outcome::Created(index, other),
        };
        match shared.calls.inspect(&spec.name).await {
            Ok(found) if is_own(&found, shared.calls.node_id(), &task_arn, &container) => {
                tracing::info!(task = task_arn, container, runtime_id = found.runtime_id, "adopted a container");
                return Outcome::Adopted(index, found);
            }
            Ok(_) => return Outcome::Created(index, Err(error)),
            Err(EngineError::NotFound(_)) if tries < ADOPTION_TRIES => {
                tries += 1;
                sleep(ADOPTION_PAUSE).await;
            }
            Err(EngineError::NotFound(_)) => return Outcome::Created(index, Err(error)),
            Err(other) => return Outcome::Created(index, Err(other)),
        }
    }
}

/// Removes the container; one whose id was never learnt is looked for by name and removed only if it is ours.
async fn remove(
    shared: Arc<Shared>,
    index: usize,
    task_arn: String,
    container: String,
    name: String,
    known: Option<String>,
) -> Outcome {
    let id = match known {
        Some(id) => id,
        None => match shared.calls.inspect(&name).await {
            Ok(found) if is_own(&found, shared.calls.node_id(), &task_arn, &container) => found.runtime_id,
            Ok(_) | Err(EngineError::NotFound(_)) => return Outcome::Removed(index, Ok(())),
            Err(error) => return Outcome::Removed(index, Err(error)),
        },
    };
    Outcome::Removed(index, shared.calls.remove(&id).await)
}

/// Sends a report. One that can never be right is dropped; any other failure is repeated by the plan.
async fn send(shared: Arc<Shared>, report: Report) -> Outcome {
    let Report { reported, request } = report;
    let task = request.task.clone().unwrap_or_default();
    let _turn = shared.reports.acquire().await;
    let settled = match timeout(REPORT_DEADLINE, shared.api.submit_task_state_change(request)).await {
        Ok(Ok(_)) => true,
        Ok(Err(error)) if error.code == INVALID_PARAMETER => {
            tracing::warn!(task, status = reported.status.as_str(), %error, "the server refuses the report for good");
            true
        }
        Ok(Err(error)) => {
            tracing::warn!(task, status = reported.status.as_str(), %error, "the report failed and will be repeated");
            false
        }
        Err(_) => {
            tracing::warn!(task, status = reported.status.as_str(), "the server did not answer the report within 30 s");
            false
        }
    };
    Outcome::Reported { reported, settled }
}
