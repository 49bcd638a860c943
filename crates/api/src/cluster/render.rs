//! A cluster as the API shows it.
//!
//! `statistics`, `tags` and `settings` are always there and empty unless they are wanted; what has no value is left
//! out. Counts come from the cluster's own tables and cost the same at any size, its container instances aside.

use longshore_domain::cluster::settings;
use longshore_domain::container_instance::ContainerInstanceStatus;
use longshore_domain::task::LaunchType;
use longshore_ecs_wire::shapes::{Cluster, KeyValuePair};
use longshore_store::ClusterState;

/// Which members beside those that are always shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Parts {
    /// `attachments`.
    pub attachments: bool,
    /// `configuration`.
    pub configurations: bool,
    /// `settings`.
    pub settings: bool,
    /// `statistics`.
    pub statistics: bool,
    /// `tags`.
    pub tags: bool,
}

impl Parts {
    /// What the answer of a write shows.
    pub const WRITTEN: Self =
        Self { attachments: false, configurations: true, settings: true, statistics: false, tags: true };
}

/// The cluster.
pub fn cluster(cluster: &ClusterState, parts: Parts) -> Cluster {
    let record = &cluster.record;
    let counts = LAUNCH_TYPES.map(|(_, launch_type)| cluster.tasks.counts(launch_type));
    let managed = cluster.tasks.counts(LaunchType::ManagedInstances);
    let all = || counts.iter().chain([&managed]);
    Cluster {
        cluster_arn: Some(record.arn()),
        cluster_name: Some(record.name.to_string()),
        configuration: record.configuration.clone().filter(|_| parts.configurations),
        status: Some(record.status.as_str().to_owned()),
        registered_container_instances_count: Some(count(registered_container_instances(cluster))),
        running_tasks_count: Some(count(all().map(|counts| counts.running).sum())),
        pending_tasks_count: Some(count(all().map(|counts| counts.pending).sum())),
        active_services_count: Some(0),
        statistics: Some(if parts.statistics { statistics(cluster) } else { Vec::new() }),
        tags: Some(if parts.tags { record.tags.clone() } else { Vec::new() }),
        settings: Some(if parts.settings { settings::effective(&record.settings) } else { Vec::new() }),
        capacity_providers: Some(record.capacity_providers.clone()),
        default_capacity_provider_strategy: Some(record.default_capacity_provider_strategy.clone()),
        attachments: parts.attachments.then(Vec::new),
        attachments_status: None,
        service_connect_defaults: record.service_connect_defaults.clone(),
    }
}

/// Launch types that have statistics, as their names spell them.
const LAUNCH_TYPES: [(&str, LaunchType); 3] =
    [("EC2", LaunchType::Ec2), ("Fargate", LaunchType::Fargate), ("External", LaunchType::External)];

/// No service exists yet, so none is counted.
fn statistics(cluster: &ClusterState) -> Vec<KeyValuePair> {
    let tasks = |name: &str, of: fn(longshore_store::task_table::TaskCounts) -> usize| {
        LAUNCH_TYPES
            .map(|(spelt, launch_type)| pair(format!("{name}{spelt}TasksCount"), of(cluster.tasks.counts(launch_type))))
    };
    let services = |name: &str| LAUNCH_TYPES.map(|(spelt, _)| pair(format!("{name}{spelt}ServiceCount"), 0));
    [
        tasks("running", |counts| counts.running),
        tasks("pending", |counts| counts.pending),
        services("active"),
        services("draining"),
    ]
    .concat()
}

fn pair(name: String, value: usize) -> KeyValuePair {
    KeyValuePair { name: Some(name), value: Some(value.to_string()) }
}

fn registered_container_instances(cluster: &ClusterState) -> usize {
    let instances = cluster.container_instances.values();
    instances.filter(|instance| instance.status != ContainerInstanceStatus::Inactive).count()
}

fn count(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
