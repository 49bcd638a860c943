//! The shapes, errors and operation table of the Amazon ECS API.
//!
//! This crate may know nothing but serde: no HTTP, no JSON library, no clock, no store. It says
//! what requests, responses and errors look like and which rules the model gives them; it decides
//! nothing.
//!
//! `operations` and `shapes` are written by `cargo xtask codegen` from botocore's service model,
//! one file per operation and one per shared shape. Every member of a structure is optional: the
//! rules ([`Shape::first_violation`]) say which must be given. `null` is the same as absent,
//! unknown members are ignored, and values an enumeration does not list survive a round trip.
//! The messages between server and node ([`agent`]) are written by hand.

pub mod agent;
pub mod document;
pub mod error;
pub mod member;
pub mod operations;
pub mod rule;
pub mod shapes;
mod string_enum;
mod structure;
pub mod timestamp;

pub use document::Document;
pub use error::ApiError;
pub use member::{Kind, Member};
pub use operations::Operation;
pub use rule::{Rule, Shape, Violation};
pub use timestamp::Timestamp;
