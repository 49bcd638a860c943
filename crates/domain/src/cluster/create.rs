//! CreateCluster: what it asks for, whether an ACTIVE cluster of that name already is it, and the record it makes.
//!
//! The operation is idempotent by name. A member that is not given is no wish: a repeat with fewer members returns the
//! cluster as it is.

use longshore_ecs_wire::operations::CreateClusterRequest;
use longshore_ecs_wire::shapes::{
    CapacityProviderStrategyItem, ClusterConfiguration, ClusterServiceConnectDefaults, ClusterSetting, Tag,
};

use super::{ClusterRecord, DEFAULT, capacity_providers, configuration, settings, validate_name};
use crate::tags::validate_tags;
use crate::{Refusal, Scope, Timestamp};

/// What a caller asks for, checked and normalised.
#[derive(Debug, Clone, PartialEq)]
pub struct Creation {
    /// Name; `default` if none was given.
    pub name: String,
    tags: Option<Vec<Tag>>,
    settings: Option<Vec<ClusterSetting>>,
    configuration: Option<ClusterConfiguration>,
    capacity_providers: Option<Vec<String>>,
    default_capacity_provider_strategy: Option<Vec<CapacityProviderStrategyItem>>,
    service_connect_defaults: Option<ClusterServiceConnectDefaults>,
}

impl Creation {
    /// Reads a request.
    ///
    /// # Errors
    /// The first member that is wrong, in the order of the model.
    pub fn new(request: &CreateClusterRequest) -> Result<Self, Refusal> {
        let CreateClusterRequest {
            cluster_name,
            tags,
            settings,
            configuration,
            capacity_providers,
            default_capacity_provider_strategy,
            service_connect_defaults,
        } = request;
        let name = cluster_name.as_deref().unwrap_or(DEFAULT);
        validate_name(name)?;
        validate_tags(tags.as_deref().unwrap_or_default())?;
        let given_settings = settings.as_deref().unwrap_or_default();
        settings::validate(given_settings)?;
        configuration.as_ref().map_or(Ok(()), configuration::validate)?;
        let providers = capacity_providers.as_deref().unwrap_or_default();
        capacity_providers::validate_providers(providers)?;
        let strategy = default_capacity_provider_strategy.as_deref().unwrap_or_default();
        capacity_providers::validate_strategy(strategy, providers)?;
        Ok(Self {
            name: name.to_owned(),
            tags: tags.clone(),
            settings: settings.as_ref().map(|_| settings::effective(given_settings)),
            configuration: configuration.clone(),
            capacity_providers: capacity_providers.clone(),
            default_capacity_provider_strategy: default_capacity_provider_strategy
                .clone()
                .map(capacity_providers::normal_strategy),
            service_connect_defaults: service_connect_defaults
                .as_ref()
                .map(|given| ClusterServiceConnectDefaults { namespace: given.namespace.clone() }),
        })
    }

    /// Whether everything that is asked for is so in an ACTIVE cluster of that name.
    ///
    /// # Errors
    /// InvalidParameterException for a repeat with other arguments.
    pub fn check_repeat(&self, existing: &ClusterRecord) -> Result<(), Refusal> {
        let same = is_wished(&self.tags, sorted_tags(&existing.tags), |tags| sorted_tags(tags))
            && is_wished(&self.settings, settings::effective(&existing.settings), Clone::clone)
            && is_wished(&self.configuration, existing.configuration.clone(), |wish| Some(wish.clone()))
            && is_wished(&self.capacity_providers, sorted(&existing.capacity_providers), |wish| sorted(wish))
            && is_wished(
                &self.default_capacity_provider_strategy,
                existing.default_capacity_provider_strategy.clone(),
                Clone::clone,
            )
            && is_wished(&self.service_connect_defaults, existing.service_connect_defaults.clone(), |wish| {
                Some(wish.clone())
            });
        if same {
            Ok(())
        } else {
            Err(Refusal::invalid_parameter(
                "Arguments on this idempotent request are inconsistent with arguments used in previous request(s).",
            ))
        }
    }

    /// The new cluster. `next_sequence` goes on where an earlier cluster of that name ended; 1 if there was none.
    pub fn record(self, scope: Scope, incarnation: u64, now: Timestamp, next_sequence: u64) -> ClusterRecord {
        let settings = self.settings.unwrap_or_else(|| settings::effective(&[]));
        ClusterRecord {
            next_sequence,
            settings,
            configuration: self.configuration,
            service_connect_defaults: self.service_connect_defaults,
            capacity_providers: self.capacity_providers.unwrap_or_default(),
            default_capacity_provider_strategy: self.default_capacity_provider_strategy.unwrap_or_default(),
            tags: self.tags.unwrap_or_default(),
            ..ClusterRecord::new(scope, self.name, incarnation, now)
        }
    }
}

/// Whether a wish, if there is one, is what holds.
fn is_wished<W, T: PartialEq>(wish: &Option<W>, holds: T, as_held: impl FnOnce(&W) -> T) -> bool {
    wish.as_ref().is_none_or(|wish| as_held(wish) == holds)
}

fn sorted(names: &[String]) -> Vec<String> {
    let mut names = names.to_vec();
    names.sort();
    names
}

fn sorted_tags(tags: &[Tag]) -> Vec<Tag> {
    let mut tags = tags.to_vec();
    tags.sort_by(|left, right| left.key.cmp(&right.key));
    tags
}

#[cfg(test)]
mod tests {
    use super::*;
    use longshore_ecs_wire::shapes::{
        ClusterServiceConnectDefaultsRequest, ClusterSettingName, ManagedStorageConfiguration,
    };

    fn tag(key: &str) -> Tag {
        Tag { key: Some(key.into()), value: Some("v".into()) }
    }

    fn full() -> CreateClusterRequest {
        let item =
            |name: &str| CapacityProviderStrategyItem { capacity_provider: Some(name.into()), ..Default::default() };
        CreateClusterRequest {
            cluster_name: Some("c".into()),
            tags: Some(vec![tag("a"), tag("b")]),
            settings: Some(vec![ClusterSetting {
                name: Some(ClusterSettingName::ContainerInsights),
                value: Some("enabled".into()),
            }]),
            configuration: Some(ClusterConfiguration {
                managed_storage_configuration: Some(ManagedStorageConfiguration {
                    kms_key_id: Some("key".into()),
                    ..Default::default()
                }),
                ..Default::default()
            }),
            capacity_providers: Some(vec!["FARGATE".into(), "FARGATE_SPOT".into()]),
            default_capacity_provider_strategy: Some(vec![item("FARGATE_SPOT")]),
            service_connect_defaults: Some(ClusterServiceConnectDefaultsRequest { namespace: Some("n".into()) }),
        }
    }

    fn record(request: &CreateClusterRequest) -> ClusterRecord {
        let scope = Scope::new("000000000000", "us-east-1");
        Creation::new(request).unwrap().record(scope, 7, Timestamp::from_millis(1), 3)
    }

    #[test]
    fn every_member_is_kept() {
        let made = record(&full());
        assert_eq!((made.incarnation, made.next_sequence, &*made.name), (7, 3, "c"));
        assert_eq!(made.tags, [tag("a"), tag("b")]);
        assert_eq!(made.settings, full().settings.unwrap());
        assert_eq!(made.configuration, full().configuration);
        assert_eq!(made.capacity_providers, ["FARGATE", "FARGATE_SPOT"]);
        assert_eq!(made.default_capacity_provider_strategy[0].weight, Some(0));
        assert_eq!(made.service_connect_defaults.unwrap().namespace.as_deref(), Some("n"));
        let bare = record(&CreateClusterRequest::default());
        assert_eq!(&*bare.name, "default");
        assert_eq!(bare.settings[0].value.as_deref(), Some("disabled"));
    }

    #[test]
    fn a_repeat_is_one_that_wishes_nothing_else() {
        let existing = record(&full());
        let check = |request: &CreateClusterRequest| Creation::new(request).unwrap().check_repeat(&existing);
        assert_eq!(check(&full()), Ok(()));
        assert_eq!(check(&CreateClusterRequest { cluster_name: Some("c".into()), ..Default::default() }), Ok(()));
        assert_eq!(check(&CreateClusterRequest { tags: Some(vec![tag("b"), tag("a")]), ..full() }), Ok(()));
        let turned = Some(vec!["FARGATE_SPOT".into(), "FARGATE".into()]);
        assert_eq!(check(&CreateClusterRequest { capacity_providers: turned, ..full() }), Ok(()));

        let disabled =
            ClusterSetting { name: Some(ClusterSettingName::ContainerInsights), value: Some("disabled".into()) };
        let namespace = ClusterServiceConnectDefaultsRequest { namespace: Some("other".into()) };
        for other in [
            CreateClusterRequest { tags: Some(vec![tag("a")]), ..full() },
            CreateClusterRequest { settings: Some(vec![disabled]), ..full() },
            CreateClusterRequest { configuration: Some(ClusterConfiguration::default()), ..full() },
            CreateClusterRequest {
                capacity_providers: Some(vec!["FARGATE".into()]),
                default_capacity_provider_strategy: None,
                ..full()
            },
            CreateClusterRequest { default_capacity_provider_strategy: Some(vec![]), ..full() },
            CreateClusterRequest { service_connect_defaults: Some(namespace), ..full() },
        ] {
            assert_eq!(
                check(&other).unwrap_err().message,
                "Arguments on this idempotent request are inconsistent with arguments used in previous request(s).",
                "{other:?}"
            );
        }
    }

    #[test]
    fn the_first_wrong_member_is_named() {
        let bad_tag = vec![tag("aws:x")];
        let request = CreateClusterRequest { cluster_name: Some("a b".into()), tags: Some(bad_tag), ..full() };
        assert!(Creation::new(&request).unwrap_err().message.starts_with("Cluster must match"));
        let request = CreateClusterRequest { cluster_name: None, ..request };
        assert_eq!(Creation::new(&request).unwrap_err().message, "Tag key must not start with aws:");
    }
}
