//! Everything between the socket and the operations.
//!
//! [`listener`] accepts and drains, [`connection`](self) speaks HTTP/1.1 under the deadlines of
//! `watch`, [`endpoint`] routes, authenticates and calls a [`service::Service`], and `respond`
//! spells the answers. No operation is known here by name but `sts:GetCallerIdentity`, which is
//! answered in `query`.

mod body;
mod connection;
pub mod endpoint;
pub mod listener;
mod one_poll;
mod query;
pub mod request_id;
mod respond;
pub mod service;
mod spelling;
mod watch;

pub use body::BODY_LIMIT;
pub use endpoint::{Endpoint, Options, Readiness};
pub use listener::{Drained, Server, bind};
pub use request_id::RequestId;
pub use service::{Answer, Caller, Service};
