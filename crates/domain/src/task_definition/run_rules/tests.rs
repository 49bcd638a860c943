//! RunTask's rules on a definition, and what overrides make of it.

use longshore_ecs_wire::shapes::{
    ContainerDefinition, ContainerOverride, KeyValuePair, LaunchType, NetworkConfiguration, TaskDefinition,
    TaskOverride,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::{Refusal, Resources};

fn definition(members: Value) -> TaskDefinition {
    serde_json::from_value(members).unwrap()
}

fn overrides(members: Value) -> TaskOverride {
    serde_json::from_value(members).unwrap()
}

fn of_app(members: Value) -> TaskOverride {
    let mut given = members;
    given["name"] = json!("app");
    overrides(json!({"containerOverrides": [given]}))
}

fn parameter(text: &str) -> Result<(), Refusal> {
    Err(Refusal::invalid_parameter(text))
}

#[test]
fn network_configuration_belongs_to_awsvpc() {
    let missing = "Network Configuration must be provided when networkMode 'awsvpc' is specified.";
    let misplaced = "Network Configuration is not valid for the given networkMode of this task definition.";
    let awsvpc = |subnets: usize, groups: usize| json!({"awsvpcConfiguration": {"subnets": vec!["subnet-1"; subnets], "securityGroups": vec!["sg-1"; groups]}});
    for (mode, configuration, expected) in [
        ("awsvpc", Value::Null, parameter(missing)),
        ("awsvpc", json!({}), parameter(missing)),
        ("awsvpc", json!({"awsvpcConfiguration": {}}), parameter("subnets can not be empty.")),
        ("awsvpc", awsvpc(0, 0), parameter("subnets can not be empty.")),
        ("awsvpc", awsvpc(1, 0), Ok(())),
        ("awsvpc", awsvpc(16, 5), Ok(())),
        ("awsvpc", awsvpc(17, 0), parameter("subnets can have at most 16 items.")),
        ("awsvpc", awsvpc(1, 6), parameter("securityGroups can have at most 5 items.")),
        ("bridge", awsvpc(1, 0), parameter(misplaced)),
        ("host", awsvpc(1, 0), parameter(misplaced)),
        ("none", awsvpc(0, 0), parameter(misplaced)),
        ("bridge", json!({}), Ok(())),
        ("bridge", Value::Null, Ok(())),
    ] {
        let given: Option<NetworkConfiguration> = serde_json::from_value(configuration.clone()).unwrap();
        let verdict = check_network_configuration(&definition(json!({"networkMode": mode})), given.as_ref());
        assert_eq!(verdict, expected, "{mode} {configuration}");
    }
    assert_eq!(check_network_configuration(&definition(json!({})), None), Ok(()), "no mode is bridge");
}

#[test]
fn launch_types_need_compatible_definitions() {
    let bridge = definition(json!({}));
    let fargate = definition(json!({"networkMode": "awsvpc", "cpu": "256", "memory": "512"}));
    let unsupported = |name: &str| parameter(&format!("Task definition does not support launch_type {name}."));
    for (definition, launch_type, expected) in [
        (&bridge, LaunchType::Ec2, Ok(())),
        (&bridge, LaunchType::External, Ok(())),
        (&bridge, LaunchType::Fargate, unsupported("FARGATE")),
        (&bridge, LaunchType::ManagedInstances, unsupported("MANAGED_INSTANCES")),
        (&bridge, LaunchType::Unknown("x".to_owned()), unsupported("x")),
        (&fargate, LaunchType::Fargate, Ok(())),
        (&fargate, LaunchType::Ec2, Ok(())),
        (&fargate, LaunchType::External, unsupported("EXTERNAL")),
    ] {
        assert_eq!(check_launch_type(definition, &launch_type), expected, "{launch_type}");
    }
}

#[test]
fn fargate_sizes_count_with_their_overrides() {
    let fargate = definition(json!({"cpu": "256", "memory": "512"}));
    let check = |given: Value| check_fargate_size(&fargate, Some(&overrides(given)));
    assert_eq!(check_fargate_size(&fargate, None), Ok(()));
    assert_eq!(check(json!({"memory": "1 GB"})), Ok(()));
    assert_eq!(check(json!({"cpu": "1 vCPU", "memory": "2048"})), Ok(()));
    assert_eq!(
        check(json!({"cpu": "1024"})),
        Err(Refusal::client(
            "No Fargate configuration exists for given values: 1024 CPU, 512 memory. See the Amazon ECS \
             documentation for the valid values."
        ))
    );
}

fn app_and_sidecar() -> TaskDefinition {
    definition(json!({
        "memory": "512",
        "cpu": "256",
        "containerDefinitions": [
            {"name": "app", "image": "i", "cpu": 100, "memory": 256, "memoryReservation": 128},
            {"name": "sidecar", "image": "i", "cpu": 100},
        ],
    }))
}

#[test]
fn overrides_that_cannot_be() {
    let size = |setting: &str| {
        format!(
            "Invalid '{setting}' setting for task. For more information, see the Troubleshooting section of the \
             Amazon ECS Developer Guide."
        )
    };
    let files: Value = (0..11).map(|_| json!({"value": "arn:aws:s3:::b/f.env", "type": "s3"})).collect();
    for (mark, given, text) in [
        (
            "seen",
            overrides(json!({"containerOverrides": [{"name": "web"}]})),
            "Override for container named web is not a container in the TaskDefinition.",
        ),
        (
            "inferred",
            overrides(json!({"containerOverrides": [{}]})),
            "Override for container named null is not a container in the TaskDefinition.",
        ),
        ("seen", of_app(json!({"memory": 513})), "'memory' setting for container 'app' is greater than for task."),
        (
            "inferred",
            overrides(json!({"memory": "255"})),
            "'memory' setting for container 'app' is greater than for task.",
        ),
        ("inferred", overrides(json!({"cpu": "x"})), &size("cpu")),
        ("inferred", overrides(json!({"memory": ""})), &size("memory")),
        ("inferred", overrides(json!({"taskRoleArn": ""})), "Role is not valid"),
        ("inferred", overrides(json!({"executionRoleArn": "arn:x"})), "Role is not valid"),
        (
            "inferred",
            overrides(json!({"ephemeralStorage": {"sizeInGiB": 20}})),
            "EphemeralStorage size should be at least 21",
        ),
        ("inferred", of_app(json!({"memory": 3})), "Invalid 'memory' setting for container 'app'."),
        ("inferred", of_app(json!({"cpu": -1})), "Invalid 'cpu' setting for container 'app'."),
        (
            "inferred",
            of_app(json!({"memoryReservation": 257})),
            "Invalid setting for container 'app'. 'memory' must be greater than or equal to 'memoryReservation'.",
        ),
        (
            "inferred",
            of_app(json!({"cpu": 157})),
            "The sum of all container 'cpu' values cannot be greater than the value of the task 'cpu'.",
        ),
        (
            "inferred",
            of_app(json!({"environment": [{"value": "v"}]})),
            "Environment variable name cannot be null or blank.",
        ),
        (
            "inferred",
            of_app(json!({"environmentFiles": files})),
            "The maximum number of environment files was exceeded. Specify ten or less and try again.",
        ),
    ] {
        assert_eq!(check_overrides(&app_and_sidecar(), &given), parameter(text), "{mark}");
    }
    for given in [
        TaskOverride::default(),
        of_app(json!({"cpu": 156, "memory": 512, "memoryReservation": 512})),
        overrides(json!({"cpu": "1 vCPU", "memory": "1 GB", "taskRoleArn": "role"})),
    ] {
        assert_eq!(check_overrides(&app_and_sidecar(), &given), Ok(()));
    }
}

#[test]
fn overrides_have_a_length() {
    let with_length = |length: usize| {
        let bare = serde_json::to_string(&of_app(json!({"command": [""]}))).unwrap().chars().count();
        of_app(json!({"command": ["é".repeat(length - bare)]}))
    };
    let check = |length: usize| check_overrides(&app_and_sidecar(), &with_length(length));
    assert_eq!(check(8192), Ok(()), "characters, not bytes");
    assert_eq!(check(8193), parameter("Container Overrides length must be at most 8192"));
}

#[test]
fn environment_is_merged_and_the_rest_replaced() {
    let defined: ContainerDefinition = serde_json::from_value(json!({
        "name": "app",
        "image": "i",
        "command": ["a", "b"],
        "environment": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
        "environmentFiles": [{"value": "f", "type": "s3"}],
        "cpu": 1,
        "memory": 2,
        "memoryReservation": 3,
        "resourceRequirements": [{"type": "GPU", "value": "1"}],
    }))
    .unwrap();
    let given: ContainerOverride = serde_json::from_value(json!({
        "name": "app",
        "command": ["c"],
        "environment": [{"name": "C", "value": "3"}, {"name": "A", "value": "4"}],
        "environmentFiles": [{"value": "g", "type": "s3"}],
        "cpu": 10,
        "memory": 20,
        "memoryReservation": 30,
        "resourceRequirements": [{"type": "GPU", "value": "2"}],
    }))
    .unwrap();
    assert_eq!(
        serde_json::to_value(effective_container(&defined, &given)).unwrap(),
        json!({
            "name": "app",
            "image": "i",
            "command": ["c"],
            "environment": [{"name": "A", "value": "4"}, {"name": "B", "value": "2"}, {"name": "C", "value": "3"}],
            "environmentFiles": [{"value": "g", "type": "s3"}],
            "cpu": 10,
            "memory": 20,
            "memoryReservation": 30,
            "resourceRequirements": [{"type": "GPU", "value": "2"}],
        })
    );
    let empty = ContainerOverride { command: Some(vec![]), environment: Some(vec![]), ..ContainerOverride::default() };
    assert_eq!(effective_container(&defined, &empty), defined);
}

#[test]
fn every_container_is_recorded_in_the_definitions_order() {
    let given = overrides(json!({
        "cpu": "512",
        "containerOverrides": [{"name": "sidecar", "cpu": 1}, {"name": "sidecar", "cpu": 2}],
    }));
    assert_eq!(
        serde_json::to_value(recorded_override(&app_and_sidecar(), Some(&given))).unwrap(),
        json!({
            "cpu": "512",
            "containerOverrides": [{"name": "app"}, {"name": "sidecar", "cpu": 2}],
            "inferenceAcceleratorOverrides": [],
        })
    );
    assert_eq!(
        serde_json::to_value(recorded_override(&app_and_sidecar(), None)).unwrap(),
        json!({"containerOverrides": [{"name": "app"}, {"name": "sidecar"}], "inferenceAcceleratorOverrides": []})
    );
}

#[test]
fn resources_are_the_tasks_or_the_containers_sum() {
    let sizes = |definition: &TaskDefinition, given: Option<&TaskOverride>| {
        let resources = required_resources(definition, given);
        (resources.cpu, resources.memory)
    };
    let containers = json!([
        {"name": "app", "cpu": 100, "memory": 256, "memoryReservation": 128},
        {"name": "b", "cpu": 20, "memory": 64},
        {"name": "c"},
    ]);
    let summed = definition(json!({"containerDefinitions": containers}));
    assert_eq!(sizes(&summed, None), (120, 192));
    assert_eq!(sizes(&summed, Some(&of_app(json!({"cpu": 1, "memoryReservation": 200})))), (21, 264));
    assert_eq!(sizes(&summed, Some(&overrides(json!({"cpu": "1 vCPU", "memory": "2GB"})))), (1024, 2048));
    assert_eq!(sizes(&app_and_sidecar(), None), (256, 512));
    assert_eq!(sizes(&app_and_sidecar(), Some(&of_app(json!({"memory": 300})))), (256, 512));
    assert_eq!(sizes(&app_and_sidecar(), Some(&overrides(json!({"memory": "1024"})))), (256, 1024));
}

#[test]
fn fixed_host_ports_depend_on_the_mode() {
    let ports = |mode: &str| {
        let mappings = json!([
            {"containerPort": 80, "hostPort": 8080, "protocol": "tcp"},
            {"containerPort": 81, "hostPort": 0, "protocol": "tcp"},
            {"containerPort": 82, "protocol": "sctp"},
            {"containerPort": 53, "hostPort": 53, "protocol": "udp"},
            {"containerPortRange": "90-99", "protocol": "tcp"},
        ]);
        let Resources { tcp_ports, udp_ports, .. } = required_resources(
            &definition(json!({"networkMode": mode, "containerDefinitions": [{"portMappings": mappings}]})),
            None,
        );
        (tcp_ports, udp_ports)
    };
    assert_eq!(ports("bridge"), (vec![8080], vec![53]));
    assert_eq!(ports("host"), (vec![80, 81, 82], vec![53]));
    assert_eq!(ports("awsvpc"), (vec![], vec![]));
    assert_eq!(ports("none"), (vec![], vec![]));
}

fn environment() -> impl Strategy<Value = Vec<KeyValuePair>> {
    let pair = ("[A-E]", "[0-9]").prop_map(|(name, value)| KeyValuePair { name: Some(name), value: Some(value) });
    prop::collection::vec(pair, 0..6)
}

/// What a container sees of its variables: the last of a name counts.
fn seen(environment: Option<&Vec<KeyValuePair>>) -> std::collections::BTreeMap<Option<String>, Option<String>> {
    environment.into_iter().flatten().map(|pair| (pair.name.clone(), pair.value.clone())).collect()
}

proptest! {
    #[test]
    fn overriding_lays_one_environment_over_the_other(
        defined in environment(),
        given in environment(),
        command in prop::option::of(prop::collection::vec("[a-z]", 0..3)),
        memory in prop::option::of(4..100_i32),
    ) {
        let container = ContainerDefinition {
            name: Some("app".to_owned()),
            command: Some(vec!["defined".to_owned()]),
            environment: Some(defined.clone()),
            memory: Some(1),
            ..ContainerDefinition::default()
        };
        let over = ContainerOverride {
            command: command.clone(),
            environment: Some(given.clone()),
            memory,
            ..ContainerOverride::default()
        };
        let once = effective_container(&container, &over);
        let mut expected = seen(Some(&defined));
        expected.extend(seen(Some(&given)));
        prop_assert_eq!(seen(once.environment.as_ref()), expected);
        prop_assert_eq!(once.memory, memory.or(Some(1)));
        prop_assert_eq!(&once.name, &container.name);
        let command = command.filter(|command| !command.is_empty());
        prop_assert_eq!(&once.command, &command.or(container.command));
        prop_assert_eq!(&effective_container(&once, &over), &once, "overriding twice is overriding once");
    }
}
