//! The model's own rules for members: what must be given, and bounds.

use longshore_domain::Refusal;
use longshore_ecs_wire::{Rule, Shape};

/// Checks the rules of the model.
///
/// # Errors
/// The first broken rule, as an `InvalidParameterException` by the house style of ECS's texts.
pub fn check<T: Shape>(input: &T) -> Result<(), Refusal> {
    let Some(violation) = input.first_violation() else { return Ok(()) };
    let member = &violation.member;
    Err(Refusal::invalid_parameter(match violation.rule {
        Rule::Required => format!("{} can not be blank.", capitalised(member)),
        Rule::Min(bound) => format!("{member} shorter than {bound}."),
        Rule::Max(bound) => format!("{member} longer than {bound}."),
    }))
}

/// The member's name as Amazon's texts begin a sentence with it.
pub fn capitalised(member: &str) -> String {
    let mut chars = member.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
