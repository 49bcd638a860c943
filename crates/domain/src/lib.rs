//! Records, life cycles, validation and placement: every decision Longshore makes, as pure functions.
//!
//! This crate may not know a clock, randomness, tokio, the disk or Docker: time and ids are arguments.
//! One folder a resource: the record as it is stored, its rules, and what follows from a change of it.

pub mod arn;
pub mod cluster;
pub mod container_instance;
pub mod id;
pub mod idempotency;
pub mod node;
pub mod refusal;
pub mod resources;
pub mod scope;
pub mod secret;
pub mod tags;
pub mod task;
pub mod task_definition;

pub use id::{EcsId, IdSource};
pub use longshore_ecs_wire::Timestamp;
pub use refusal::{ErrorClass, Refusal};
pub use resources::Resources;
pub use scope::Scope;
