//! The operations of the ECS API: one file each, named after the operation.
//!
//! A read takes the published state and never waits. A write is data handed to the store, with a plain function that
//! decides it inside the transaction. Errors are [`longshore_domain::Refusal`]s, mapped to the operation's modelled
//! errors in [`answer`].
//!
//! This crate may not know HTTP or nodes.

pub mod answer;
pub mod cluster;
pub mod connections;
pub mod container_instance;
pub mod context;
pub mod dispatch;
pub mod page;
pub mod page_token;
pub mod resolve;
pub mod shape_rules;
pub mod sts;
pub mod tag;
pub mod task;
pub mod task_definition;
pub mod unsupported;

pub use answer::Answer;
pub use connections::Connections;
pub use context::{Api, Caller, Clock, Seeds};
