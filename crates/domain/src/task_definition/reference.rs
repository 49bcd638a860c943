//! How a caller names a task definition: `family`, `family:revision`, or an ARN with or without the revision.
//!
//! Whether the family exists is the caller's to find out; which text "not there" gets differs by operation, so
//! this module says only that something can never be there.

use std::fmt;

use thiserror::Error;

use crate::arn::EcsArn;
use crate::{Refusal, Scope};

/// A family, and a revision if one was given. Without one the latest ACTIVE revision is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskDefinitionReference {
    /// The family's name.
    pub family: String,
    /// From 1.
    pub revision: Option<u32>,
}

/// Why a reference cannot be followed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ReferenceError {
    /// What follows the colon is not a revision.
    #[error("invalid revision number {0}")]
    InvalidRevision(String),
    /// It can name no definition of this scope: other account or region, another kind of thing, or no legal family.
    #[error("no task definition of this scope")]
    NotFound,
}

impl ReferenceError {
    /// The refusal; `not_found` is what the operation says of a definition that is not there.
    pub fn into_refusal(self, not_found: Refusal) -> Refusal {
        match self {
            Self::InvalidRevision(number) => {
                Refusal::invalid_parameter(format!("Invalid revision number. Number: {number}"))
            }
            Self::NotFound => not_found,
        }
    }
}

impl TaskDefinitionReference {
    /// Reads what a caller gave.
    ///
    /// # Errors
    /// See [`ReferenceError`].
    pub fn parse(text: &str, scope: &Scope) -> Result<Self, ReferenceError> {
        let name = if text.starts_with("arn:") {
            let arn = EcsArn::parse(text).ok_or(ReferenceError::NotFound)?;
            if arn.resource_type != "task-definition" || !arn.is_of(scope) {
                return Err(ReferenceError::NotFound);
            }
            arn.resource
        } else {
            text
        };
        let (family, revision) = match name.split_once(':') {
            None => (name, None),
            Some((family, revision)) => (family, Some(revision_number(revision)?)),
        };
        if !is_family(family) {
            return Err(ReferenceError::NotFound);
        }
        Ok(Self { family: family.to_owned(), revision })
    }
}

impl fmt::Display for TaskDefinitionReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.revision {
            Some(revision) => write!(f, "{}:{revision}", self.family),
            None => f.write_str(&self.family),
        }
    }
}

fn revision_number(text: &str) -> Result<u32, ReferenceError> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(number) if digits && number > 0 => Ok(number),
        _ => Err(ReferenceError::InvalidRevision(text.to_owned())),
    }
}

/// Whether this is a legal family name: 1–255 letters, digits, `-` and `_`.
pub fn is_family(text: &str) -> bool {
    (1..=255).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// DescribeTaskDefinition, DeregisterTaskDefinition: no such definition.
pub fn unable_to_describe() -> Refusal {
    Refusal::client("Unable to describe task definition.")
}

/// RunTask, CreateService: no such definition.
pub fn task_definition_not_found() -> Refusal {
    Refusal::client("TaskDefinition not found.")
}

/// RunTask: the revision was deregistered.
pub fn task_definition_inactive() -> Refusal {
    Refusal::invalid_parameter("TaskDefinition is inactive")
}

/// DeregisterTaskDefinition, DeleteTaskDefinitions: a family without a revision.
pub fn revision_missing() -> Refusal {
    Refusal::client("Revision is missing.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorClass;

    fn parse(text: &str) -> Result<TaskDefinitionReference, ReferenceError> {
        TaskDefinitionReference::parse(text, &Scope::new("000000000000", "us-east-1"))
    }

    fn reference(family: &str, revision: Option<u32>) -> Result<TaskDefinitionReference, ReferenceError> {
        Ok(TaskDefinitionReference { family: family.to_owned(), revision })
    }

    #[test]
    fn names_and_arns_are_read_alike() {
        let arn = "arn:aws:ecs:us-east-1:000000000000:task-definition/web";
        for (text, expected) in [
            ("web", reference("web", None)),
            ("web:7", reference("web", Some(7))),
            ("web:007", reference("web", Some(7))),
            (arn, reference("web", None)),
            (&format!("{arn}:12"), reference("web", Some(12))),
        ] {
            assert_eq!(parse(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_revision_is_named() {
        for number in ["x", "", "0", "-1", "+1", "1:2", "4294967296"] {
            let error = parse(&format!("web:{number}")).unwrap_err();
            let refusal = error.into_refusal(unable_to_describe());
            assert_eq!(refusal.class, ErrorClass::InvalidParameter);
            assert_eq!(refusal.message, format!("Invalid revision number. Number: {number}"));
        }
    }

    #[test]
    fn what_cannot_be_here_is_not_found() {
        for text in [
            "",
            "we b",
            "web/1",
            "arn:aws:ecs:us-east-1:111111111111:task-definition/web:1",
            "arn:aws:ecs:eu-west-1:000000000000:task-definition/web:1",
            "arn:aws:ecs:us-east-1:000000000000:cluster/web",
            "arn:aws:ecs:us-east-1:000000000000:task-definition/",
            "arn:nonsense",
            &"a".repeat(256),
        ] {
            assert_eq!(parse(text), Err(ReferenceError::NotFound), "{text}");
        }
        let refusal = parse("").unwrap_err().into_refusal(task_definition_not_found());
        assert_eq!(refusal, Refusal::client("TaskDefinition not found."));
    }

    #[test]
    fn operations_have_their_own_texts() {
        assert_eq!(unable_to_describe(), Refusal::client("Unable to describe task definition."));
        assert_eq!(task_definition_inactive(), Refusal::invalid_parameter("TaskDefinition is inactive"));
        assert_eq!(revision_missing(), Refusal::client("Revision is missing."));
    }

    #[test]
    fn a_reference_prints_as_it_is_given() {
        for text in ["web", "web:7"] {
            assert_eq!(parse(text).unwrap().to_string(), text);
        }
    }
}
