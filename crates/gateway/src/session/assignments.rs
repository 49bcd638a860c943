//! What the node has been told of each of its tasks, and what it is still to be told.
//!
//! Pure: states and times in, tasks of the next payload out. A task is queued when what is wanted of it is not what the
//! node was told, or when a payload went unacknowledged for too long; the queue holds no contents, so a payload always
//! says what is wanted at the moment it is made. The cost of a change does not depend on how many tasks there are.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

use longshore_domain::EcsId;
use longshore_domain::task::{DesiredStatus, TaskKey, TaskRecord, TaskStatus};
use longshore_ecs_wire::agent;
use longshore_store::State;
use tokio::time::Instant;

use super::SessionOptions;
use crate::payload::{self, unsendable};

/// The attribute that names a node's CPU architecture.
const ARCHITECTURE: &str = "ecs.cpu-architecture";

/// Tasks of the next payload, and tasks that must not be sent, each with the reason.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) tasks: Vec<agent::Task>,
    pub(super) refused: Vec<(TaskKey, String)>,
    sent: Vec<(TaskKey, DesiredStatus)>,
}

#[derive(Debug)]
pub(super) struct Assignments {
    node: EcsId,
    ack_deadline: Duration,
    tasks_per_payload: usize,
    window: usize,
    known: HashMap<TaskKey, Known>,
    stops: VecDeque<TaskKey>,
    starts: VecDeque<TaskKey>,
    /// Payloads by message number, until acknowledged or given up.
    flights: BTreeMap<u64, Flight>,
    /// When to look at a payload again, the earliest first.
    deadlines: VecDeque<(Instant, u64)>,
    /// How many payloads count against the window.
    in_flight: usize,
}

/// A task that is not STOPPED and is placed on the node.
#[derive(Debug, Default)]
struct Known {
    told: Option<Told>,
    queued: Option<DesiredStatus>,
    /// It cannot be sent; a write that stops it is under way.
    refused: bool,
}

/// What the node was told last.
#[derive(Debug)]
struct Told {
    desired: DesiredStatus,
    /// Message number of the payload.
    flight: u64,
    /// The task as it was then, until something shows that the node has the payload.
    open: Option<Box<TaskRecord>>,
}

/// A payload on its way.
#[derive(Debug)]
struct Flight {
    tasks: Vec<(TaskKey, DesiredStatus)>,
    /// How many of its tasks have nothing that shows they got through.
    open: usize,
    /// Its deadline has passed and its tasks were queued again; an acknowledgement is still welcome.
    overdue: bool,
}

impl Assignments {
    pub(super) fn new(node: EcsId, options: &SessionOptions) -> Self {
        Self {
            node,
            ack_deadline: options.ack_deadline,
            tasks_per_payload: options.tasks_per_payload.max(1),
            window: options.payload_window.max(1),
            known: HashMap::new(),
            stops: VecDeque::new(),
            starts: VecDeque::new(),
            flights: BTreeMap::new(),
            deadlines: VecDeque::new(),
            in_flight: 0,
        }
    }

    /// Takes in a whole state. What the node was told already is not told again.
    pub(super) fn look_at_all(&mut self, state: &State) {
        let gone: Vec<_> =
            self.known.keys().filter(|key| assigned(state, self.node, **key).is_none()).copied().collect();
        for key in gone {
            self.forget(key);
        }
        for key in state.tasks_on(self.node) {
            self.look(state, key);
        }
    }

    /// Takes in a change of one task.
    pub(super) fn look(&mut self, state: &State, key: TaskKey) {
        let Some(task) = assigned(state, self.node, key) else { return self.forget(key) };
        let known = self.known.entry(key).or_default();
        let taken = match &mut known.told {
            Some(told) if told.desired == task.desired_status => {
                let taken = told.open.take_if(|then| shows_it_was_taken(then, &task));
                taken.map(|_| told.flight)
            }
            _ => {
                self.queue(key, task.desired_status);
                None
            }
        };
        if let Some(flight) = taken {
            self.landed(flight);
        }
    }

    pub(super) fn has_output(&self) -> bool {
        !self.stops.is_empty() || (!self.starts.is_empty() && self.in_flight < self.window)
    }

    /// What the next payload holds, made from `state`; it may turn out to be nothing.
    pub(super) fn next_batch(&mut self, state: &State) -> Batch {
        let mut batch = Batch::default();
        while batch.tasks.len() < self.tasks_per_payload && batch.refused.len() < self.tasks_per_payload {
            let Some((key, queue)) = self.pop() else { break };
            let Some(task) = assigned(state, self.node, key) else {
                self.forget(key);
                continue;
            };
            let Some(known) = self.known.get_mut(&key).filter(|known| known.queued == Some(queue)) else { continue };
            known.queued = None;
            if known.told.as_ref().is_some_and(|told| told.desired == task.desired_status && told.open.is_none()) {
                continue;
            }
            match made(state, self.node, &task) {
                Ok(made) => {
                    batch.tasks.push(made);
                    batch.sent.push((key, task.desired_status));
                }
                Err(_) if known.refused => {}
                Err(reason) => {
                    known.refused = true;
                    batch.refused.push((key, reason));
                }
            }
        }
        batch
    }

    /// Enters a payload that is sent now under this message number.
    pub(super) fn sent(&mut self, state: &State, number: u64, batch: &Batch, now: Instant) {
        for (key, desired) in &batch.sent {
            let (Some(known), Some(task)) = (self.known.get_mut(key), state.task(*key)) else { continue };
            let told = Told { desired: *desired, flight: number, open: Some(Box::new(task)) };
            let before = known.told.replace(told);
            if let Some(before) = before.filter(|before| before.open.is_some()) {
                self.landed(before.flight);
            }
        }
        self.flights.insert(number, Flight { tasks: batch.sent.clone(), open: batch.sent.len(), overdue: false });
        self.in_flight += 1;
        self.deadlines.push_back((now + self.ack_deadline, number));
    }

    /// Takes an acknowledgement; the tasks that the node has now taken over to run.
    pub(super) fn acknowledged(&mut self, number: u64) -> Vec<TaskKey> {
        let Some(flight) = self.flights.remove(&number) else { return Vec::new() };
        if !flight.overdue && flight.open > 0 {
            self.in_flight -= 1;
        }
        for (key, desired) in &flight.tasks {
            let Some(told) = self.known.get_mut(key).and_then(|known| known.told.as_mut()) else { continue };
            if told.desired == *desired && told.open.take().is_some() && told.flight != number {
                // It was sent again meanwhile.
                let later = told.flight;
                self.landed(later);
            }
        }
        flight.tasks.into_iter().filter(|(_, desired)| *desired == DesiredStatus::Running).map(|(key, _)| key).collect()
    }

    /// Queues again what has not been acknowledged in time.
    pub(super) fn time_passes(&mut self, now: Instant) {
        while let Some((_, number)) = self.deadlines.front().copied().filter(|(at, _)| *at <= now) {
            self.deadlines.pop_front();
            let Some(flight) = self.flights.get_mut(&number) else { continue };
            if flight.overdue || flight.open == 0 {
                self.flights.remove(&number);
                continue;
            }
            flight.overdue = true;
            self.in_flight -= 1;
            self.deadlines.push_back((now + self.ack_deadline, number));
            let tasks = flight.tasks.clone();
            tracing::warn!(node = %self.node, tasks = tasks.len(), "a payload was not acknowledged and is sent again");
            for (key, desired) in tasks {
                let told = self.known.get(&key).and_then(|known| known.told.as_ref());
                if told.is_some_and(|told| told.flight == number && told.open.is_some()) {
                    self.queue(key, desired);
                }
            }
        }
    }

    pub(super) fn next_wake(&self) -> Option<Instant> {
        self.deadlines.front().map(|(at, _)| *at)
    }

    /// A task waits in one queue at a time; a stop overtakes.
    fn queue(&mut self, key: TaskKey, desired: DesiredStatus) {
        let known = self.known.entry(key).or_default();
        if known.queued.is_some_and(|queued| queued >= desired) {
            return;
        }
        known.queued = Some(desired);
        match desired {
            DesiredStatus::Stopped => self.stops.push_back(key),
            DesiredStatus::Running => self.starts.push_back(key),
        }
    }

    /// A payload that stops tasks may start some, too, whatever the window.
    fn pop(&mut self) -> Option<(TaskKey, DesiredStatus)> {
        let stop = self.stops.pop_front().map(|key| (key, DesiredStatus::Stopped));
        stop.or_else(|| self.starts.pop_front().map(|key| (key, DesiredStatus::Running)))
    }

    /// One more task of a payload needs no acknowledgement any more.
    fn landed(&mut self, number: u64) {
        let Some(flight) = self.flights.get_mut(&number) else { return };
        flight.open = flight.open.saturating_sub(1);
        if flight.open == 0 && !flight.overdue {
            self.in_flight -= 1;
        }
    }

    fn forget(&mut self, key: TaskKey) {
        let told = self.known.remove(&key).and_then(|known| known.told);
        if let Some(told) = told.filter(|told| told.open.is_some()) {
            self.landed(told.flight);
        }
    }
}

/// The task, while it is placed on the node and has not stopped.
fn assigned(state: &State, node: EcsId, key: TaskKey) -> Option<TaskRecord> {
    state.task(key).filter(|task| task.node == Some(node) && task.last_status != TaskStatus::Stopped)
}

/// Whether a report that came since shows that the node has been told to run the task. No report shows that it has been
/// told to stop it, but the one that it has stopped.
fn shows_it_was_taken(then: &TaskRecord, now: &TaskRecord) -> bool {
    let running = now.last_status >= TaskStatus::Running && then.last_status < TaskStatus::Running;
    let pulled = now.pull_started_at != then.pull_started_at || now.containers != then.containers;
    now.desired_status == DesiredStatus::Running && (running || pulled)
}

/// The task as the payload has it.
///
/// # Errors
/// Why it must not be sent; only of a task that no node can have begun.
fn made(state: &State, node: EcsId, task: &TaskRecord) -> Result<agent::Task, String> {
    let gone = |what: &str| format!("the {what} of the task is gone");
    let cluster = state.cluster_by_incarnation(task.cluster).ok_or_else(|| gone("cluster"))?;
    if task.desired_status == DesiredStatus::Stopped {
        return Ok(payload::to_stop(task, &cluster.record));
    }
    let definition = state.definition_of(task).ok_or_else(|| gone("task definition"))?;
    let fresh = matches!(task.last_status, TaskStatus::Provisioning | TaskStatus::Pending);
    let architecture = state.node(node).and_then(|node| node.record.attribute(ARCHITECTURE));
    match unsendable::reason(task, &definition.definition, architecture) {
        Some(reason) if fresh => Err(reason),
        _ => Ok(payload::to_run(task, &cluster.record, definition)),
    }
}
