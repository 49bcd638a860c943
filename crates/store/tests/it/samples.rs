//! Records and writes that the tests share.

use std::sync::Arc;

use longshore_domain::cluster::ClusterRecord;
use longshore_domain::container_instance::{ContainerInstanceRecord, ContainerInstanceStatus};
use longshore_domain::idempotency::ClientTokenRecord;
use longshore_domain::node::NodeRecord;
use longshore_domain::secret::SecretRecord;
use longshore_domain::task::{
    ContainerRecord, ContainerStatus, DesiredStatus, LaunchType, StopCode, TaskRecord, TaskStatus,
};
use longshore_domain::task_definition::record::{FamilyRecord, TaskDefinitionRecord, TaskDefinitionStatus};
use longshore_domain::{EcsId, Resources, Scope, Timestamp};
use longshore_ecs_wire::shapes::{
    Attribute, ContainerDefinition, Failure, NetworkBinding, Tag, TaskDefinition, TransportProtocol,
};
use longshore_store::{Kind, Record, Write};

pub fn scope() -> Scope {
    Scope::new("000000000000", "us-east-1")
}

pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1000)
}

pub fn id(byte: u8) -> EcsId {
    EcsId([byte; 16])
}

pub fn write<I>(input: I) -> Write<I> {
    Write { scope: scope(), principal: "arn:aws:iam::000000000000:root".into(), at: at(1), seed: id(9), input }
}

pub fn cluster(incarnation: u64) -> ClusterRecord {
    ClusterRecord::new(scope(), "c", incarnation, at(1))
}

/// A RUNNING task of cluster incarnation `cluster`.
pub fn task(cluster: u64, sequence: u64) -> TaskRecord {
    let mut bytes = [0; 16];
    bytes[8..].copy_from_slice(&sequence.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    TaskRecord {
        cluster,
        id: EcsId(bytes),
        sequence,
        family: "web".into(),
        revision: 3,
        group: "family:web".into(),
        started_by: Some("ci".into()),
        launch_type: LaunchType::Ec2,
        capacity_provider: None,
        node: Some(id(1)),
        container_instance: Some(id(2)),
        resources: Resources { cpu: 256, memory: 512, tcp_ports: vec![], udp_ports: vec![] },
        desired_status: DesiredStatus::Running,
        last_status: TaskStatus::Running,
        version: 3,
        created_at: at(100),
        connectivity_at: Some(at(100)),
        pull_started_at: Some(at(101)),
        pull_stopped_at: Some(at(102)),
        started_at: Some(at(103)),
        stopping_at: None,
        execution_stopped_at: None,
        stopped_at: None,
        stop_code: None,
        stopped_reason: None,
        containers: vec![ContainerRecord {
            last_status: ContainerStatus::Running,
            runtime_id: Some("abc".into()),
            image_digest: Some("sha256:0".into()),
            exit_code: None,
            reason: None,
            network_bindings: vec![NetworkBinding {
                bind_ip: Some("127.0.0.1".into()),
                container_port: Some(80),
                host_port: Some(49153),
                protocol: Some(TransportProtocol::Tcp),
                ..NetworkBinding::default()
            }],
        }],
        overrides: None,
        network_configuration: None,
        platform_version: None,
        enable_execute_command: false,
        tags: vec![Tag { key: Some("k".into()), value: Some("v".into()) }],
    }
}

/// `task`, stopped at `seconds`.
pub fn stopped(task: TaskRecord, seconds: i64) -> TaskRecord {
    TaskRecord {
        desired_status: DesiredStatus::Stopped,
        last_status: TaskStatus::Stopped,
        stopping_at: Some(at(seconds)),
        execution_stopped_at: Some(at(seconds)),
        stopped_at: Some(at(seconds)),
        stop_code: Some(StopCode::EssentialContainerExited),
        stopped_reason: Some("Essential container in task exited".into()),
        ..task
    }
}

/// One record of each kind.
pub fn record(kind: Kind) -> Record {
    match kind {
        Kind::Secret => SecretRecord { name: "page-token".into(), key: [id(1), id(2)] }.into(),
        Kind::Node => NodeRecord {
            id: id(1),
            builtin: true,
            active: true,
            capacity: Resources { cpu: 32_768, memory: 16_000, tcp_ports: vec![22], udp_ports: vec![] },
            attributes: vec![Attribute {
                name: Some("ecs.os-type".into()),
                value: Some("linux".into()),
                ..Attribute::default()
            }],
            engine_version: "DockerVersion: 20.10.24".into(),
            registered_at: at(1),
        }
        .into(),
        Kind::Family => FamilyRecord { scope: scope(), family: "web".into(), last_revision: 3 }.into(),
        Kind::TaskDefinition => definition().into(),
        Kind::Cluster => cluster(7).into(),
        Kind::ContainerInstance => ContainerInstanceRecord {
            id: id(2),
            cluster: 7,
            node: id(1),
            status: ContainerInstanceStatus::Active,
            registered_at: at(1),
            version: 1,
            builtin: true,
            attributes: vec![],
            tags: vec![],
            registered_by: "arn:aws:iam::000000000000:root".into(),
        }
        .into(),
        Kind::Task => Record::Task(Arc::new(stopped(task(7, 1), 200))),
        Kind::ClientToken => ClientTokenRecord {
            cluster: 7,
            token: "token".into(),
            digest: "00".into(),
            created_at: at(100),
            tasks: vec![id(3)],
            failures: vec![Failure { reason: Some("RESOURCE:CPU".into()), ..Failure::default() }],
        }
        .into(),
    }
}

fn definition() -> TaskDefinitionRecord {
    TaskDefinitionRecord {
        scope: scope(),
        family: "web".into(),
        revision: 3,
        status: TaskDefinitionStatus::Active,
        registered_at: at(1),
        registered_by: "arn:aws:iam::000000000000:root".into(),
        deregistered_at: None,
        delete_requested_at: None,
        definition: TaskDefinition {
            family: Some("web".into()),
            container_definitions: Some(vec![ContainerDefinition {
                name: Some("app".into()),
                image: Some("busybox:1".into()),
                memory: Some(64),
                essential: Some(true),
                ..ContainerDefinition::default()
            }]),
            ..TaskDefinition::default()
        },
        tags: vec![],
    }
}
