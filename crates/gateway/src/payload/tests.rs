//! Where each member of a definition goes, and what overrides do to it.

use std::sync::Arc;

use longshore_domain::task::{LaunchType, TaskRecord};
use longshore_ecs_wire::shapes::TaskOverride;
use serde_json::{Value, json};

use super::{to_run, to_stop};
use crate::testing::{cluster, definition, key, task, task_arn};

/// The payload's task for a definition, overrides and a change of the record.
fn payload_of(contents: Value, overrides: Option<Value>, change: impl FnOnce(&mut TaskRecord)) -> Value {
    let overrides = overrides.map(|overrides| serde_json::from_value::<TaskOverride>(overrides).unwrap());
    let mut task = TaskRecord { overrides: overrides.map(Arc::new), ..task(1, 1) };
    change(&mut task);
    serde_json::to_value(to_run(&task, &cluster(1, "c"), &definition(contents))).unwrap()
}

/// The payload's first container for a container with these members.
fn container(members: Value) -> Value {
    let mut whole = json!({"name": "app", "image": "busybox"});
    whole.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    payload_of(json!({"containerDefinitions": [whole]}), None, |_| ())["containers"][0].clone()
}

#[test]
fn a_full_payload_is_as_it_was() {
    let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let contents = read(include_str!("../../tests/golden/full_payload/definition.json"));
    let overrides = read(include_str!("../../tests/golden/full_payload/overrides.json"));
    let made = payload_of(contents, Some(overrides), |task| {
        task.group = "service:front".into();
        task.enable_execute_command = true;
    });
    let golden = read(include_str!("../../tests/golden/full_payload/payload.json"));
    assert!(made == golden, "the payload is now\n{made:#}");
}

#[test]
fn every_member_of_a_container_arrives() {
    let table = [
        (json!({"image": "i"}), "/image", json!("i")),
        (json!({"cpu": 5}), "/cpu", json!(5)),
        (json!({"memory": 7}), "/memory", json!(7)),
        (json!({"essential": false}), "/essential", json!(false)),
        (json!({}), "/essential", json!(true)),
        (json!({"links": ["a:b"]}), "/links", json!(["a:b"])),
        (json!({"entryPoint": ["e"]}), "/entryPoint", json!(["e"])),
        (json!({"command": ["c"]}), "/command", json!(["c"])),
        (
            json!({"portMappings": [{"containerPort": 1, "hostPort": 2, "protocol": "udp"}]}),
            "/portMappings",
            json!([{"containerPort": 1, "hostPort": 2, "protocol": "udp"}]),
        ),
        (
            json!({"portMappings": [{"containerPortRange": "1-2"}]}),
            "/portMappings",
            json!([{"containerPortRange": "1-2"}]),
        ),
        (json!({"restartPolicy": {"enabled": true}}), "/restartPolicy", json!({"enabled": true})),
        (json!({"environment": [{"name": "A"}]}), "/environment/A", json!("")),
        (
            json!({"environmentFiles": [{"value": "v", "type": "s3"}]}),
            "/environmentFiles",
            json!([{"value": "v", "type": "s3"}]),
        ),
        (
            json!({"mountPoints": [{"sourceVolume": "v", "containerPath": "/p"}]}),
            "/mountPoints",
            json!([{"sourceVolume": "v", "containerPath": "/p"}]),
        ),
        (
            json!({"volumesFrom": [{"sourceContainer": "x", "readOnly": true}]}),
            "/volumesFrom",
            json!([{"sourceContainer": "x", "readOnly": true}]),
        ),
        (
            json!({"dependsOn": [{"containerName": "x", "condition": "START"}]}),
            "/dependsOn",
            json!([{"containerName": "x", "condition": "START"}]),
        ),
        (json!({"startTimeout": 3}), "/startTimeout", json!(3)),
        (json!({"stopTimeout": 4}), "/stopTimeout", json!(4)),
        (json!({"firelensConfiguration": {"type": "fluentd"}}), "/firelensConfiguration", json!({"type": "fluentd"})),
        (json!({"healthCheck": {"command": ["CMD", "x"]}}), "/healthCheckType", json!("docker")),
        (
            json!({"secrets": [{"name": "S", "valueFrom": "parameter"}]}),
            "/secrets/0",
            json!({"name": "S", "valueFrom": "parameter", "region": "us-east-1", "provider": "ssm",
                "type": "ENVIRONMENT_VARIABLE", "target": "CONTAINER"}),
        ),
        (
            json!({"repositoryCredentials": {"credentialsParameter": "r"}}),
            "/registryAuthentication",
            json!({"type": "asm", "asmAuthData": {"credentialsParameter": "r", "region": "us-east-1"}}),
        ),
    ];
    for (members, place, wanted) in table {
        assert_eq!(container(members.clone()).pointer(place), Some(&wanted), "{members}");
    }
}

#[test]
fn what_is_not_given_is_absent() {
    let made = container(json!({}));
    let names: Vec<_> = made.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, ["containerArn", "cpu", "dockerConfig", "environment", "essential", "image", "memory", "name"]);
    assert_eq!(container(json!({"healthCheck": {"command": ["NONE"]}})).get("healthCheckType"), None);
}

#[test]
fn every_member_of_a_definition_arrives() {
    let with = |member: &str, value: Value| {
        let mut whole = json!({"containerDefinitions": [{"name": "app", "image": "busybox"}]});
        whole[member] = value;
        payload_of(whole, None, |_| ())
    };
    let table = [
        ("cpu", json!("256"), "/cpu", json!(0.25)),
        ("memory", json!("512"), "/memory", json!(512)),
        ("pidMode", json!("host"), "/pidMode", json!("host")),
        ("ipcMode", json!("task"), "/ipcMode", json!("task")),
        ("networkMode", json!("awsvpc"), "/networkMode", json!("awsvpc")),
        ("networkMode", json!("none"), "/networkMode", json!("none")),
        ("enableFaultInjection", json!(true), "/enableFaultInjection", json!(true)),
        ("volumes", json!([{"name": "v"}]), "/volumes", json!([{"name": "v", "type": "host", "host": {}}])),
        ("volumes", json!([{"name": "v", "host": {"sourcePath": ""}}]), "/volumes/0/host", json!({})),
        (
            "volumes",
            json!([{"name": "v", "dockerVolumeConfiguration": {"scope": "task"}}]),
            "/volumes",
            json!([{"name": "v", "type": "docker", "dockerVolumeConfiguration": {"scope": "task"}}]),
        ),
        (
            "proxyConfiguration",
            json!({"containerName": "envoy"}),
            "/proxyConfiguration",
            json!({"type": "APPMESH", "containerName": "envoy"}),
        ),
    ];
    for (member, value, place, wanted) in table {
        assert_eq!(with(member, value.clone()).pointer(place), Some(&wanted), "{member} {value}");
    }
    let bare = with("cpu", Value::Null);
    assert_eq!((bare.get("cpu"), bare.get("memory")), (None, None));
    assert_eq!(bare["networkMode"], "bridge");
}

#[test]
fn what_the_record_knows_arrives() {
    let plain = || json!({"containerDefinitions": [{"name": "app", "image": "busybox"}]});
    let made = payload_of(plain(), None, |task| task.launch_type = LaunchType::Fargate);
    assert_eq!(made["arn"], task_arn(1));
    assert_eq!(made["taskClusterArn"], "arn:aws:ecs:us-east-1:000000000000:cluster/c");
    assert_eq!(
        (&made["family"], &made["version"], &made["desiredStatus"]),
        (&json!("web"), &json!("3"), &json!("RUNNING"))
    );
    assert_eq!((&made["launchType"], &made["group"]), (&json!("FARGATE"), &json!("family:web")));
    assert_eq!(made["containers"][0]["environment"], json!({"AWS_EXECUTION_ENV": "AWS_ECS_FARGATE"}));
    assert_eq!(made.get("serviceName"), None);
    let arn = made["containers"][0]["containerArn"].as_str().unwrap();
    let prefix = format!("arn:aws:ecs:us-east-1:000000000000:container/c/{}/", key(1, 1).id);
    assert_eq!(arn.strip_prefix(&prefix).map(str::len), Some(36), "{arn}");
    assert_eq!(made["containers"][0].get("runtimeId"), None);
    let made = payload_of(plain(), None, |task| task.containers[0].runtime_id = Some("abc".into()));
    assert_eq!(made["containers"][0]["runtimeId"], "abc");
    let made = payload_of(plain(), None, |task| task.enable_execute_command = true);
    assert_eq!(made["containers"][0]["managedAgents"][0]["name"], "ExecuteCommandAgent");
    assert_eq!(made["containers"][0]["environment"]["AWS_EXECUTION_ENV"], "AWS_ECS_EC2");
    let made = payload_of(plain(), None, |task| task.group = "service:s".into());
    assert_eq!(made["serviceName"], "s");
}

#[test]
fn overrides_are_merged_and_a_definition_may_say_where_it_runs() {
    let contents = json!({
        "cpu": "256", "memory": "512",
        "containerDefinitions": [
            {"name": "app", "image": "i", "command": ["a"], "cpu": 1, "memory": 100,
                "environment": [{"name": "A", "value": "1"}, {"name": "AWS_EXECUTION_ENV", "value": "mine"}]},
            {"name": "side", "image": "i", "command": ["b"]}
        ]
    });
    let overrides = json!({"memory": "1024", "containerOverrides": [{
        "name": "app", "command": ["x"], "cpu": 2, "memory": 200, "memoryReservation": 50,
        "environment": [{"name": "A", "value": "2"}, {"name": "B", "value": "3"}]
    }]});
    let made = payload_of(contents, Some(overrides.clone()), |_| ());
    assert_eq!((&made["cpu"], &made["memory"]), (&json!(0.25), &json!(1024)));
    let app = &made["containers"][0];
    assert_eq!(app["environment"], json!({"A": "2", "B": "3", "AWS_EXECUTION_ENV": "mine"}));
    assert_eq!((&app["command"], &app["cpu"], &app["memory"]), (&json!(["x"]), &json!(2), &json!(200)));
    assert_eq!(app.get("overrides"), None);
    assert!(app["dockerConfig"]["hostConfig"].as_str().unwrap().contains(r#""MemoryReservation":52428800"#));
    assert_eq!(made["containers"][1]["command"], json!(["b"]));
    let told: Value = serde_json::from_str(made["overrides"].as_str().unwrap()).unwrap();
    assert_eq!(told, overrides);
}

#[test]
fn a_stop_is_an_identity() {
    let made = serde_json::to_value(to_stop(&task(1, 1), &cluster(1, "c"))).unwrap();
    let cluster_arn = "arn:aws:ecs:us-east-1:000000000000:cluster/c";
    assert_eq!(made, json!({"arn": task_arn(1), "taskClusterArn": cluster_arn, "desiredStatus": "STOPPED"}));
}
