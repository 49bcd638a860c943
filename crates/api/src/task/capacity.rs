//! What each task of a request is to run on: launch type and capacity provider.

use std::sync::Arc;

use longshore_domain::Refusal;
use longshore_domain::cluster::capacity_providers;
use longshore_domain::task::{LaunchType, capacity};
use longshore_ecs_wire::operations::RunTaskRequest;
use longshore_store::ClusterState;

/// What one task runs on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capacity {
    /// Launch type.
    pub launch_type: LaunchType,
    /// The capacity provider that a strategy chose.
    pub provider: Option<Arc<str>>,
}

/// The capacity of each of `count` tasks: the launch type or strategy that is asked for, else the cluster's default
/// strategy, else EC2.
///
/// # Errors
/// A strategy that the cluster does not allow, or that gives no task a provider.
pub fn of_each(
    cluster: &ClusterState,
    request: &RunTaskRequest,
    count: usize,
    asked: Option<LaunchType>,
) -> Result<Vec<Capacity>, Refusal> {
    let given = request.capacity_provider_strategy.as_deref().unwrap_or_default();
    let strategy = if given.is_empty() { &cluster.record.default_capacity_provider_strategy } else { given };
    if asked.is_some() || strategy.is_empty() {
        let launch_type = asked.unwrap_or(LaunchType::Ec2);
        return Ok(vec![Capacity { launch_type, provider: None }; count]);
    }
    capacity_providers::validate_strategy(strategy, &cluster.record.capacity_providers)?;
    let names = capacity::spread(strategy, count);
    if names.len() < count {
        return Err(Refusal::invalid_parameter(
            "The specified capacity provider strategy must have at least one capacity provider with a weight greater than 0.",
        ));
    }
    // Until capacity providers of one's own come, every provider is FARGATE or FARGATE_SPOT.
    let fargate = |name: &str| Capacity { launch_type: LaunchType::Fargate, provider: Some(name.into()) };
    Ok(names.into_iter().map(fargate).collect())
}
