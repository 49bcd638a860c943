//! The texts of what went wrong with a container, in Amazon's form: the error's name, a colon, the words.
//!
//! Names and wording: `ecs/tasks.md` section 5.2; what the engine says is passed on verbatim.

use std::time::Duration;

use crate::engine::EngineError;

/// Longest reason that is reported, in characters.
pub(crate) const REASON_CHARACTERS: usize = 1024;
/// Longest runtime id and image digest that are reported, in characters.
pub(crate) const ID_CHARACTERS: usize = 255;

/// Exit code of a process that the kernel killed.
pub(crate) const OUT_OF_MEMORY: &str = "OutOfMemoryError: Container killed due to memory usage";
/// The container is gone and nobody told us.
pub(crate) const VANISHED: &str = "ContainerVanishedError: No container matching saved ID found";
/// A stop for a task that has never been heard of.
pub(crate) const NEVER_HEARD_OF: &str = "TaskStateError: Agent could not progress task's state to stopped";

/// A step of a container's life, in the words of the texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transition {
    /// Its creation.
    Create,
    /// Its start.
    Start,
    /// A look at it.
    Inspect,
}

impl Transition {
    fn error_name(self) -> &'static str {
        match self {
            Transition::Create => "CannotCreateContainerError",
            Transition::Start => "CannotStartContainerError",
            Transition::Inspect => "CannotInspectContainerError",
        }
    }

    fn status(self) -> &'static str {
        match self {
            Transition::Create => "created",
            Transition::Start => "started",
            Transition::Inspect => "inspected",
        }
    }
}

/// Why a step failed.
pub(crate) fn failed(transition: Transition, error: &EngineError) -> String {
    match error {
        EngineError::Deadline { seconds, .. } => format!(
            "DockerTimeoutError: Could not transition to {}; timed out after waiting {}",
            transition.status(),
            go_duration(Duration::from_secs(*seconds)),
        ),
        other => format!("{}: {other}", transition.error_name()),
    }
}

/// Why a pull failed. `transferred` tells a failure in the midst of the transfer from one to find the image.
pub(crate) fn cannot_pull(error: &str, retries: u32, transferred: bool) -> String {
    let what = if transferred { "ref pull" } else { "pull image manifest" };
    format!("CannotPullContainerError: {what} has been retried {retries} time(s): {error}")
}

/// The engine's own words about a container that stopped.
pub(crate) fn engine_state(error: &str) -> String {
    format!("DockerStateError: {error}")
}

/// The task was stopped before the image of one of its containers was there.
pub(crate) fn stopped_before_pull(task_arn: &str) -> String {
    format!("TaskStoppedBeforePullBeginError: Task stopped before image pull could begin for task: {task_arn}")
}

/// The first `limit` characters.
pub(crate) fn cut(text: &str, limit: usize) -> String {
    text.chars().take(limit).collect()
}

/// A duration as Go prints it: `4m0s`, `30s`, `2h0m0s`.
fn go_duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{rest}s"),
        (0, _) => format!("{minutes}m{rest}s"),
        _ => format!("{hours}h{minutes}m{rest}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_printed_like_go_does() {
        for (seconds, text) in [(0, "0s"), (30, "30s"), (60, "1m0s"), (240, "4m0s"), (3661, "1h1m1s"), (7200, "2h0m0s")]
        {
            assert_eq!(go_duration(Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn texts() {
        let slow = EngineError::Deadline { call: "create", seconds: 240 };
        assert_eq!(
            failed(Transition::Create, &slow),
            "DockerTimeoutError: Could not transition to created; timed out after waiting 4m0s"
        );
        let slow = EngineError::Deadline { call: "start", seconds: 180 };
        assert_eq!(
            failed(Transition::Start, &slow),
            "DockerTimeoutError: Could not transition to started; timed out after waiting 3m0s"
        );
        let refused = EngineError::Refused("no such user".into());
        assert_eq!(failed(Transition::Create, &refused), "CannotCreateContainerError: no such user");
        assert_eq!(failed(Transition::Start, &refused), "CannotStartContainerError: no such user");
        let gone = EngineError::Unreachable("/var/run/docker.sock: connection refused".into());
        assert_eq!(
            failed(Transition::Create, &gone),
            "CannotCreateContainerError: the engine cannot be reached: /var/run/docker.sock: connection refused"
        );
        assert_eq!(
            cannot_pull("not found", 2, false),
            "CannotPullContainerError: pull image manifest has been retried 2 time(s): not found"
        );
    }

    #[test]
    fn cutting_counts_characters() {
        assert_eq!(cut("äöü", 2), "äö");
        assert_eq!(cut("a", 5), "a");
    }
}
