//! A call of the API as somebody outside the server makes it.

use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use tokio::time::sleep;

use super::{Server, World};

/// What a caller learns.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Reply {
    /// 200.
    Ok(Value),
    /// A refusal: nothing was done.
    Refused {
        /// Exception and text.
        why: String,
    },
    /// No answer, or one that says that the server does not know. It may have been done, or be done later.
    Unknown,
}

/// A call that has come to its end.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Called {
    /// When it began.
    pub invoked: u64,
    /// When it ended.
    pub returned: u64,
    pub reply: Reply,
}

impl World {
    /// Waits until there is a server.
    pub async fn server_up(&self) -> Server {
        loop {
            if let Some(server) = self.server() {
                return server;
            }
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// Calls the server as soon as there is one.
    pub async fn call(&self, who: &str, operation: &str, body: &Value) -> Called {
        let server = self.server_up().await;
        self.call_on(&server, who, operation, body).await
    }

    /// Calls this server.
    pub async fn call_on(&self, server: &Server, who: &str, operation: &str, body: &Value) -> Called {
        let invoked = self.tick();
        self.event(who, format_args!("{operation} {body}"));
        let answer = server.api.call(&self.caller, Some(operation), Bytes::from(body.to_string())).await;
        // An answer that was on its way when the server ended did not arrive.
        let reply = if self.is_up(server.generation) { reply(answer.status, &answer.body) } else { Reply::Unknown };
        match &reply {
            Reply::Ok(_) => self.event(
                who,
                format_args!("{operation} = {} bytes, {:08x}", answer.body.len(), fingerprint(&answer.body)),
            ),
            Reply::Refused { why } => self.event(who, format_args!("{operation} refused: {why}")),
            Reply::Unknown => self.event(who, format_args!("{operation} without an answer")),
        }
        Called { invoked, returned: self.tick(), reply }
    }

    /// A call that the judge makes while a server is being looked at: no event, and it does not wait.
    pub async fn ask(&self, server: &Server, operation: &str, body: &Value) -> Reply {
        let answer = server.api.call(&self.caller, Some(operation), Bytes::from(body.to_string())).await;
        reply(answer.status, &answer.body)
    }
}

fn reply(status: u16, body: &[u8]) -> Reply {
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    match status {
        200 => Reply::Ok(value),
        500.. => Reply::Unknown,
        _ => {
            let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            Reply::Refused { why: format!("{}: {}", text("__type"), text("message")) }
        }
    }
}

/// FNV-1a, to tell two bodies apart in the log.
fn fingerprint(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}
