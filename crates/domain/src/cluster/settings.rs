//! Cluster settings: what may be set, and what holds where nothing was.
//!
//! ECS knows one setting, `containerInsights`, with the values `enhanced`, `enabled` and `disabled`.

use longshore_ecs_wire::shapes::{ClusterSetting, ClusterSettingName};

use crate::Refusal;

const CONTAINER_INSIGHTS: &[&str] = &["enhanced", "enabled", "disabled"];

/// Checks the settings a caller gives.
///
/// # Errors
/// InvalidParameterException `Invalid setting 'value'`, and the same for a name.
pub fn validate(given: &[ClusterSetting]) -> Result<(), Refusal> {
    for ClusterSetting { name, value } in given {
        if !name.as_ref().is_some_and(ClusterSettingName::is_known) {
            return Err(Refusal::invalid_parameter("Invalid setting 'name'"));
        }
        if !value.as_deref().is_some_and(|value| CONTAINER_INSIGHTS.contains(&value)) {
            return Err(Refusal::invalid_parameter("Invalid setting 'value'"));
        }
    }
    Ok(())
}

/// Every setting with the value that holds: the one that was set, else the default.
pub fn effective(stored: &[ClusterSetting]) -> Vec<ClusterSetting> {
    merge(&[setting("disabled")], stored)
}

/// The settings after an update: those of `given` over those of `stored`. Of a name given twice the last one counts.
pub fn merge(stored: &[ClusterSetting], given: &[ClusterSetting]) -> Vec<ClusterSetting> {
    let mut merged = stored.to_vec();
    for setting in given {
        match merged.iter_mut().find(|one| one.name == setting.name) {
            Some(one) => one.value.clone_from(&setting.value),
            None => merged.push(setting.clone()),
        }
    }
    merged
}

fn setting(value: &str) -> ClusterSetting {
    ClusterSetting { name: Some(ClusterSettingName::ContainerInsights), value: Some(value.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn legal_values() {
        for value in ["enhanced", "enabled", "disabled"] {
            assert_eq!(validate(&[setting(value)]), Ok(()));
        }
        assert_eq!(validate(&[]), Ok(()));
    }

    #[test]
    fn other_values_and_names_are_refused() {
        let invalid = |text: &str| Err(Refusal::invalid_parameter(text));
        for value in ["enhaced", "", "ENABLED"] {
            assert_eq!(validate(&[setting(value)]), invalid("Invalid setting 'value'"));
        }
        let name = Some(ClusterSettingName::from("insights"));
        assert_eq!(
            validate(&[ClusterSetting { name, value: Some("enabled".into()) }]),
            invalid("Invalid setting 'name'")
        );
        assert_eq!(
            validate(&[ClusterSetting { name: None, value: Some("enabled".into()) }]),
            invalid("Invalid setting 'name'")
        );
        let unset = ClusterSetting { value: None, ..setting("") };
        assert_eq!(validate(&[unset]), invalid("Invalid setting 'value'"));
    }

    #[test]
    fn what_was_not_set_has_its_default() {
        assert_eq!(effective(&[]), [setting("disabled")]);
        assert_eq!(effective(&[setting("enhanced")]), [setting("enhanced")]);
        assert_eq!(merge(&[setting("enabled")], &[]), [setting("enabled")]);
        assert_eq!(merge(&[], &[setting("enabled"), setting("disabled")]), [setting("disabled")]);
    }
}
