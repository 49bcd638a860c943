//! What changes the knowledge of a task: the outcomes of its own steps, and news from outside.

use longshore_ecs_wire::Timestamp;

use super::report::Reported;
use crate::engine::{EngineError, Observed};

/// What came of a step, or what somebody told.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Outcome {
    /// The image is here, or the reason why not. `started` is when the pull began.
    Pulled {
        /// Which container.
        index: usize,
        /// When it began.
        started: Timestamp,
        /// The image's digest in a registry, or the reason.
        result: Result<Option<String>, String>,
    },
    /// The pull was given up because the task is to stop.
    PullCancelled {
        /// Which container.
        index: usize,
    },
    /// The container was created; its id.
    Created(usize, Result<String, EngineError>),
    /// The container was there already.
    Adopted(usize, Observed),
    /// The container was started.
    Started(usize, Result<(), EngineError>),
    /// The container was looked at.
    Inspected(usize, Result<Observed, EngineError>),
    /// The container was told to stop.
    Stopped(usize, Result<(), EngineError>),
    /// The container was removed.
    Removed(usize, Result<(), EngineError>),
    /// The report was taken over (or will never be), or has to be repeated.
    Reported {
        /// What was reported.
        reported: Reported,
        /// Whether it need not be repeated.
        settled: bool,
    },
    /// The server wants the task stopped.
    StopWanted {
        /// Why, if that is to be reported.
        reason: Option<String>,
    },
    /// What the server was told so far, it may have forgotten.
    ServerForgot,
    /// The engine's list shows the container.
    Seen(usize, Observed),
    /// Something happened to the container.
    Changed(usize),
}
