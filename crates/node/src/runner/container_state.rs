//! What the runner knows of one container.
//!
//! The phase only moves forward. Whether the engine has the container and whether its process may run are kept apart
//! from it: after a call whose answer was lost, both can be true of a container that counts as stopped.

use longshore_ecs_wire::Timestamp;

use crate::engine::PortBinding;

/// How far a container has come. It never goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Phase {
    /// Its image is not here yet.
    Waiting,
    /// Its image is here.
    Pulled,
    /// The engine has made it.
    Created,
    /// The engine has started it; nobody has looked yet.
    Started,
    /// It was seen running.
    Running,
    /// It has ended, or it will never run.
    Stopped,
    /// Nothing of it is left on the engine.
    Removed,
}

/// Whether the engine has the container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Existence {
    /// No.
    No,
    /// The answer to its creation was lost.
    Maybe,
    /// Yes.
    Yes,
}

/// A call to the engine that is under way for the container. There is at most one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    /// Bringing the image.
    Pull,
    /// Creating it.
    Create,
    /// Starting it.
    Start,
    /// Looking at it.
    Inspect,
    /// Stopping it.
    Stop,
    /// Removing it.
    Remove,
}

/// Failures of one kind of call in a row, and when to try again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Retry {
    /// Failures so far.
    pub tries: u32,
    /// Not before.
    pub at: Option<Timestamp>,
}

impl Retry {
    /// One more failure: wait `first_millis`, doubled with each, at most `most_millis`.
    pub fn failed(&mut self, now: Timestamp, first_millis: i64, most_millis: i64) {
        let wait = first_millis.saturating_mul(1i64 << self.tries.min(20)).min(most_millis);
        self.tries = self.tries.saturating_add(1);
        self.at = Some(now.plus_millis(wait));
    }
}

/// One container.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ContainerState {
    /// How far it has come.
    pub phase: Phase,
    /// The call under way.
    pub busy: Option<Call>,
    /// Whether the engine has it.
    pub exists: Existence,
    /// Whether its process may run.
    pub alive: bool,
    /// Whether its process is known to have run.
    pub ran: bool,
    /// Whether something may have changed that nobody has looked at.
    pub look: bool,
    /// The engine's id.
    pub runtime_id: Option<String>,
    /// Digest of its image in a registry.
    pub image_digest: Option<String>,
    /// Ports, as last seen while it ran.
    pub ports: Vec<PortBinding>,
    /// Exit code.
    pub exit_code: Option<i32>,
    /// Why it stopped or never ran.
    pub reason: Option<String>,
    /// When it stopped.
    pub finished_at: Option<Timestamp>,
    /// Looks that failed.
    pub look_retry: Retry,
    /// Stops that failed, or did not stop it.
    pub stop_retry: Retry,
    /// Removals that failed.
    pub remove_retry: Retry,
}

/// Failed stops after which a container that is not known to have run counts as stopped all the same.
const STOPS_BEFORE_GIVING_UP: u32 = 3;

impl ContainerState {
    /// A container that nobody has begun with.
    pub fn new() -> Self {
        Self {
            phase: Phase::Waiting,
            busy: None,
            exists: Existence::No,
            alive: false,
            ran: false,
            look: false,
            runtime_id: None,
            image_digest: None,
            ports: Vec::new(),
            exit_code: None,
            reason: None,
            finished_at: None,
            look_retry: Retry::default(),
            stop_retry: Retry::default(),
            remove_retry: Retry::default(),
        }
    }

    /// Moves it to `Stopped`, unless it is there.
    pub fn stop(&mut self, reason: Option<String>, finished_at: Timestamp) {
        if self.phase < Phase::Stopped {
            self.phase = Phase::Stopped;
            self.reason = reason;
            self.finished_at = Some(finished_at);
        }
    }

    /// Moves it forward to `phase`, never back.
    pub fn advance(&mut self, phase: Phase) {
        self.phase = self.phase.max(phase);
    }

    /// The engine does not have it.
    pub fn is_gone(&mut self) {
        self.exists = Existence::No;
        self.alive = false;
        self.look = false;
    }

    /// Whether it can be reported as stopped. What was seen running must be seen stopped; what only may have been
    /// started is not waited for longer than a few failed stops.
    pub fn is_done(&self) -> bool {
        let given_up = !self.ran && self.stop_retry.tries >= STOPS_BEFORE_GIVING_UP;
        self.phase >= Phase::Stopped && (!self.alive || given_up)
    }
}
