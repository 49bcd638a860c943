//! A machine that runs tasks: what it offers and what it is.
//!
//! One record a machine, whatever accounts, regions and clusters its tasks belong to. The built-in node writes its own
//! when the server starts. What of it is taken is derived from the tasks and never stored.

use longshore_ecs_wire::shapes::Attribute;
use serde::{Deserialize, Serialize};

use crate::{EcsId, Resources, Timestamp};

/// A machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeRecord {
    /// The id in the node's data directory.
    pub id: EcsId,
    /// Whether it is the server's own, which gives FARGATE capacity and joins clusters on demand.
    pub builtin: bool,
    /// Whether it takes new tasks.
    pub active: bool,
    /// What it offers; its ports are those it keeps for itself.
    pub capacity: Resources,
    /// Attributes of its container instances.
    pub attributes: Vec<Attribute>,
    /// The engine's version, as `versionInfo.dockerVersion` shows it.
    pub engine_version: String,
    /// When it came first.
    pub registered_at: Timestamp,
}

impl NodeRecord {
    /// The value of an attribute.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|a| a.name.as_deref() == Some(name)).and_then(|a| a.value.as_deref())
    }
}
