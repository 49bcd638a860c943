//! Placement constraints of the definition: only `memberOf`, with an expression.
//!
//! The expression is taken as it is; whether instances match it is decided when a task is placed.

use longshore_ecs_wire::shapes::TaskDefinitionPlacementConstraintType;

use super::null_or_empty;
use crate::Refusal;
use crate::task_definition::draft::{Draft, filled};

/// Constraints a definition may have.
const MOST: usize = 10;

pub(super) fn check(draft: &Draft<'_>) -> Result<(), Refusal> {
    if draft.placement_constraints.len() > MOST {
        return Err(Refusal::client("placementConstraints can have at most 10 items."));
    }
    for constraint in draft.placement_constraints {
        match &constraint.r#type {
            None => return Err(null_or_empty("constraint.type")),
            Some(TaskDefinitionPlacementConstraintType::MemberOf) => {}
            Some(other) => {
                return Err(Refusal::client(format!("constraint.type '{}' is not supported.", other.as_str())));
            }
        }
        if filled(&constraint.expression).is_none() {
            return Err(null_or_empty("constraint.expression"));
        }
    }
    Ok(())
}
