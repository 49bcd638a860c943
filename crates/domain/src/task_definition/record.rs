//! Task definitions and their families as they are stored.

use std::sync::Arc;

use longshore_ecs_wire::shapes::{Tag, TaskDefinition};
use serde::{Deserialize, Serialize};

use crate::{Scope, Timestamp};

/// One revision of a family. The definition holds what the caller gave and the defaults filled in; ARN, revision,
/// status and times stand beside it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskDefinitionRecord {
    /// Account and region.
    pub scope: Scope,
    /// Family.
    pub family: Arc<str>,
    /// Revision, from 1.
    pub revision: u32,
    /// Where it is in its life.
    pub status: TaskDefinitionStatus,
    /// When it was registered.
    pub registered_at: Timestamp,
    /// ARN of the caller that registered it.
    pub registered_by: Arc<str>,
    /// When it was deregistered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deregistered_at: Option<Timestamp>,
    /// When its deletion was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delete_requested_at: Option<Timestamp>,
    /// The definition itself.
    pub definition: TaskDefinition,
    /// Tags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Tag>,
}

impl TaskDefinitionRecord {
    /// Its ARN.
    pub fn arn(&self) -> String {
        crate::arn::task_definition(&self.scope, &self.family, self.revision)
    }

    /// The names of its containers, in order.
    pub fn container_names(&self) -> Vec<&str> {
        let containers = self.definition.container_definitions.iter().flatten();
        containers.map(|container| container.name.as_deref().unwrap_or_default()).collect()
    }

    /// Which of its containers are essential, in order.
    pub fn essential_containers(&self) -> Vec<bool> {
        let containers = self.definition.container_definitions.iter().flatten();
        containers.map(|container| container.essential.unwrap_or(true)).collect()
    }
}

/// Status of a revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TaskDefinitionStatus {
    /// Can be run.
    Active,
    /// Deregistered; what runs goes on.
    Inactive,
    /// Waits until nothing refers to it, then goes.
    DeleteInProgress,
}

impl TaskDefinitionStatus {
    /// ECS's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Inactive => "INACTIVE",
            Self::DeleteInProgress => "DELETE_IN_PROGRESS",
        }
    }
}

/// A family: which revision number comes next. It stays when all its revisions are gone, so that none is reused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FamilyRecord {
    /// Account and region.
    pub scope: Scope,
    /// Name.
    pub family: Arc<str>,
    /// The last revision number given.
    pub last_revision: u32,
}
