//! Keys that the server keeps in its store, so that a token from before a restart holds after it.

use serde::{Deserialize, Serialize};

use crate::EcsId;

/// A named random key of 32 bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecretRecord {
    /// What it is for: `page-token`.
    pub name: String,
    /// The bytes, as two ids.
    pub key: [EcsId; 2],
}
