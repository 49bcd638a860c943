//! Enumerations: known values are variants, all others survive word for word.

use longshore_ecs_wire::operations::DesiredStatus;
use longshore_ecs_wire::shapes::{CPUArchitecture, HealthStatus, LaunchType};
use proptest::prelude::*;

#[test]
fn known_values_are_variants() {
    assert_eq!(DesiredStatus::VALUES, ["RUNNING", "PENDING", "STOPPED"]);
    for (variant, value) in DesiredStatus::ALL_KNOWN.iter().zip(DesiredStatus::VALUES) {
        assert_eq!(variant.as_str(), *value);
        assert_eq!(DesiredStatus::from(*value), *variant);
        assert_eq!(variant.to_string(), *value);
        assert!(variant.is_known());
    }
    assert_eq!(CPUArchitecture::from("ARM64"), CPUArchitecture::Arm64);
}

#[test]
fn the_value_unknown_is_no_unknown_value() {
    assert_eq!(HealthStatus::from("UNKNOWN"), HealthStatus::UnknownValue);
    assert_eq!(HealthStatus::UnknownValue.as_str(), "UNKNOWN");
    assert_eq!(HealthStatus::from("Unknown"), HealthStatus::Unknown("Unknown".into()));
}

#[test]
fn only_strings_are_read() {
    for wrong in ["1", "true", "{}", "[\"EC2\"]"] {
        assert!(serde_json::from_str::<LaunchType>(wrong).is_err(), "{wrong}");
    }
}

proptest! {
    #[test]
    fn any_string_survives_a_round_trip(value in ".*") {
        let wire = serde_json::to_string(&value).unwrap();
        let read: LaunchType = serde_json::from_str(&wire).unwrap();
        prop_assert_eq!(read.as_str(), value.as_str());
        prop_assert_eq!(read.is_known(), LaunchType::VALUES.contains(&value.as_str()));
        prop_assert_eq!(serde_json::to_string(&read).unwrap(), wire);
    }
}
