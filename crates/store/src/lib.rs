//! The one place where state lives: view, update, watch.
//!
//! One writer runs [`Store::update`] closures one after another, makes them durable in batches and only then publishes
//! an immutable [`State`] and answers. Readers take the published state with [`Store::view`] and never wait.
//! [`Store::watch_from`] yields what changed since a version. See `docs/design/store.md`.
//!
//! This crate may not know an operation of the ECS API, HTTP, a clock or randomness.

pub mod backend;
pub mod cluster_state;
pub mod error;
pub mod index;
mod load;
pub mod lock;
mod node_tasks;
#[cfg(feature = "planted-bugs")]
pub mod planted;
pub mod record;
pub mod state;
pub mod store;
mod tables;
pub mod task_table;
pub mod tx;
pub mod watch;
pub mod write;
mod writer;

pub use cluster_state::ClusterState;
pub use error::{StoreError, UpdateError};
pub use record::{Kind, Record};
pub use state::State;
pub use store::{Backend, Options, Store};
pub use task_table::{Dimension, TaskFilter, TaskLife, TaskTable};
pub use tx::Tx;
pub use write::Write;
pub use writer::counts::WriterCounts;
pub use writer::steps::Steps;
