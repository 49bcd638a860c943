//! A task as RunTask accepts it.

use std::sync::Arc;

use longshore_domain::cluster::ClusterRecord;
use longshore_domain::task::tags::of_new_task;
use longshore_domain::task::{ContainerRecord, DesiredStatus, LaunchType, TaskRecord, TaskStatus, run};
use longshore_domain::task_definition::record::TaskDefinitionRecord;
use longshore_domain::{EcsId, Refusal, Resources, Timestamp};
use longshore_ecs_wire::operations::RunTaskRequest;
use longshore_ecs_wire::shapes::{NetworkMode, PropagateTags};

use super::capacity::Capacity;
use super::place::Place;

/// What a task is made of.
#[derive(Debug)]
pub struct NewTask<'a> {
    /// Its cluster; the task takes the next sequence number.
    pub cluster: &'a ClusterRecord,
    /// The request that asks for it.
    pub request: &'a RunTaskRequest,
    /// Its definition.
    pub definition: &'a TaskDefinitionRecord,
    /// What it runs on.
    pub capacity: &'a Capacity,
    /// Where it runs.
    pub place: Place,
    /// What it takes there.
    pub resources: &'a Resources,
}

impl NewTask<'_> {
    /// The record: PROVISIONING where a network or FARGATE capacity is to be prepared, else PENDING.
    ///
    /// # Errors
    /// A platform version that does not exist.
    pub fn record(&self, id: EcsId, now: Timestamp) -> Result<TaskRecord, Refusal> {
        let Self { cluster, request, definition, capacity, place, resources } = self;
        let awsvpc = definition.definition.network_mode == Some(NetworkMode::Awsvpc);
        let prepared = capacity.launch_type == LaunchType::Fargate || awsvpc;
        let propagated =
            if request.propagate_tags == Some(PropagateTags::TaskDefinition) { &definition.tags[..] } else { &[] };
        let managed = request.enable_ecs_managed_tags.unwrap_or(false).then_some(&*cluster.name);
        let group = request.group.as_deref().filter(|group| !group.is_empty());
        Ok(TaskRecord {
            cluster: cluster.incarnation,
            id,
            sequence: cluster.next_sequence,
            family: Arc::clone(&definition.family),
            revision: definition.revision,
            group: group.map_or_else(|| format!("family:{}", definition.family).into(), Into::into),
            started_by: request.started_by.as_deref().filter(|text| !text.is_empty()).map(Into::into),
            launch_type: capacity.launch_type,
            capacity_provider: capacity.provider.clone(),
            node: Some(place.node),
            container_instance: place.container_instance,
            resources: Resources::clone(resources),
            desired_status: DesiredStatus::Running,
            last_status: if prepared { TaskStatus::Provisioning } else { TaskStatus::Pending },
            version: 1,
            created_at: now,
            connectivity_at: (!prepared).then_some(now),
            pull_started_at: None,
            pull_stopped_at: None,
            started_at: None,
            stopping_at: None,
            execution_stopped_at: None,
            stopped_at: None,
            stop_code: None,
            stopped_reason: None,
            containers: vec![ContainerRecord::default(); definition.container_names().len()],
            overrides: request.overrides.clone().map(Arc::new),
            network_configuration: request.network_configuration.clone().map(Arc::new),
            platform_version: run::platform_version(request, capacity.launch_type)?.map(Into::into),
            enable_execute_command: false,
            tags: of_new_task(request.tags.as_deref().unwrap_or_default(), propagated, managed),
        })
    }
}
