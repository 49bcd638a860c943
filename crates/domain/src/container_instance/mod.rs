//! Container instances: a machine's membership in a cluster.

pub mod resources;

use std::sync::Arc;

use longshore_ecs_wire::shapes::{Attribute, ContainerInstanceStatus as StatusFilter, Tag};
use serde::{Deserialize, Serialize};

use crate::{EcsId, Refusal, Timestamp};

/// A machine's membership in one incarnation of a cluster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContainerInstanceRecord {
    /// Its id.
    pub id: EcsId,
    /// Incarnation of its cluster.
    pub cluster: u64,
    /// The machine.
    pub node: EcsId,
    /// ACTIVE, DRAINING, …
    pub status: ContainerInstanceStatus,
    /// When it joined.
    pub registered_at: Timestamp,
    /// Rises with each change that makes an event.
    pub version: u64,
    /// Whether it is the built-in node's, which never blocks DeleteCluster.
    pub builtin: bool,
    /// Attributes beside those of its machine.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<Attribute>,
    /// Tags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Tag>,
    /// Who registered it.
    pub registered_by: Arc<str>,
}

/// Status of a container instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ContainerInstanceStatus {
    /// Takes tasks.
    Active,
    /// Takes none; its service tasks move away.
    Draining,
    /// Deregistered.
    Inactive,
}

impl ContainerInstanceStatus {
    /// ECS's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Draining => "DRAINING",
            Self::Inactive => "INACTIVE",
        }
    }
}

impl ContainerInstanceRecord {
    /// `ec2InstanceId`, which clients expect of every instance: `i-` and the first 17 hex digits of the machine's id.
    pub fn ec2_instance_id(&self) -> String {
        let id = self.node.to_string();
        format!("i-{}", id.get(..17).unwrap_or(&id))
    }
}

/// Whether ListContainerInstances with this status lists an instance; without one it lists all but INACTIVE ones.
///
/// # Errors
/// InvalidParameterException for a status that cannot be listed by.
pub fn lists(wanted: Option<&StatusFilter>, status: ContainerInstanceStatus) -> Result<bool, Refusal> {
    match wanted {
        None => Ok(status != ContainerInstanceStatus::Inactive),
        Some(StatusFilter::Unknown(_)) => Err(Refusal::invalid_parameter(format!(
            "Container instance status should be one of [{}]",
            StatusFilter::VALUES.join(",")
        ))),
        Some(wanted) => Ok(wanted.as_str() == status.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ContainerInstanceStatus::{Active, Draining, Inactive};

    #[test]
    fn instances_are_listed_by_status() {
        for (wanted, listed) in [
            (None, [true, true, false]),
            (Some("ACTIVE"), [true, false, false]),
            (Some("DRAINING"), [false, true, false]),
            (Some("REGISTERING"), [false, false, false]),
        ] {
            let filter = wanted.map(StatusFilter::from);
            let got = [Active, Draining, Inactive].map(|status| lists(filter.as_ref(), status).unwrap());
            assert_eq!(got, listed, "{wanted:?}");
        }
        for wrong in ["INACTIVE", "active", ""] {
            assert_eq!(
                lists(Some(&StatusFilter::from(wrong)), Active).unwrap_err().message,
                "Container instance status should be one of \
                 [ACTIVE,DRAINING,REGISTERING,DEREGISTERING,REGISTRATION_FAILED]"
            );
        }
    }
}
