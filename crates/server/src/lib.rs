//! The only binary: configuration, HTTP, signatures, metrics, subcommands.
//!
//! This crate puts the others together and knows all of them; no other crate may know this one.
//! What an operation does is not its business: [`http`] hands name and body to a
//! [`http::service::Service`] and sends back what comes out.

pub mod auth;
pub mod cli;
pub mod commands;
pub mod config;
pub mod demo;
pub mod failure;
pub mod http;
pub(crate) mod lane;
pub mod logs;
pub mod metrics;
pub mod serve;
