//! On which kinds of capacity a definition can run, whether it asks for them or not.
//!
//! Amazon checks a definition against every launch type when it is registered and returns those it passed; RunTask
//! refuses the others. MANAGED_INSTANCES is returned only where it was asked for.

use longshore_ecs_wire::shapes::{Compatibility, ResourceType, TaskDefinition};

use super::draft::{Draft, items};
use super::validate::fargate;

/// The definition's `compatibilities`, in the order of real answers: EXTERNAL, EC2, FARGATE.
pub fn compatibilities(definition: &TaskDefinition) -> Vec<Compatibility> {
    let draft = Draft::from(definition);
    let asked = |one: &Compatibility| draft.requires_compatibilities.contains(one);
    let mut compatible = Vec::new();
    if is_external(&draft) {
        compatible.push(Compatibility::External);
    }
    if draft.ephemeral_storage.is_none() {
        compatible.push(Compatibility::Ec2);
    }
    if fargate::check_task(&draft).and_then(|()| fargate::check_members(&draft)).is_ok() {
        compatible.push(Compatibility::Fargate);
    }
    if asked(&Compatibility::ManagedInstances) {
        compatible.push(Compatibility::ManagedInstances);
    }
    compatible
}

/// No network interface, no AWS file system, no accelerator, no storage of Fargate.
fn is_external(draft: &Draft<'_>) -> bool {
    let aws_volume = draft.volumes.iter().any(|volume| {
        volume.efs_volume_configuration.is_some()
            || volume.s3files_volume_configuration.is_some()
            || volume.fsx_windows_file_server_volume_configuration.is_some()
            || volume.configured_at_launch == Some(true)
    });
    let accelerator = draft
        .containers
        .iter()
        .flat_map(|container| items(&container.resource_requirements))
        .any(|requirement| requirement.r#type != Some(ResourceType::Gpu));
    draft.mode() != "awsvpc"
        && !aws_volume
        && !accelerator
        && draft.proxy_configuration.is_none()
        && draft.ephemeral_storage.is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn of(definition: Value) -> Vec<String> {
        let definition: TaskDefinition = serde_json::from_value(definition).unwrap();
        compatibilities(&definition).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn each_capacity_has_its_own_demands() {
        let awsvpc = |cpu: &str, container: Value| json!({"networkMode": "awsvpc", "cpu": cpu, "memory": "512", "containerDefinitions": [container]});
        let efs = json!([{"name": "v", "efsVolumeConfiguration": {"fileSystemId": "fs-1"}}]);
        for (definition, expected) in [
            (json!({}), vec!["EXTERNAL", "EC2"]),
            (json!({"networkMode": "host"}), vec!["EXTERNAL", "EC2"]),
            (json!({"networkMode": "none"}), vec!["EXTERNAL", "EC2"]),
            (json!({"networkMode": "awsvpc"}), vec!["EC2"]),
            (awsvpc("256", json!({})), vec!["EC2", "FARGATE"]),
            (awsvpc("300", json!({})), vec!["EC2"]),
            (awsvpc("256", json!({"privileged": true})), vec!["EC2"]),
            (awsvpc("256", json!({"stopTimeout": 121})), vec!["EC2"]),
            (json!({"volumes": efs}), vec!["EC2"]),
            (json!({"requiresCompatibilities": ["MANAGED_INSTANCES"]}), vec!["EXTERNAL", "EC2", "MANAGED_INSTANCES"]),
            (
                json!({
                    "networkMode": "awsvpc",
                    "cpu": "256",
                    "memory": "512",
                    "requiresCompatibilities": ["FARGATE"],
                    "ephemeralStorage": {"sizeInGiB": 21},
                }),
                vec!["FARGATE"],
            ),
        ] {
            assert_eq!(of(definition.clone()), expected, "{definition}");
        }
    }
}
