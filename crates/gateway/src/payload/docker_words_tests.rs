//! What travels in Docker's own words.

use longshore_ecs_wire::agent::{ContainerConfig, HostConfig};
use serde_json::{Value, json};

use super::to_run;
use crate::testing::{cluster, definition, key, task};

/// `config` and `hostConfig` of a container with these members, in a definition with those.
fn words_of(container: Value, definition_members: Value) -> (Value, Value) {
    let mut contents = json!({"containerDefinitions": [{"name": "app", "image": "busybox"}]});
    contents.as_object_mut().unwrap().extend(definition_members.as_object().unwrap().clone());
    contents["containerDefinitions"][0].as_object_mut().unwrap().extend(container.as_object().unwrap().clone());
    let made = to_run(&task(1, 1), &cluster(1, "c"), &definition(contents));
    let words = made.containers[0].docker_config.clone().unwrap();
    assert_eq!(words.version.as_deref(), Some("1.24"));
    let read = |text: Option<String>| serde_json::from_str(&text.unwrap()).unwrap();
    (read(words.config), read(words.host_config))
}

fn words(container: Value) -> (Value, Value) {
    words_of(container, json!({}))
}

#[test]
fn nothing_said_is_the_network_mode_alone() {
    assert_eq!(words(json!({})), (json!({}), json!({"NetworkMode": "bridge"})));
    for mode in ["bridge", "host", "none"] {
        assert_eq!(words_of(json!({}), json!({"networkMode": mode})).1, json!({"NetworkMode": mode}));
    }
    assert_eq!(words_of(json!({}), json!({"networkMode": "awsvpc"})).1, json!({}));
}

#[test]
fn the_container_configuration() {
    let table = [
        (json!({"user": "1"}), json!({"User": "1"})),
        (json!({"workingDirectory": "/w"}), json!({"WorkingDir": "/w"})),
        (json!({"dockerLabels": {"a": "b"}}), json!({"Labels": {"a": "b"}})),
        (json!({"hostname": "h"}), json!({"Hostname": "h"})),
        (json!({"pseudoTerminal": true}), json!({"Tty": true})),
        (json!({"interactive": true}), json!({"OpenStdin": true})),
        (json!({"disableNetworking": true}), json!({"NetworkDisabled": true})),
        (
            json!({"healthCheck": {"command": ["CMD", "x"], "interval": 30, "timeout": 5, "retries": 3, "startPeriod": 1}}),
            json!({"Healthcheck": {"Test": ["CMD", "x"], "Interval": 30_000_000_000i64, "Timeout": 5_000_000_000i64,
                "StartPeriod": 1_000_000_000, "Retries": 3}}),
        ),
    ];
    for (members, wanted) in table {
        assert_eq!(words(members).0, wanted);
    }
}

#[test]
fn the_host_configuration() {
    let table = [
        (json!({"memoryReservation": 3}), "MemoryReservation", json!(3 << 20)),
        (json!({"privileged": true}), "Privileged", json!(true)),
        (json!({"readonlyRootFilesystem": true}), "ReadonlyRootfs", json!(true)),
        (json!({"dnsServers": ["1"]}), "Dns", json!(["1"])),
        (json!({"dnsSearchDomains": ["d"]}), "DnsSearch", json!(["d"])),
        (json!({"extraHosts": [{"hostname": "h", "ipAddress": "1"}]}), "ExtraHosts", json!(["h:1"])),
        (json!({"dockerSecurityOptions": ["s"]}), "SecurityOpt", json!(["s"])),
        (
            json!({"ulimits": [{"name": "core", "softLimit": -1, "hardLimit": 2}]}),
            "Ulimits",
            json!([{"Name": "core", "Soft": -1, "Hard": 2}]),
        ),
        (json!({"systemControls": [{"namespace": "n", "value": "v"}]}), "Sysctls", json!({"n": "v"})),
        (json!({"logConfiguration": {"logDriver": "syslog"}}), "LogConfig", json!({"Type": "syslog"})),
        (json!({"linuxParameters": {"capabilities": {"add": ["A"]}}}), "CapAdd", json!(["A"])),
        (json!({"linuxParameters": {"capabilities": {"drop": ["D"]}}}), "CapDrop", json!(["D"])),
        (json!({"linuxParameters": {"initProcessEnabled": true}}), "Init", json!(true)),
        (json!({"linuxParameters": {"sharedMemorySize": 2}}), "ShmSize", json!(2 << 20)),
        (
            json!({"linuxParameters": {"tmpfs": [{"containerPath": "/t", "size": 5}]}}),
            "Tmpfs",
            json!({"/t": "size=5m"}),
        ),
        (
            json!({"linuxParameters": {"devices": [{"hostPath": "/dev/x"}]}}),
            "Devices",
            json!([{"PathOnHost": "/dev/x", "PathInContainer": "/dev/x", "CgroupPermissions": "rwm"}]),
        ),
    ];
    for (members, name, wanted) in table {
        assert_eq!(words(members.clone()).1, json!({"NetworkMode": "bridge", name: wanted}), "{members}");
    }
}

#[test]
fn swap_is_counted_as_docker_counts() {
    let swap = |container: Value, members: Value| {
        let (_, host) = words_of(container, members);
        (host.get("MemorySwap").and_then(Value::as_i64), host.get("MemorySwappiness").and_then(Value::as_i64))
    };
    let linux = json!({"maxSwap": 10, "swappiness": 0});
    assert_eq!(swap(json!({"memory": 5, "linuxParameters": linux}), json!({})), (Some(15 << 20), Some(0)));
    assert_eq!(swap(json!({"linuxParameters": linux}), json!({"memory": "100"})), (Some(110 << 20), Some(0)));
    assert_eq!(swap(json!({"linuxParameters": {"swappiness": 5}}), json!({})), (None, None));
}

#[test]
fn logs_of_awslogs_get_their_stream() {
    let log = json!({"logDriver": "awslogs", "options": {"awslogs-group": "g", "awslogs-stream-prefix": "p"}});
    let stream = format!("p/app/{}", key(1, 1).id);
    let (_, host) = words(json!({"logConfiguration": log}));
    assert_eq!(
        host["LogConfig"],
        json!({"Type": "awslogs", "Config": {"awslogs-group": "g", "awslogs-stream": stream}})
    );
    let strategy = |members: Value| {
        let mut contents = json!({"containerDefinitions": [{"name": "app", "logConfiguration": log}]});
        contents.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        to_run(&task(1, 1), &cluster(1, "c"), &definition(contents)).containers[0].logs_auth_strategy.clone()
    };
    assert_eq!(strategy(json!({})), None);
    assert_eq!(strategy(json!({"executionRoleArn": "arn"})).as_deref(), Some("ExecutionRole"));
}

#[test]
fn our_own_node_can_read_the_strings() {
    let text = include_str!("../../tests/golden/full_payload/payload.json");
    let golden: Value = serde_json::from_str(text).unwrap();
    for container in golden["containers"].as_array().unwrap() {
        let words = |name: &str| container["dockerConfig"][name].as_str().unwrap();
        serde_json::from_str::<ContainerConfig>(words("config")).unwrap();
        serde_json::from_str::<HostConfig>(words("hostConfig")).unwrap();
    }
}
