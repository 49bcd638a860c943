//! A fleet's records, as a server would have stored them.
//!
//! Definitions are those of a web application; every task has one container with a port, the engine's id and the digest
//! of its image; every tenth has overrides and tags of its own.

use std::sync::Arc;

use longshore_domain::container_instance::{ContainerInstanceRecord, ContainerInstanceStatus};
use longshore_domain::node::NodeRecord;
use longshore_domain::task::{
    ContainerRecord, ContainerStatus, DesiredStatus, LaunchType, StopCode, TaskRecord, TaskStatus,
};
use longshore_domain::task_definition::record::{FamilyRecord, TaskDefinitionRecord, TaskDefinitionStatus};
use longshore_domain::{EcsId, Resources, Scope, Timestamp};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::fleet::{self, Fleet, Traits};
use super::server::ACCOUNT;
use super::signer::REGION;

/// Revision of every definition.
const REVISION: u32 = 3;

/// When everything happened, in Unix milliseconds: 2026-01-01. Always the same, so that fleets are.
pub const MOMENT: Timestamp = Timestamp::from_millis(1_767_225_600_000);

/// The scope of all records.
pub fn scope() -> Scope {
    Scope::new(ACCOUNT, REGION)
}

/// Who made everything.
pub fn principal() -> Arc<str> {
    format!("arn:aws:iam::{ACCOUNT}:root").into()
}

/// Family and definition.
pub fn definition(index: u64) -> (FamilyRecord, TaskDefinitionRecord) {
    let family: Arc<str> = fleet::family(index).into();
    let container = json!({
        "name": "app", "image": format!("registry.example.com/web/{family}:1.{index}"), "cpu": 256, "memory": 512,
        "essential": true, "portMappings": [{ "containerPort": 8080, "hostPort": 0, "protocol": "tcp" }],
        "environment": [{ "name": "STAGE", "value": "production" }], "mountPoints": [], "volumesFrom": [],
    });
    let contents = json!({
        "family": &*family, "networkMode": "bridge", "requiresCompatibilities": ["EC2"], "volumes": [],
        "placementConstraints": [], "containerDefinitions": [container],
    });
    let record = TaskDefinitionRecord {
        scope: scope(),
        family: Arc::clone(&family),
        revision: REVISION,
        status: TaskDefinitionStatus::Active,
        registered_at: MOMENT,
        registered_by: principal(),
        deregistered_at: None,
        delete_requested_at: None,
        definition: shape(contents),
        tags: vec![],
    };
    (FamilyRecord { scope: scope(), family, last_revision: REVISION }, record)
}

/// A node.
pub fn node(index: u64) -> NodeRecord {
    NodeRecord {
        id: fleet::node_id(index),
        builtin: false,
        active: true,
        capacity: Resources { cpu: 1 << 20, memory: 1 << 20, tcp_ports: vec![22], udp_ports: vec![] },
        attributes: vec![],
        engine_version: "DockerVersion: 20.10.24".into(),
        registered_at: MOMENT,
    }
}

/// The container instance that a node is.
pub fn instance(cluster: u64, index: u64) -> ContainerInstanceRecord {
    ContainerInstanceRecord {
        id: fleet::instance_id(index),
        cluster,
        node: fleet::node_id(index),
        status: ContainerInstanceStatus::Active,
        registered_at: MOMENT,
        version: 1,
        builtin: false,
        attributes: vec![],
        tags: vec![],
        registered_by: principal(),
    }
}

/// The node of tasks that are on no instance: another server's own one.
pub fn fargate_node() -> NodeRecord {
    let capacity = Resources { cpu: 1 << 40, memory: 1 << 40, tcp_ports: vec![22], udp_ports: vec![] };
    NodeRecord { builtin: true, active: false, capacity, ..node(u64::from(u32::MAX)) }
}

/// The task at an index.
pub fn task(fleet: &Fleet, cluster: u64, index: u64) -> TaskRecord {
    let Traits { family, service, daemon, starter, instance, stopped } = fleet.traits(index);
    let group = match (service, daemon) {
        (Some(service), _) => format!("service:{}", fleet::service(service)),
        (_, Some(daemon)) => format!("daemon:{}", fleet::daemon(daemon)),
        _ => format!("family:{}", fleet::family(family)),
    };
    let on_ec2 = instance.is_some();
    let at = MOMENT.plus_millis(i64::try_from(index).unwrap_or_default());
    let after = |millis: i64| Some(at.plus_millis(millis));
    let ended = |millis: i64| stopped.then(|| at.plus_millis(millis));
    let special = index.is_multiple_of(10);
    TaskRecord {
        cluster,
        id: fleet::task_id(index),
        sequence: index + 1,
        family: fleet::family(family).into(),
        revision: REVISION,
        group: group.into(),
        started_by: Some(fleet::starter(starter).into()),
        launch_type: if on_ec2 { LaunchType::Ec2 } else { LaunchType::Fargate },
        capacity_provider: None,
        node: Some(instance.map_or_else(|| fargate_node().id, fleet::node_id)),
        container_instance: instance.map(fleet::instance_id),
        resources: Resources { cpu: 256, memory: 512, tcp_ports: vec![], udp_ports: vec![] },
        desired_status: if stopped { DesiredStatus::Stopped } else { DesiredStatus::Running },
        last_status: if stopped { TaskStatus::Stopped } else { TaskStatus::Running },
        version: if stopped { 5 } else { 3 },
        created_at: at,
        connectivity_at: after(41),
        pull_started_at: after(230),
        pull_stopped_at: after(1_734),
        started_at: after(2_121),
        stopping_at: ended(91_000),
        execution_stopped_at: ended(91_400),
        stopped_at: ended(91_700),
        stop_code: stopped.then_some(StopCode::EssentialContainerExited),
        stopped_reason: stopped.then(|| "Essential container in task exited".into()),
        containers: vec![container(index, family, stopped)],
        overrides: special.then(|| Arc::new(shape(overrides(index)))),
        network_configuration: None,
        platform_version: (!on_ec2).then(|| "1.4.0".into()),
        enable_execute_command: false,
        tags: if special { shape(tags(index)) } else { vec![] },
    }
}

/// The task as it is when it stopped at some time.
pub fn stopped(task: &TaskRecord, at: Timestamp) -> TaskRecord {
    let mut containers = task.containers.clone();
    for container in &mut containers {
        container.last_status = ContainerStatus::Stopped;
        container.exit_code = Some(0);
    }
    TaskRecord {
        desired_status: DesiredStatus::Stopped,
        last_status: TaskStatus::Stopped,
        version: task.version + 2,
        stopping_at: Some(at),
        execution_stopped_at: Some(at),
        stopped_at: Some(at),
        stop_code: Some(StopCode::EssentialContainerExited),
        stopped_reason: Some("Essential container in task exited".into()),
        containers,
        ..task.clone()
    }
}

fn container(index: u64, family: u64, stopped: bool) -> ContainerRecord {
    let [id, image] = [1 << 42 | index, 1 << 43 | family].map(fleet::scattered_id);
    let host_port = 49_153 + index % 16_000;
    ContainerRecord {
        last_status: if stopped { ContainerStatus::Stopped } else { ContainerStatus::Running },
        runtime_id: Some(hex_of_32_bytes(id, index).into()),
        image_digest: Some(format!("sha256:{}", hex_of_32_bytes(image, family)).into()),
        exit_code: stopped.then_some(0),
        reason: None,
        network_bindings: shape(
            json!([{ "bindIP": "0.0.0.0", "containerPort": 8080, "hostPort": host_port, "protocol": "tcp" }]),
        ),
    }
}

fn overrides(index: u64) -> Value {
    let environment = json!([{ "name": "SHARD", "value": (index / 10).to_string() }]);
    json!({ "containerOverrides": [{ "name": "app", "command": ["serve", "--shard"], "environment": environment }] })
}

fn tags(index: u64) -> Value {
    json!([{ "key": "team", "value": format!("team-{}", index % 37) }, { "key": "cost-center", "value": "4711" }])
}

fn hex_of_32_bytes(first: EcsId, number: u64) -> String {
    format!("{first}{}", fleet::scattered_id(!number))
}

fn shape<T: DeserializeOwned>(contents: Value) -> T {
    serde_json::from_value(contents).expect("every value above is of the shape it is used as")
}
