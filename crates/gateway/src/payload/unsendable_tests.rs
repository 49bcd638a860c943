//! Each member that no payload carries is refused by name.

use std::sync::Arc;

use longshore_domain::task::TaskRecord;
use serde_json::{Value, json};

use super::unsendable;
use crate::testing::{definition, task};

/// Why a task of this definition is not sent to a machine of architecture arm64.
fn reason(mut contents: Value, overrides: Value) -> Option<String> {
    if contents.get("containerDefinitions").is_none() {
        contents["containerDefinitions"] = json!([{"name": "app", "image": "i"}]);
    }
    let task = TaskRecord { overrides: Some(Arc::new(serde_json::from_value(overrides).unwrap())), ..task(1, 1) };
    unsendable::reason(&task, &definition(contents).definition, Some("arm64"))
}

fn not_supported(what: &str) -> Option<String> {
    let (field, place) =
        what.split_once(" (").map_or((what, String::new()), |(field, place)| (field, format!(" ({place}")));
    Some(format!("this server does not support {field} yet{place}"))
}

#[test]
fn members_of_the_definition() {
    let table = [
        (json!({"taskRoleArn": "arn:aws:iam::000000000000:role/r"}), "taskRoleArn"),
        (json!({"trustedExecutionConfiguration": {}}), "trustedExecutionConfiguration"),
        (json!({"inferenceAccelerators": [{"deviceName": "d"}]}), "inferenceAccelerators"),
        (json!({"volumes": [{"name": "v", "configuredAtLaunch": true}]}), "configuredAtLaunch (volume 'v')"),
        (
            json!({"volumes": [{"name": "w"}, {"name": "v", "fsxWindowsFileServerVolumeConfiguration": {}}]}),
            "fsxWindowsFileServerVolumeConfiguration (volume 'v')",
        ),
        (
            json!({"volumes": [{"name": "v", "s3filesVolumeConfiguration": {}}]}),
            "s3filesVolumeConfiguration (volume 'v')",
        ),
        (
            json!({"containerDefinitions": [{"name": "ok"}, {"name": "app", "credentialSpecs": ["x"]}]}),
            "credentialSpecs (container 'app')",
        ),
        (
            json!({"containerDefinitions": [{"name": "app", "resourceRequirements": [{"type": "GPU", "value": "1"}]}]}),
            "resourceRequirements (container 'app')",
        ),
        (
            json!({"runtimePlatform": {"operatingSystemFamily": "WINDOWS_SERVER_2022_CORE"}}),
            "runtimePlatform.operatingSystemFamily WINDOWS_SERVER_2022_CORE",
        ),
    ];
    for (contents, what) in table {
        assert_eq!(reason(contents.clone(), json!({})), not_supported(what), "{contents}");
    }
}

#[test]
fn members_of_overrides() {
    let gpu = json!([{"name": "app", "resourceRequirements": [{"type": "GPU", "value": "1"}]}]);
    let table = [
        (json!({"taskRoleArn": "arn"}), "taskRoleArn"),
        (json!({"inferenceAcceleratorOverrides": [{}]}), "inferenceAcceleratorOverrides"),
        (json!({"containerOverrides": gpu}), "resourceRequirements (container 'app')"),
    ];
    for (overrides, what) in table {
        assert_eq!(reason(json!({}), overrides.clone()), not_supported(what), "{overrides}");
    }
}

#[test]
fn another_architecture() {
    let contents = || json!({"runtimePlatform": {"cpuArchitecture": "X86_64"}});
    let differs = "runtimePlatform.cpuArchitecture is X86_64, but the node's is arm64";
    assert_eq!(reason(contents(), json!({})).as_deref(), Some(differs));
    let definition = definition(contents()).definition;
    assert_eq!(unsendable::reason(&task(1, 1), &definition, Some("x86_64")), None);
    assert_eq!(unsendable::reason(&task(1, 1), &definition, None), None);
}

#[test]
fn everything_else_is_sent() {
    let table = [
        json!({}),
        json!({"runtimePlatform": {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"}}),
        json!({"executionRoleArn": "arn:aws:iam::000000000000:role/r", "taskRoleArn": ""}),
        json!({"ephemeralStorage": {"sizeInGiB": 30}}),
        json!({"volumes": [{"name": "v", "configuredAtLaunch": false}]}),
        json!({"containerDefinitions": [{"name": "app", "credentialSpecs": [], "resourceRequirements": []}]}),
    ];
    for contents in table {
        assert_eq!(reason(contents.clone(), json!({})), None, "{contents}");
    }
}
