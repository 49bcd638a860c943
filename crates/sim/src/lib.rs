//! Deterministic simulation, and what judges it. For development only: nothing of it is in the product.
//!
//! [`world`] runs a seed; [`disk`] is what it runs on. [`linearizability`] says whether a history of concurrent calls is explained by the calls happening one at a time.

mod client;
pub mod disk;
mod judge;
pub mod linearizability;
pub mod planted;
pub mod random;
pub mod world;
