//! What few tasks have: overrides, tags, an end, and values that the compact form has no room for.

use longshore_domain::Timestamp;
use longshore_domain::task::StopCode;

use super::name::Name;

/// Members that most tasks lack.
#[derive(Debug, Clone, Default)]
pub(super) struct Rare {
    /// `overrides` as JSON.
    pub(super) overrides: Option<Name>,
    /// Tags as JSON.
    pub(super) tags: Option<Name>,
    /// What a task has that stops or has stopped.
    pub(super) end: Option<Box<End>>,
    /// What does not fit elsewhere.
    pub(super) odd: Option<Box<Odd>>,
}

/// The end of a task.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct End {
    /// `stoppingAt`.
    pub(super) stopping_at: Option<Timestamp>,
    /// `executionStoppedAt`.
    pub(super) execution_stopped_at: Option<Timestamp>,
    /// `stoppedAt`.
    pub(super) stopped_at: Option<Timestamp>,
    /// `stopCode`.
    pub(super) stop_code: Option<StopCode>,
    /// `stoppedReason`.
    pub(super) stopped_reason: Option<Name>,
}

/// Values out of the ordinary.
#[derive(Debug, Clone, Default)]
pub(super) struct Odd {
    /// Times before RUNNING that are weeks from the creation, by their place in the compact form.
    pub(super) early: [Option<Timestamp>; 4],
    /// A version above 65,535.
    pub(super) version: Option<u64>,
    /// Texts of the containers in their order: of each first an engine's id that is not 64 hex digits, then a reason.
    pub(super) texts: Vec<Name>,
}

impl Rare {
    /// Itself in a box, unless there is nothing in it.
    pub(super) fn boxed(self) -> Option<Box<Self>> {
        let Self { overrides, tags, end, odd } = &self;
        let any = overrides.is_some() || tags.is_some() || end.is_some() || odd.is_some();
        any.then(|| Box::new(self))
    }
}
