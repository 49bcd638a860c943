//! DescribeClusters: up to 100 clusters by name or ARN, INACTIVE ones included.
//!
//! What is not there is a failure MISSING, never an error. Without names it describes `default`.

use longshore_domain::{ErrorClass, Refusal, arn, cluster};
use longshore_ecs_wire::operations::{ClusterField, DescribeClustersRequest, DescribeClustersResponse};
use longshore_ecs_wire::shapes::Failure;
use longshore_store::State;

use super::render::{self, Parts};
use crate::{Api, Caller};

const MOST: usize = 100;

/// Describes clusters.
///
/// # Errors
/// Too many or malformed identifiers, an unknown `include`.
pub fn describe_clusters(
    api: &Api,
    caller: &Caller,
    input: &DescribeClustersRequest,
) -> Result<DescribeClustersResponse, Refusal> {
    describe(&api.view(), caller, input)
}

fn describe(
    state: &State,
    caller: &Caller,
    input: &DescribeClustersRequest,
) -> Result<DescribeClustersResponse, Refusal> {
    let DescribeClustersRequest { clusters, include } = input;
    let identifiers: Vec<&str> = clusters.iter().flatten().map(String::as_str).collect();
    let identifiers = if identifiers.is_empty() { vec![cluster::DEFAULT] } else { identifiers };
    if identifiers.len() > MOST {
        return Err(Refusal::invalid_parameter("clusterIds can have at most 100 items."));
    }
    let parts = parts(include.as_deref().unwrap_or_default())?;
    let mut seen = Vec::with_capacity(identifiers.len());
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for identifier in identifiers {
        let name = match cluster::name_from(&caller.scope, Some(identifier)) {
            Ok(name) => name,
            Err(refusal) if refusal.class == ErrorClass::ClusterNotFound => {
                failures.push(missing(identifier.to_owned()));
                continue;
            }
            Err(refusal) => return Err(refusal),
        };
        if seen.contains(&name) {
            continue;
        }
        seen.push(name);
        match state.cluster(&caller.scope, name) {
            Some(cluster) => found.push(render::cluster(&cluster, parts)),
            None => failures.push(missing(arn::cluster(&caller.scope, name))),
        }
    }
    Ok(DescribeClustersResponse { clusters: Some(found), failures: Some(failures) })
}

fn missing(arn: String) -> Failure {
    Failure { arn: Some(arn), reason: Some("MISSING".into()), detail: None }
}

fn parts(include: &[ClusterField]) -> Result<Parts, Refusal> {
    let mut parts = Parts::default();
    for field in include {
        match field {
            ClusterField::Attachments => parts.attachments = true,
            ClusterField::Configurations => parts.configurations = true,
            ClusterField::Settings => parts.settings = true,
            ClusterField::Statistics => parts.statistics = true,
            ClusterField::Tags => parts.tags = true,
            ClusterField::Unknown(_) => {
                let fields = ClusterField::VALUES.join(",");
                return Err(Refusal::invalid_parameter(format!("include should be one of [{fields}]")));
            }
        }
    }
    Ok(parts)
}
