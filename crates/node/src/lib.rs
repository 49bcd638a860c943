//! The node: it runs tasks as containers and reports what became of them.
//!
//! An [`engine::Engine`] makes containers; the runner decides which. This crate knows neither the store nor the
//! implementation of the HTTP API: what it has to tell the server goes through a trait, in the message types of
//! `longshore_ecs_wire::agent`, whether the server is another machine or this process.

pub mod api;
pub mod container_name;
pub mod deadline;
pub mod docker;
pub mod engine;
mod event_sender;
pub mod images;
pub mod minimal_image;
pub mod orphans;
pub mod ownership;
mod probe;
mod reference;
pub mod runner;
pub mod session;
pub mod simulated;
pub mod unsupported;
