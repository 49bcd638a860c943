//! Asking a task to stop.

use std::sync::Arc;

use super::{DesiredStatus, StopCode, TaskRecord};
use crate::Timestamp;

/// Longest `reason` that is kept, in characters.
pub const REASON_CHARS: usize = 1024;

/// The reason when StopTask gives none.
pub const BY_USER: &str = "Task stopped by user";

/// The task with desired status STOPPED, or `None` if that is what it has already.
pub fn stop(task: &TaskRecord, code: StopCode, reason: Option<&str>, now: Timestamp) -> Option<TaskRecord> {
    if task.desired_status == DesiredStatus::Stopped {
        return None;
    }
    let mut task = task.clone();
    task.desired_status = DesiredStatus::Stopped;
    task.stop_code = Some(code);
    task.stopped_reason = Some(cut(reason.unwrap_or(BY_USER)));
    task.stopping_at = Some(now.max(task.started_at.unwrap_or(task.created_at)));
    task.version += 1;
    Some(task)
}

/// `text`, cut to what is kept of a reason.
pub fn cut(text: &str) -> Arc<str> {
    match text.char_indices().nth(REASON_CHARS) {
        Some((end, _)) => text[..end].into(),
        None => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_cut_between_characters() {
        assert_eq!(cut("short").as_ref(), "short");
        assert_eq!(cut(&"ü".repeat(2000)).chars().count(), REASON_CHARS);
    }
}
