//! Controllers: what is to happen by itself, without a request.
//!
//! Each is level-triggered: it looks at a published state, decides, writes, and says when to look again. [`driver`] runs
//! any of them, on a change, on a period, after a failure. Start, failover and normal operation are the same path.
//!
//! This crate may not know HTTP, nodes' sessions, a clock of its own or randomness.

pub mod driver;
pub mod reaper;

#[cfg(test)]
mod testing;

pub use driver::{Controller, Driver, DriverOptions, DriverStatus, Fault, Now, Reason, Requeue};
pub use reaper::{Reaper, RetentionTooShort, TaskRetention};
