//! Clusters: the record, and the rules of create, update and delete.

pub mod capacity_providers;
pub mod configuration;
pub mod create;
pub mod delete;
pub mod settings;
pub mod update;

use std::sync::Arc;

use longshore_ecs_wire::shapes::{
    CapacityProviderStrategyItem, ClusterConfiguration, ClusterServiceConnectDefaults, ClusterSetting, Tag,
};
use serde::{Deserialize, Serialize};

use crate::{Refusal, Scope, Timestamp};

/// The cluster that every scope has, and that an absent `cluster` means.
pub const DEFAULT: &str = "default";

/// One cluster; the latest incarnation of its name.
///
/// A deleted cluster stays as an INACTIVE record, so that a new one of the same name goes on with its sequence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterRecord {
    /// Account and region.
    pub scope: Scope,
    /// Name.
    pub name: Arc<str>,
    /// Store version at which this incarnation was made; never reused. 0: the virtual `default`.
    pub incarnation: u64,
    /// ACTIVE or INACTIVE.
    pub status: ClusterStatus,
    /// When this incarnation was made.
    pub created_at: Timestamp,
    /// When it was deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inactive_at: Option<Timestamp>,
    /// Sequence number of the next task; never falls, not even across incarnations.
    pub next_sequence: u64,
    /// `settings`, as effective.
    pub settings: Vec<ClusterSetting>,
    /// `configuration`, as given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configuration: Option<ClusterConfiguration>,
    /// `serviceConnectDefaults`, as given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_connect_defaults: Option<ClusterServiceConnectDefaults>,
    /// `capacityProviders`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub capacity_providers: Vec<String>,
    /// `defaultCapacityProviderStrategy`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub default_capacity_provider_strategy: Vec<CapacityProviderStrategyItem>,
    /// Tags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Tag>,
}

/// Status of a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ClusterStatus {
    /// In use.
    Active,
    /// Deleted.
    Inactive,
}

impl ClusterStatus {
    /// ECS's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Inactive => "INACTIVE",
        }
    }
}

impl ClusterRecord {
    /// A fresh ACTIVE cluster without any setting.
    pub fn new(scope: Scope, name: impl Into<Arc<str>>, incarnation: u64, now: Timestamp) -> Self {
        Self {
            scope,
            name: name.into(),
            incarnation,
            status: ClusterStatus::Active,
            created_at: now,
            inactive_at: None,
            next_sequence: 1,
            settings: Vec::new(),
            configuration: None,
            service_connect_defaults: None,
            capacity_providers: Vec::new(),
            default_capacity_provider_strategy: Vec::new(),
            tags: Vec::new(),
        }
    }

    /// `default` as every scope has it before the first write.
    pub fn virtual_default(scope: Scope) -> Self {
        Self::new(scope, DEFAULT, 0, Timestamp::from_millis(0))
    }

    /// Its ARN.
    pub fn arn(&self) -> String {
        crate::arn::cluster(&self.scope, &self.name)
    }
}

/// Whether `name` is a legal cluster name.
///
/// # Errors
/// `Cluster must match …, but was …` with the value.
pub fn validate_name(name: &str) -> Result<(), Refusal> {
    let legal = |c: u8| c.is_ascii_alphanumeric() || c == b'-' || c == b'_';
    if (1..=255).contains(&name.len()) && name.bytes().all(legal) {
        Ok(())
    } else {
        Err(Refusal::invalid_parameter(format!(r"Cluster must match ^[a-zA-Z0-9\-_]{{1,255}}$, but was {name}")))
    }
}

/// The cluster name in `identifier`: absent is `default`, else a name or a cluster ARN of this scope.
///
/// # Errors
/// A malformed name; an ARN of something else; an ARN of another scope is a cluster that is not there.
pub fn name_from<'a>(scope: &Scope, identifier: Option<&'a str>) -> Result<&'a str, Refusal> {
    let Some(identifier) = identifier else { return Ok(DEFAULT) };
    if !identifier.starts_with("arn:") {
        return validate_name(identifier).map(|()| identifier);
    }
    let arn = crate::arn::EcsArn::parse(identifier)
        .ok_or_else(|| Refusal::invalid_parameter(format!("Invalid identifier: {identifier}")))?;
    if arn.resource_type != "cluster" {
        return Err(Refusal::invalid_parameter(format!("Unsupported resource type: {}", arn.resource_type)));
    }
    validate_name(arn.resource)?;
    if arn.is_of(scope) { Ok(arn.resource) } else { Err(Refusal::cluster_not_found()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_arns_resolve() {
        let scope = Scope::new("000000000000", "us-east-1");
        assert_eq!(name_from(&scope, None), Ok("default"));
        assert_eq!(name_from(&scope, Some("a_B-9")), Ok("a_B-9"));
        assert_eq!(name_from(&scope, Some("arn:aws:ecs:us-east-1:000000000000:cluster/x")), Ok("x"));
        let refused = |text: &str| name_from(&scope, Some(text)).unwrap_err();
        assert_eq!(refused("a b").message, r"Cluster must match ^[a-zA-Z0-9\-_]{1,255}$, but was a b");
        assert_eq!(refused(""), refused(""));
        assert_eq!(refused("arn:aws:ecs:eu-west-1:000000000000:cluster/x"), Refusal::cluster_not_found());
        assert_eq!(
            refused("arn:aws:ecs:us-east-1:000000000000:service/x/y").message,
            "Unsupported resource type: service"
        );
    }
}
