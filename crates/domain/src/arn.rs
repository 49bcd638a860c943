//! ARNs: how they are written, and how an identifier that a caller gives (id, name or ARN) is read.
//!
//! Always the long form, partition `aws`. Source: the ARN forms of the ECS developer guide.

use crate::id::derived_uuid;
use crate::{EcsId, Refusal, Scope};

/// `arn:aws:ecs:REGION:ACCOUNT:` — what every ECS ARN of a scope begins with.
pub fn prefix(scope: &Scope) -> String {
    ["arn:aws:ecs:", &scope.region, ":", &scope.account, ":"].concat()
}

/// A cluster's ARN.
pub fn cluster(scope: &Scope, name: &str) -> String {
    format!("{}cluster/{name}", prefix(scope))
}

/// A task's ARN.
pub fn task(scope: &Scope, cluster: &str, id: EcsId) -> String {
    format!("{}task/{cluster}/{id}", prefix(scope))
}

/// A container instance's ARN.
pub fn container_instance(scope: &Scope, cluster: &str, id: EcsId) -> String {
    format!("{}container-instance/{cluster}/{id}", prefix(scope))
}

/// A container's ARN. Its UUID follows from the task and the container's name, so nobody has to keep it.
pub fn container(scope: &Scope, cluster: &str, task: EcsId, name: &str) -> String {
    let uuid = derived_uuid(&[b"container", &task.0, name.as_bytes()]);
    format!("{}container/{cluster}/{task}/{uuid}", prefix(scope))
}

/// A task definition's ARN.
pub fn task_definition(scope: &Scope, family: &str, revision: u32) -> String {
    format!("{}task-definition/{family}:{revision}", prefix(scope))
}

/// A service's ARN.
pub fn service(scope: &Scope, cluster: &str, name: &str) -> String {
    format!("{}service/{cluster}/{name}", prefix(scope))
}

/// The parts of an ECS ARN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EcsArn<'a> {
    /// Region.
    pub region: &'a str,
    /// Account.
    pub account: &'a str,
    /// `cluster`, `task`, `service`, …
    pub resource_type: &'a str,
    /// What follows the type and its slash.
    pub resource: &'a str,
}

impl<'a> EcsArn<'a> {
    /// Reads an ARN of service `ecs`, any partition; `None` if it is not one.
    pub fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.splitn(6, ':');
        if parts.next() != Some("arn") || !parts.next()?.starts_with("aws") || parts.next() != Some("ecs") {
            return None;
        }
        let (region, account) = (parts.next()?, parts.next()?);
        let (resource_type, resource) = parts.next()?.split_once('/')?;
        (!resource.is_empty()).then_some(Self { region, account, resource_type, resource })
    }

    /// Whether it belongs to this scope.
    pub fn is_of(&self, scope: &Scope) -> bool {
        self.region == &*scope.region && self.account == &*scope.account
    }
}

/// What kind of thing an identifier inside a cluster names; decides ARN type and texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InCluster {
    /// A task, by 32 hex digits.
    Task,
    /// A container instance, by 32 hex digits.
    ContainerInstance,
    /// A service, by name.
    Service,
}

impl InCluster {
    fn resource_type(self) -> &'static str {
        match self {
            Self::Task => "task",
            Self::ContainerInstance => "container-instance",
            Self::Service => "service",
        }
    }

    fn malformed(self) -> Refusal {
        Refusal::invalid_parameter(match self {
            Self::Task => "Task Identifier is invalid",
            Self::ContainerInstance => "Container Instance Identifier is invalid",
            Self::Service => "Service Identifier is invalid",
        })
    }
}

/// The id or name in `identifier`, which is that alone or a full ARN of `cluster`.
///
/// # Errors
/// `Invalid identifier: Identifier is for cluster X. Your cluster is Y` for another cluster's ARN,
/// `<Thing> Identifier is invalid` for anything malformed or of another scope.
pub fn inside_cluster<'a>(
    kind: InCluster,
    scope: &Scope,
    cluster: &str,
    identifier: &'a str,
) -> Result<&'a str, Refusal> {
    if !identifier.starts_with("arn:") {
        return Ok(identifier);
    }
    let arn = EcsArn::parse(identifier).ok_or_else(|| kind.malformed())?;
    if arn.resource_type != kind.resource_type() {
        return Err(kind.malformed());
    }
    let of_cluster = match arn.resource.split_once('/') {
        Some((of_cluster, id)) if !id.contains('/') && !id.is_empty() => (of_cluster, id),
        Some(_) => return Err(Refusal::invalid_parameter("Invalid identifier: Unexpected number of separators")),
        None => return Ok(arn.resource),
    };
    if of_cluster.0 != cluster {
        return Err(Refusal::invalid_parameter(format!(
            "Invalid identifier: Identifier is for cluster {}. Your cluster is {cluster}",
            of_cluster.0
        )));
    }
    if !arn.is_of(scope) {
        return Err(kind.malformed());
    }
    Ok(of_cluster.1)
}

/// The 32-digit id in `identifier`, which is an id alone or a full ARN of `cluster`.
///
/// # Errors
/// As [`inside_cluster`]; also for an id that is not 32 lower hex digits.
pub fn id_inside_cluster(kind: InCluster, scope: &Scope, cluster: &str, identifier: &str) -> Result<EcsId, Refusal> {
    inside_cluster(kind, scope, cluster, identifier)?.parse().map_err(|_| kind.malformed())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0123456789abcdef0123456789abcdef";

    fn scope() -> Scope {
        Scope::new("000000000000", "us-east-1")
    }

    #[test]
    fn an_id_and_its_arn_name_the_same_task() {
        let id: EcsId = ID.parse().unwrap();
        let arn = task(&scope(), "c", id);
        for identifier in [ID, &arn] {
            assert_eq!(id_inside_cluster(InCluster::Task, &scope(), "c", identifier), Ok(id));
        }
    }

    #[test]
    fn wrong_identifiers_get_amazons_texts() {
        let text =
            |identifier: &str| id_inside_cluster(InCluster::Task, &scope(), "default", identifier).unwrap_err().message;
        let other = task(&scope(), "x", ID.parse().unwrap());
        assert_eq!(text(&other), "Invalid identifier: Identifier is for cluster x. Your cluster is default");
        assert_eq!(text("nonsense"), "Task Identifier is invalid");
        assert_eq!(text("arn:aws:ecs:us-east-1:000000000000:service/default/a"), "Task Identifier is invalid");
        assert_eq!(
            text(&format!("arn:aws:ecs:eu-west-1:000000000000:task/default/{ID}")),
            "Task Identifier is invalid"
        );
        assert_eq!(
            text(&format!("arn:aws:ecs:us-east-1:000000000000:task/default/{ID}/x")),
            "Invalid identifier: Unexpected number of separators"
        );
    }

    #[test]
    fn only_ecs_arns_are_read() {
        assert!(EcsArn::parse("arn:aws:s3:::bucket").is_none());
        assert!(EcsArn::parse("arn:aws:ecs:r:a:cluster/").is_none());
        assert_eq!(EcsArn::parse("arn:aws-cn:ecs:r:a:cluster/x").map(|arn| arn.resource), Some("x"));
    }
}
