//! Ephemeral storage, which only Fargate gives: 21–200 GiB.
//!
//! The bounds serve overrides too. 20 GiB is what every Fargate task has, and cannot be asked for.

use crate::Refusal;
use crate::task_definition::draft::Draft;

pub(super) fn check(draft: &Draft<'_>) -> Result<(), Refusal> {
    let Some(storage) = draft.ephemeral_storage else {
        return Ok(());
    };
    if !draft.requires_fargate() {
        return Err(Refusal::client("Tasks using the EC2 launch type do not support EphemeralStorage."));
    }
    check_size(storage.size_in_gi_b.unwrap_or_default())
}

/// The bounds, also for the override of a run.
pub(in crate::task_definition) fn check_size(gib: i32) -> Result<(), Refusal> {
    match gib {
        ..21 => Err(Refusal::client("EphemeralStorage size should be at least 21")),
        201.. => Err(Refusal::client("EphemeralStorage size should be at most 200")),
        _ => Ok(()),
    }
}
