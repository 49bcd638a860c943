//! The task runner.
//!
//! A [`Node`] takes tasks over from the server ([`Node::run_session`]), brings each to the status wanted with the
//! containers of its engine, and reports what became of it. Decisions are pure (`plan`, `task_state`); `task_loop` does
//! them. Containers outlive the node: a later one with the same id adopts them, never restarts and never doubles them.

mod assign;
mod config;
mod container_state;
mod docker_words;
pub(crate) mod engine_calls;
mod health;
mod inventory;
pub(crate) mod lock;
mod node;
mod orphans;
mod outcome;
mod plan;
pub(crate) mod reason;
mod report;
mod shared;
mod task_loop;
mod task_spec;
mod task_state;

pub(crate) use assign::{Assignment, assign, cluster_arn, stop_confirmed};
pub use config::{Clock, NodeConfig};
pub use health::EngineHealth;
pub use node::Node;
pub(crate) use orphans::manifest_answered;
pub(crate) use shared::Shared;
