//! Tags of resources that exist.

use longshore_api::cluster::{create_cluster::create_cluster, delete_cluster::delete_cluster};
use longshore_api::tag::{
    list_tags_for_resource::list_tags_for_resource, tag_resource::tag_resource, untag_resource::untag_resource,
};
use longshore_api::task_definition::register_task_definition::register_task_definition;
use longshore_domain::container_instance::ContainerInstanceStatus;
use longshore_domain::task::{LaunchType, TaskRecord, TaskStatus};
use longshore_domain::{Refusal, arn};
use longshore_ecs_wire::operations::{
    CreateClusterRequest, DeleteClusterRequest, ListTagsForResourceRequest, RegisterTaskDefinitionRequest,
    TagResourceRequest, UntagResourceRequest,
};
use longshore_ecs_wire::shapes::{ContainerDefinition, Tag};

use crate::harness::{World, id, refused, world};
use crate::records::{container_instance, node, task};

const PREFIX: &str = "arn:aws:ecs:us-east-1:000000000000:";

fn tag(key: &str, value: &str) -> Tag {
    Tag { key: Some(key.to_owned()), value: Some(value.to_owned()) }
}

impl World {
    async fn tag(&self, arn: &str, tags: Vec<Tag>) -> Result<(), Refusal> {
        let request = TagResourceRequest { resource_arn: Some(arn.to_owned()), tags: Some(tags) };
        tag_resource(&self.api, &self.caller, request).await.map(drop)
    }

    async fn untag(&self, arn: &str, keys: &[&str]) -> Result<(), Refusal> {
        let tag_keys = Some(keys.iter().map(|key| (*key).to_owned()).collect());
        let request = UntagResourceRequest { resource_arn: Some(arn.to_owned()), tag_keys };
        untag_resource(&self.api, &self.caller, request).await.map(drop)
    }

    fn tags(&self, arn: &str) -> Result<Vec<Tag>, Refusal> {
        let request = ListTagsForResourceRequest { resource_arn: Some(arn.to_owned()) };
        Ok(list_tags_for_resource(&self.api, &self.caller, &request)?.tags.unwrap())
    }

    /// What all three operations say of an ARN, which is the same.
    async fn refusal_of(&self, arn: &str) -> String {
        let text = refused(self.tags(arn));
        assert_eq!(refused(self.tag(arn, vec![tag("k", "v")]).await), text);
        assert_eq!(refused(self.untag(arn, &["k"]).await), text);
        text
    }
}

/// A world with one of everything in the cluster `c`, and the incarnation of `c`.
async fn with_one_of_everything() -> (World, u64) {
    let world = world().await;
    let request = CreateClusterRequest { cluster_name: Some("c".into()), ..Default::default() };
    create_cluster(&world.api, &world.caller, request).await.unwrap();
    let container = ContainerDefinition {
        name: Some("web".into()),
        image: Some("busybox".into()),
        memory: Some(16),
        ..ContainerDefinition::default()
    };
    let definition = RegisterTaskDefinitionRequest {
        family: Some("web".into()),
        container_definitions: Some(vec![container]),
        ..RegisterTaskDefinitionRequest::default()
    };
    register_task_definition(&world.api, &world.caller, definition).await.unwrap();
    let cluster = world.api.view().cluster(&world.caller.scope, "c").unwrap().record.incarnation;
    let running = task(cluster, 1, LaunchType::Ec2, TaskStatus::Running);
    world.put(vec![node(9).into(), container_instance(cluster, 5, node(9).id).into(), running.into()]).await;
    (world, cluster)
}

#[tokio::test]
async fn everything_that_exists_can_be_tagged() {
    let (world, _) = with_one_of_everything().await;
    let scope = &world.caller.scope;
    for arn in [
        arn::cluster(scope, "c"),
        arn::cluster(scope, "default"),
        arn::task_definition(scope, "web", 1),
        arn::task(scope, "c", id(1001)),
        arn::container_instance(scope, "c", id(5)),
    ] {
        assert_eq!(world.tags(&arn), Ok(vec![]), "{arn}");
        world.tag(&arn, vec![tag("a", "1"), tag("b", "2")]).await.unwrap();
        world.tag(&arn, vec![tag("b", "3"), tag("c", "4")]).await.unwrap();
        assert_eq!(world.tags(&arn), Ok(vec![tag("a", "1"), tag("b", "3"), tag("c", "4")]), "{arn}");
        world.untag(&arn, &["a", "c", "unknown"]).await.unwrap();
        assert_eq!(world.tags(&arn), Ok(vec![tag("b", "3")]), "{arn}");
    }
    assert_ne!(world.api.view().cluster(scope, "default").unwrap().record.incarnation, 0);
}

#[tokio::test]
async fn tags_keep_their_rules() {
    let world = world().await;
    let default = format!("{PREFIX}cluster/default");
    let many = |from: usize, to: usize| (from..to).map(|number| tag(&number.to_string(), "")).collect();
    assert_eq!(
        refused(world.tag(&default, vec![tag("aws:x", "")]).await),
        "InvalidParameterException: Tag key must not start with aws:"
    );
    assert_eq!(
        refused(world.untag(&default, &["aws:x"]).await),
        "InvalidParameterException: Tag key must not start with aws:"
    );
    world.tag(&default, many(0, 50)).await.unwrap();
    world.tag(&default, many(0, 50)).await.unwrap();
    assert_eq!(
        refused(world.tag(&default, many(50, 51)).await),
        "InvalidParameterException: tags can have at most 50 items."
    );
    assert_eq!(
        refused(world.tag(&default, many(0, 51)).await),
        "InvalidParameterException: tags can have at most 50 items."
    );
    for key in ["", &"k".repeat(129)] {
        let text = refused(world.tag(&default, vec![tag(key, "")]).await);
        assert!(text.starts_with("InvalidParameterException: Tag key "), "{text}");
        assert_eq!(refused(world.untag(&default, &[key]).await), text);
    }
    let absent = tag_resource(&world.api, &world.caller, TagResourceRequest::default()).await;
    assert_eq!(refused(absent), "InvalidParameterException: ResourceArn can not be blank.");
}

#[tokio::test]
async fn system_tags_do_not_count() {
    let (world, cluster) = with_one_of_everything().await;
    let mut tags: Vec<Tag> = (0..49).map(|number| tag(&number.to_string(), "")).collect();
    tags.push(tag("aws:ecs:clusterName", "c"));
    let running = TaskRecord { tags, ..task(cluster, 1, LaunchType::Ec2, TaskStatus::Running) };
    world.put(vec![running.into()]).await;
    let arn = arn::task(&world.caller.scope, "c", id(1001));
    world.tag(&arn, vec![tag("fiftieth", "")]).await.unwrap();
    assert_eq!(world.tags(&arn).unwrap().len(), 51);
    assert_eq!(
        refused(world.tag(&arn, vec![tag("one more", "")]).await),
        "InvalidParameterException: tags can have at most 50 items."
    );
}

#[tokio::test]
async fn what_is_gone_has_no_tags() {
    let (world, cluster) = with_one_of_everything().await;
    let scope = world.caller.scope.clone();
    let stopped = task(cluster, 1, LaunchType::Ec2, TaskStatus::Stopped);
    let mut inactive = container_instance(cluster, 5, node(9).id);
    inactive.status = ContainerInstanceStatus::Inactive;
    world.put(vec![stopped.into(), inactive.into()]).await;
    assert_eq!(
        world.refusal_of(&arn::task(&scope, "c", id(1001))).await,
        "InvalidParameterException: The specified task is stopped. Specify a running task and try again."
    );
    assert_eq!(
        world.refusal_of(&arn::container_instance(&scope, "c", id(5))).await,
        "InvalidParameterException: The specified container instance is inactive. Specify an active container \
         instance and try again."
    );
    let request = DeleteClusterRequest { cluster: Some("c".into()) };
    delete_cluster(&world.api, &world.caller, request).await.unwrap();
    for arn in [arn::cluster(&scope, "c"), arn::task(&scope, "c", id(1001))] {
        assert_eq!(
            world.refusal_of(&arn).await,
            "InvalidParameterException: The specified cluster is inactive. Specify an active cluster and try again."
        );
    }
}

#[tokio::test]
async fn what_is_not_there_is_refused() {
    let (world, _) = with_one_of_everything().await;
    let invalid = "InvalidParameterException: The ARN provided is invalid.";
    let long = "InvalidParameterException: Long arn format must be used for tagging operations";
    let unknown = |thing: &str| {
        format!(
            "ResourceNotFoundException: The specified {thing} was not found. Specify a valid {thing} and try again."
        )
    };
    let missing = id(77);
    for (arn, text) in [
        ("c".to_owned(), invalid.to_owned()),
        ("arn:aws:s3:::bucket".to_owned(), invalid.to_owned()),
        ("arn:aws:ecs:eu-west-1:000000000000:cluster/c".to_owned(), invalid.to_owned()),
        (format!("{PREFIX}cluster/a b"), invalid.to_owned()),
        (format!("{PREFIX}nonsense/x"), invalid.to_owned()),
        (format!("{PREFIX}task/c/nonsense"), invalid.to_owned()),
        (format!("{PREFIX}task-definition/web"), invalid.to_owned()),
        (format!("{PREFIX}task/{missing}"), long.to_owned()),
        (format!("{PREFIX}container-instance/{missing}"), long.to_owned()),
        (format!("{PREFIX}service/short"), long.to_owned()),
        (format!("{PREFIX}cluster/nope"), "ClusterNotFoundException: Cluster not found.".to_owned()),
        (format!("{PREFIX}task/nope/{missing}"), "ClusterNotFoundException: Cluster not found.".to_owned()),
        (format!("{PREFIX}task/c/{missing}"), unknown("task")),
        (format!("{PREFIX}container-instance/c/{missing}"), unknown("container instance")),
        (format!("{PREFIX}task-definition/web:2"), unknown("task definition")),
        (format!("{PREFIX}service/c/web"), unknown("service")),
        (format!("{PREFIX}capacity-provider/FARGATE"), unknown("capacity provider")),
    ] {
        assert_eq!(world.refusal_of(&arn).await, text, "{arn}");
    }
}
