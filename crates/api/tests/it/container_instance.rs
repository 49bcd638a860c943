//! Operations on container instances.

use longshore_api::cluster::create_cluster::create_cluster;
use longshore_api::container_instance::{
    describe_container_instances::describe_container_instances, list_container_instances::list_container_instances,
};
use longshore_domain::container_instance::ContainerInstanceStatus::{Active, Draining, Inactive};
use longshore_domain::task::{DesiredStatus, LaunchType, TaskRecord, TaskStatus};
use longshore_domain::{Refusal, arn};
use longshore_ecs_wire::operations::{
    ContainerInstanceField, CreateClusterRequest, DescribeContainerInstancesRequest,
    DescribeContainerInstancesResponse, ListContainerInstancesRequest,
};
use longshore_ecs_wire::shapes::{ContainerInstanceStatus, Tag};

use crate::harness::{World, assert_golden, id, refused, world};
use crate::records::{container_instance, node, task};

/// A world whose `default` is a record; with its incarnation.
async fn with_default() -> (World, u64) {
    let world = world().await;
    create_cluster(&world.api, &world.caller, CreateClusterRequest::default()).await.unwrap();
    let incarnation = world.api.view().cluster(&world.caller.scope, "default").unwrap().record.incarnation;
    world.put(vec![node(9).into()]).await;
    (world, incarnation)
}

fn describe(
    world: &World,
    identifiers: &[&str],
    include: &[&str],
) -> Result<DescribeContainerInstancesResponse, Refusal> {
    let request = DescribeContainerInstancesRequest {
        cluster: None,
        container_instances: Some(identifiers.iter().map(|identifier| (*identifier).to_owned()).collect()),
        include: Some(include.iter().map(|field| ContainerInstanceField::from(*field)).collect()),
    };
    describe_container_instances(&world.api, &world.caller, &request)
}

#[tokio::test]
async fn instances_are_listed_by_status_in_pages_of_any_size() {
    let (world, cluster) = with_default().await;
    for (number, status) in [(1, Active), (2, Draining), (3, Inactive), (4, Active), (5, Active)] {
        let mut instance = container_instance(cluster, number, node(9).id);
        instance.status = status;
        world.put(vec![instance.into()]).await;
    }
    for max_results in [None, Some(1), Some(2), Some(4)] {
        let list = |status: Option<ContainerInstanceStatus>| {
            let mut request = ListContainerInstancesRequest { status, max_results, ..Default::default() };
            let mut found = Vec::new();
            loop {
                let page = list_container_instances(&world.api, &world.caller, &request).unwrap();
                found.extend(page.container_instance_arns.unwrap());
                request.next_token = page.next_token;
                if request.next_token.is_none() {
                    return found;
                }
            }
        };
        let arns = |numbers: &[u64]| -> Vec<String> {
            numbers.iter().map(|n| arn::container_instance(&world.caller.scope, "default", id(*n))).collect()
        };
        assert_eq!(list(None), arns(&[1, 2, 4, 5]), "{max_results:?}");
        assert_eq!(list(Some(ContainerInstanceStatus::Active)), arns(&[1, 4, 5]));
        assert_eq!(list(Some(ContainerInstanceStatus::Draining)), arns(&[2]));
        assert_eq!(list(Some(ContainerInstanceStatus::Registering)), arns(&[]));
    }
}

#[tokio::test]
async fn wrong_listings_are_refused() {
    let (world, cluster) = with_default().await;
    let instances = [1, 2].map(|number| container_instance(cluster, number, node(9).id).into());
    world.put(instances.to_vec()).await;
    let list = |request: ListContainerInstancesRequest| list_container_instances(&world.api, &world.caller, &request);
    let status = Some(ContainerInstanceStatus::from("INACTIVE"));
    assert_eq!(
        refused(list(ListContainerInstancesRequest { status, ..Default::default() })),
        "InvalidParameterException: Container instance status should be one of \
         [ACTIVE,DRAINING,REGISTERING,DEREGISTERING,REGISTRATION_FAILED]"
    );
    let unknown = ListContainerInstancesRequest { cluster: Some("nope".into()), ..Default::default() };
    assert_eq!(refused(list(unknown)), "ClusterNotFoundException: Cluster not found.");
    let first = ListContainerInstancesRequest { max_results: Some(1), ..Default::default() };
    let next_token = list(first.clone()).unwrap().next_token;
    assert!(next_token.is_some());
    let other = ListContainerInstancesRequest { status: Some(ContainerInstanceStatus::Active), next_token, ..first };
    assert_eq!(refused(list(other)), "InvalidParameterException: Invalid token");
}

#[tokio::test]
async fn an_instance_is_a_view_of_its_machines_one_ledger() {
    let (world, cluster) = with_default().await;
    let mut instance = container_instance(cluster, 5, node(9).id);
    instance.tags = vec![Tag { key: Some("team".into()), value: Some("a".into()) }];
    let placed = |sequence, launch_type, last_status| TaskRecord {
        node: Some(node(9).id),
        container_instance: (launch_type == LaunchType::Ec2).then_some(id(5)),
        ..task(cluster, sequence, launch_type, last_status)
    };
    let stopping =
        TaskRecord { desired_status: DesiredStatus::Stopped, ..placed(4, LaunchType::Ec2, TaskStatus::Running) };
    world
        .put(vec![
            instance.into(),
            placed(1, LaunchType::Ec2, TaskStatus::Running).into(),
            placed(2, LaunchType::Ec2, TaskStatus::Pending).into(),
            placed(3, LaunchType::Fargate, TaskStatus::Running).into(),
            stopping.into(),
            placed(5, LaunchType::Ec2, TaskStatus::Stopped).into(),
        ])
        .await;
    let text = id(5).to_string();
    assert_golden("DescribeContainerInstances/bare", &describe(&world, &[&text], &[]).unwrap());
    world.api.connections().connected(node(9).id);
    let include = ["TAGS", "CONTAINER_INSTANCE_HEALTH"];
    assert_golden("DescribeContainerInstances/everything", &describe(&world, &[&text], &include).unwrap());
}

#[tokio::test]
async fn an_own_attribute_counts_before_the_machines() {
    let (world, cluster) = with_default().await;
    let mut instance = container_instance(cluster, 5, node(9).id);
    instance.attributes[0].name = Some("ecs.os-type".into());
    world.put(vec![instance.into()]).await;
    let described = describe(&world, &[&id(5).to_string()], &[]).unwrap().container_instances.unwrap();
    let attributes = described[0].attributes.as_ref().unwrap();
    let of_that_name: Vec<_> = attributes.iter().filter(|one| one.name.as_deref() == Some("ecs.os-type")).collect();
    assert_eq!(of_that_name.len(), 1);
    assert_eq!(of_that_name[0].value.as_deref(), Some("prod"));
}

#[tokio::test]
async fn identifiers_are_ids_and_arns_of_the_cluster() {
    let (world, cluster) = with_default().await;
    world.put(vec![container_instance(cluster, 5, node(9).id).into()]).await;
    let (five, six) = (id(5).to_string(), id(6).to_string());
    let arn_of = |cluster: &str, number| arn::container_instance(&world.caller.scope, cluster, id(number));
    let answer = describe(&world, &[&five, &arn_of("default", 5), &six], &[]).unwrap();
    assert_eq!(answer.container_instances.unwrap().len(), 1);
    let failures = answer.failures.unwrap();
    assert_eq!(failures.len(), 1);
    assert_eq!(failures[0].arn, Some(arn_of("default", 6)));
    assert_eq!(failures[0].reason.as_deref(), Some("MISSING"));
    for (identifiers, include, text) in [
        (vec![], vec![], "Container instances cannot be empty."),
        (vec![five.clone(); 101], vec![], "instanceIds can have at most 100 items."),
        (vec!["x".to_owned()], vec![], "Container Instance Identifier is invalid"),
        (vec![arn_of("x", 5)], vec![], "Invalid identifier: Identifier is for cluster x. Your cluster is default"),
        (vec![five], vec!["tags"], "include should be one of [TAGS,CONTAINER_INSTANCE_HEALTH]"),
    ] {
        let identifiers: Vec<&str> = identifiers.iter().map(String::as_str).collect();
        assert_eq!(refused(describe(&world, &identifiers, &include)), format!("InvalidParameterException: {text}"));
    }
}
