//! Node sessions: what the store wants of a node, told in Amazon's agent protocol.
//!
//! [`payload`] turns a stored task into the message that a node runs. [`session`] is the server's side of one node's
//! session: it reads published states only, so nothing is told that a crash could take back, and it tells everything
//! again on each new session. Reports come in by the ECS API, not here.
//!
//! This crate may not know the HTTP API, sockets, a clock of its own or randomness.

pub mod payload;
pub mod session;
#[cfg(test)]
mod testing;

pub use session::{Now, OnConnected, Session, SessionEnd, SessionIdentity, SessionOptions};
