//! What the server says before it ends or refuses a session. On an open session a node only logs them: to end one, the
//! server closes the stream.

use serde::{Deserialize, Serialize};

/// Server → node: the session is about to be closed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct CloseMessage {
    /// Why, in words.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
}

/// Server → node: a failure that has no exception of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ErrorMessage {
    /// What failed, in words.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
}

/// Server → node: the body of every exception; which one it is, the frame's type says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ExceptionMessage {
    /// The text.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
}
