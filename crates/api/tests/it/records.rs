//! Records as tests need them.

use std::sync::Arc;

use longshore_domain::container_instance::{ContainerInstanceRecord, ContainerInstanceStatus};
use longshore_domain::node::NodeRecord;
use longshore_domain::task::{DesiredStatus, LaunchType, TaskRecord, TaskStatus};
use longshore_domain::{EcsId, Resources, Timestamp};
use longshore_ecs_wire::shapes::Attribute;

use crate::harness::id;

/// An attribute.
pub fn attribute(name: &str, value: Option<&str>) -> Attribute {
    Attribute { name: Some(name.to_owned()), value: value.map(str::to_owned), ..Attribute::default() }
}

/// A machine of two cores with port 22 kept for itself.
pub fn node(number: u64) -> NodeRecord {
    NodeRecord {
        id: id(number),
        builtin: true,
        active: true,
        capacity: Resources { cpu: 2048, memory: 3955, tcp_ports: vec![22], udp_ports: vec![] },
        attributes: vec![attribute("ecs.os-type", Some("linux"))],
        engine_version: "DockerVersion: 26.1.5".to_owned(),
        registered_at: Timestamp::from_millis(1_700_000_000_000),
    }
}

/// An ACTIVE instance of a cluster.
pub fn container_instance(cluster: u64, number: u64, node: EcsId) -> ContainerInstanceRecord {
    ContainerInstanceRecord {
        id: id(number),
        cluster,
        node,
        status: ContainerInstanceStatus::Active,
        registered_at: Timestamp::from_millis(1_700_000_000_000),
        version: 1,
        builtin: true,
        attributes: vec![attribute("stack", Some("prod"))],
        tags: vec![],
        registered_by: "arn:aws:iam::000000000000:root".into(),
    }
}

/// A task of a cluster; desired RUNNING unless it is STOPPED.
pub fn task(cluster: u64, sequence: u64, launch_type: LaunchType, last_status: TaskStatus) -> TaskRecord {
    let is_stopped = last_status == TaskStatus::Stopped;
    TaskRecord {
        cluster,
        id: id(1000 + sequence),
        sequence,
        family: "web".into(),
        revision: 1,
        group: Arc::from("family:web"),
        started_by: None,
        launch_type,
        capacity_provider: None,
        node: None,
        container_instance: None,
        resources: Resources { cpu: 100, memory: 200, tcp_ports: vec![80], udp_ports: vec![] },
        desired_status: if is_stopped { DesiredStatus::Stopped } else { DesiredStatus::Running },
        last_status,
        version: 1,
        created_at: Timestamp::from_millis(1_700_000_000_000),
        connectivity_at: None,
        pull_started_at: None,
        pull_stopped_at: None,
        started_at: None,
        stopping_at: None,
        execution_stopped_at: None,
        stopped_at: is_stopped.then_some(Timestamp::from_millis(1_700_000_000_000)),
        stop_code: None,
        stopped_reason: None,
        containers: vec![],
        overrides: None,
        network_configuration: None,
        platform_version: None,
        enable_execute_command: false,
        tags: vec![],
    }
}
