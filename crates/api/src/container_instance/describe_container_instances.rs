//! DescribeContainerInstances: up to 100 instances of one cluster.
//!
//! What is not there is a failure MISSING, never an error; an identifier of another cluster or a malformed one refuses
//! the whole call.

use longshore_domain::arn::{self, InCluster};
use longshore_domain::{EcsId, Refusal};
use longshore_ecs_wire::operations::{
    ContainerInstanceField, DescribeContainerInstancesRequest, DescribeContainerInstancesResponse,
};
use longshore_ecs_wire::shapes::Failure;
use longshore_store::State;

use super::render::{self, Parts};
use crate::{Api, Caller, Connections, resolve};

const MOST: usize = 100;

/// Describes container instances.
///
/// # Errors
/// None or too many identifiers, a bad one, an unknown `include`, the cluster.
pub fn describe_container_instances(
    api: &Api,
    caller: &Caller,
    input: &DescribeContainerInstancesRequest,
) -> Result<DescribeContainerInstancesResponse, Refusal> {
    describe(&api.view(), api.connections(), caller, input)
}

fn describe(
    state: &State,
    connections: &Connections,
    caller: &Caller,
    input: &DescribeContainerInstancesRequest,
) -> Result<DescribeContainerInstancesResponse, Refusal> {
    let DescribeContainerInstancesRequest { cluster, container_instances, include } = input;
    let identifiers = container_instances.as_deref().unwrap_or_default();
    if identifiers.is_empty() {
        return Err(Refusal::invalid_parameter("Container instances cannot be empty."));
    }
    if identifiers.len() > MOST {
        return Err(Refusal::invalid_parameter("instanceIds can have at most 100 items."));
    }
    let parts = parts(include.as_deref().unwrap_or_default())?;
    let cluster = resolve::active_cluster(state, &caller.scope, cluster.as_deref())?;
    let name = &*cluster.record.name;
    let mut ids: Vec<EcsId> = Vec::with_capacity(identifiers.len());
    for identifier in identifiers {
        let id = arn::id_inside_cluster(InCluster::ContainerInstance, &caller.scope, name, identifier)?;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for id in ids {
        match cluster.container_instances.get(&id) {
            Some(instance) => found.push(render::container_instance(state, &cluster, instance, connections, parts)),
            None => failures.push(Failure {
                arn: Some(arn::container_instance(&caller.scope, name, id)),
                reason: Some("MISSING".into()),
                detail: None,
            }),
        }
    }
    Ok(DescribeContainerInstancesResponse { container_instances: Some(found), failures: Some(failures) })
}

fn parts(include: &[ContainerInstanceField]) -> Result<Parts, Refusal> {
    let mut parts = Parts::default();
    for field in include {
        match field {
            ContainerInstanceField::Tags => parts.tags = true,
            ContainerInstanceField::ContainerInstanceHealth => parts.health = true,
            ContainerInstanceField::Unknown(_) => {
                let fields = ContainerInstanceField::VALUES.join(",");
                return Err(Refusal::invalid_parameter(format!("include should be one of [{fields}]")));
            }
        }
    }
    Ok(parts)
}
