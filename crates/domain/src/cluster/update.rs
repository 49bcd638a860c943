//! UpdateCluster and UpdateClusterSettings: a cluster's record after what a caller gives.
//!
//! Settings are merged by name; `configuration` and `serviceConnectDefaults` are replaced as a whole. An empty
//! namespace takes the Service Connect defaults away.

use longshore_ecs_wire::shapes::{
    ClusterConfiguration, ClusterServiceConnectDefaults, ClusterServiceConnectDefaultsRequest, ClusterSetting,
};

use super::{ClusterRecord, configuration, settings};
use crate::Refusal;

/// What a caller gives; absent members change nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Update {
    /// `settings`.
    pub settings: Option<Vec<ClusterSetting>>,
    /// `configuration`.
    pub configuration: Option<ClusterConfiguration>,
    /// `serviceConnectDefaults`.
    pub service_connect_defaults: Option<ClusterServiceConnectDefaultsRequest>,
}

impl Update {
    /// Checks what was given.
    ///
    /// # Errors
    /// The first member that is wrong.
    pub fn validate(&self) -> Result<(), Refusal> {
        settings::validate(self.settings.as_deref().unwrap_or_default())?;
        self.configuration.as_ref().map_or(Ok(()), configuration::validate)
    }

    /// The record afterwards.
    pub fn apply(self, record: &ClusterRecord) -> ClusterRecord {
        let mut updated = record.clone();
        if let Some(given) = self.settings {
            updated.settings = settings::merge(&settings::effective(&record.settings), &given);
        }
        if self.configuration.is_some() {
            updated.configuration = self.configuration;
        }
        if let Some(ClusterServiceConnectDefaultsRequest { namespace }) = self.service_connect_defaults {
            updated.service_connect_defaults = namespace
                .filter(|namespace| !namespace.is_empty())
                .map(|namespace| ClusterServiceConnectDefaults { namespace: Some(namespace) });
        }
        updated
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Scope, Timestamp};
    use longshore_ecs_wire::shapes::ClusterSettingName;

    fn namespace(name: &str) -> Update {
        let given = ClusterServiceConnectDefaultsRequest { namespace: Some(name.into()) };
        Update { service_connect_defaults: Some(given), ..Update::default() }
    }

    #[test]
    fn only_what_is_given_changes() {
        let record = ClusterRecord::new(Scope::new("a", "r"), "c", 1, Timestamp::from_millis(0));
        assert_eq!(Update::default().apply(&record), record);
        let setting =
            ClusterSetting { name: Some(ClusterSettingName::ContainerInsights), value: Some("enhanced".into()) };
        let settings = Update { settings: Some(vec![setting.clone()]), ..Update::default() };
        let record = settings.apply(&record);
        assert_eq!(record.settings, [setting]);
        let configured =
            Update { configuration: Some(ClusterConfiguration::default()), ..Update::default() }.apply(&record);
        assert_eq!(
            configured,
            ClusterRecord { configuration: Some(ClusterConfiguration::default()), ..record.clone() }
        );
        let named = namespace("n").apply(&record);
        assert_eq!(named.service_connect_defaults.as_ref().unwrap().namespace.as_deref(), Some("n"));
        assert_eq!(namespace("").apply(&named), record);
    }

    #[test]
    fn wrong_settings_are_refused() {
        let setting = ClusterSetting { name: Some(ClusterSettingName::ContainerInsights), value: Some("on".into()) };
        let update = Update { settings: Some(vec![setting]), ..Update::default() };
        assert_eq!(update.validate(), Err(Refusal::invalid_parameter("Invalid setting 'value'")));
        assert_eq!(namespace("").validate(), Ok(()));
    }
}
