//! The seam between HTTP and the operations.
//!
//! The HTTP side knows who calls, the operation's name and the body; the operations answer with a
//! status and a body. Neither side knows more of the other, and tests put their own service behind
//! the listener.

use std::future::Future;

use bytes::Bytes;
use longshore_api::Api;
pub use longshore_api::{Answer, Caller};

/// The operations behind `POST /`.
pub trait Service: Send + Sync + 'static {
    /// Runs one operation. `operation` is the name after the prefix of `X-Amz-Target`, or `None`
    /// when the header is missing or belongs to another service. `body` is at most
    /// [`BODY_LIMIT`](super::BODY_LIMIT) bytes.
    fn call(&self, caller: &Caller, operation: Option<&str>, body: Bytes) -> impl Future<Output = Answer> + Send;
}

impl Service for Api {
    fn call(&self, caller: &Caller, operation: Option<&str>, body: Bytes) -> impl Future<Output = Answer> + Send {
        Self::call(self, caller, operation, body)
    }
}
