//! Task definitions: what RegisterTaskDefinition accepts, what it fills in, and what a run needs of a definition.
//!
//! Everything works on the wire types of `ecs-wire`, because a definition is stored and returned as it was given
//! plus the defaults. Revision, ARN, status, times and tags are the caller's: they are facts about a family, not
//! about the contents. Rules and texts: the book's `taskdefs.md`; where a text is unknown it follows the house
//! style of `wire.md` and the rule's test marks it as inferred.

pub mod compatibilities;
pub mod defaults;
mod draft;
pub mod fargate_sizes;
pub mod list;
pub mod record;
pub mod reference;
#[cfg(test)]
mod registration_goldens;
pub mod requires_attributes;
pub mod run_rules;
pub mod task_size;
pub mod validate;

pub use compatibilities::compatibilities;
pub use defaults::normalise;
pub use record::{FamilyRecord, TaskDefinitionRecord, TaskDefinitionStatus};
pub use reference::{ReferenceError, TaskDefinitionReference};
pub use requires_attributes::requires_attributes;
pub use validate::validate;
