//! Operations on clusters.

use longshore_api::cluster::{
    create_cluster::create_cluster, delete_cluster::delete_cluster, describe_clusters::describe_clusters,
    list_clusters::list_clusters, update_cluster::update_cluster, update_cluster_settings::update_cluster_settings,
};
use longshore_domain::Refusal;
use longshore_domain::cluster::ClusterRecord;
use longshore_domain::container_instance::ContainerInstanceStatus;
use longshore_domain::task::{LaunchType, TaskStatus};
use longshore_ecs_wire::operations::{
    ClusterField, CreateClusterRequest, DeleteClusterRequest, DescribeClustersRequest, DescribeClustersResponse,
    ListClustersRequest, UpdateClusterRequest, UpdateClusterSettingsRequest,
};
use longshore_ecs_wire::shapes::{
    CapacityProviderStrategyItem, Cluster, ClusterConfiguration, ClusterServiceConnectDefaultsRequest, ClusterSetting,
    ClusterSettingName, ExecuteCommandConfiguration, ExecuteCommandLogging, Tag,
};

use crate::harness::{World, assert_golden, caller, refused, world};
use crate::records::{container_instance, node, task};

fn named(name: &str) -> CreateClusterRequest {
    CreateClusterRequest { cluster_name: Some(name.to_owned()), ..CreateClusterRequest::default() }
}

fn insights(value: &str) -> Vec<ClusterSetting> {
    vec![ClusterSetting { name: Some(ClusterSettingName::ContainerInsights), value: Some(value.to_owned()) }]
}

fn full(name: &str) -> CreateClusterRequest {
    let item = CapacityProviderStrategyItem {
        capacity_provider: Some("FARGATE_SPOT".into()),
        weight: Some(1),
        ..CapacityProviderStrategyItem::default()
    };
    CreateClusterRequest {
        tags: Some(vec![Tag { key: Some("team".into()), value: Some("a".into()) }]),
        settings: Some(insights("enhanced")),
        configuration: Some(ClusterConfiguration {
            execute_command_configuration: Some(ExecuteCommandConfiguration {
                logging: Some(ExecuteCommandLogging::None),
                ..ExecuteCommandConfiguration::default()
            }),
            ..ClusterConfiguration::default()
        }),
        capacity_providers: Some(vec!["FARGATE".into(), "FARGATE_SPOT".into()]),
        default_capacity_provider_strategy: Some(vec![item]),
        service_connect_defaults: Some(ClusterServiceConnectDefaultsRequest { namespace: Some("local".into()) }),
        ..named(name)
    }
}

impl World {
    async fn create(&self, request: CreateClusterRequest) -> Result<Cluster, Refusal> {
        Ok(create_cluster(&self.api, &self.caller, request).await?.cluster.unwrap())
    }

    async fn delete(&self, name: &str) -> Result<Cluster, Refusal> {
        let request = DeleteClusterRequest { cluster: Some(name.to_owned()) };
        Ok(delete_cluster(&self.api, &self.caller, request).await?.cluster.unwrap())
    }

    fn describe(&self, names: &[&str], include: &[ClusterField]) -> Result<DescribeClustersResponse, Refusal> {
        let request = DescribeClustersRequest {
            clusters: Some(names.iter().map(|name| (*name).to_owned()).collect()),
            include: Some(include.to_vec()),
        };
        describe_clusters(&self.api, &self.caller, &request)
    }

    fn list(&self, max_results: Option<i32>, next_token: Option<String>) -> (Vec<String>, Option<String>) {
        let page = list_clusters(&self.api, &self.caller, &ListClustersRequest { next_token, max_results }).unwrap();
        let names = page.cluster_arns.unwrap().into_iter().map(|arn| arn.rsplit('/').next().unwrap().to_owned());
        (names.collect(), page.next_token)
    }

    fn record(&self, name: &str) -> ClusterRecord {
        ClusterRecord::clone(&self.api.view().cluster(&self.caller.scope, name).unwrap().record)
    }
}

#[tokio::test]
async fn a_created_cluster_is_returned_whole() {
    let world = world().await;
    let created = world.create(full("full")).await.unwrap();
    assert_golden("CreateCluster/full", &created);
    let bare = world.create(CreateClusterRequest::default()).await.unwrap();
    assert_golden("CreateCluster/default", &bare);
}

#[tokio::test]
async fn creating_is_idempotent_by_name() {
    let world = world().await;
    let created = world.create(full("c")).await.unwrap();
    let version = world.record("c").incarnation;
    assert_eq!(world.create(full("c")).await, Ok(created.clone()));
    assert_eq!(world.create(named("c")).await, Ok(created));
    assert_eq!(world.record("c").incarnation, version);
    assert_eq!(
        refused(world.create(CreateClusterRequest { settings: Some(insights("disabled")), ..named("c") }).await),
        "InvalidParameterException: Arguments on this idempotent request are inconsistent with arguments used in \
         previous request(s)."
    );
}

#[tokio::test]
async fn the_virtual_default_becomes_a_record_when_it_is_created() {
    let world = world().await;
    assert_eq!(world.record("default").incarnation, 0);
    world.create(CreateClusterRequest { settings: Some(insights("enabled")), ..named("default") }).await.unwrap();
    let record = world.record("default");
    assert_ne!(record.incarnation, 0);
    assert_eq!(record.settings, insights("enabled"));
}

#[tokio::test]
async fn a_deleted_name_gets_a_fresh_cluster_that_counts_on() {
    let world = world().await;
    world.create(full("c")).await.unwrap();
    let first = ClusterRecord { next_sequence: 42, ..world.record("c") };
    world.put(vec![first.clone().into()]).await;
    world.delete("c").await.unwrap();
    let revived = world.create(named("c")).await.unwrap();
    assert_eq!(revived.status.as_deref(), Some("ACTIVE"));
    assert_eq!(revived.capacity_providers, Some(vec![]));
    let record = world.record("c");
    assert!(record.incarnation > first.incarnation);
    assert_eq!(record.next_sequence, 42);
}

#[tokio::test]
async fn wrong_members_are_refused() {
    let world = world().await;
    let item = CapacityProviderStrategyItem { capacity_provider: Some("FARGATE".into()), ..Default::default() };
    let heavy = CapacityProviderStrategyItem { weight: Some(1001), ..item.clone() };
    for (request, text) in [
        (named("a b"), r"Cluster must match ^[a-zA-Z0-9\-_]{1,255}$, but was a b"),
        (CreateClusterRequest { settings: Some(insights("on")), ..named("c") }, "Invalid setting 'value'"),
        (
            CreateClusterRequest { capacity_providers: Some(vec!["mine".into()]), ..named("c") },
            "The specified capacity provider was not found. Specify a valid capacity provider and try again.",
        ),
        (
            CreateClusterRequest { default_capacity_provider_strategy: Some(vec![item]), ..named("c") },
            "The specified capacity provider strategy cannot contain a capacity provider that is not associated with \
             the cluster. Associate the capacity provider with the cluster or specify a valid capacity provider and \
             try again.",
        ),
        (
            CreateClusterRequest {
                capacity_providers: Some(vec!["FARGATE".into()]),
                default_capacity_provider_strategy: Some(vec![heavy]),
                ..named("c")
            },
            "defaultCapacityProviderStrategy[0].weight longer than 1000.",
        ),
    ] {
        assert_eq!(refused(world.create(request).await), format!("InvalidParameterException: {text}"));
    }
    assert_eq!(world.list(None, None).0, ["default"]);
}

#[tokio::test]
async fn describing_shows_what_is_included() {
    let world = world().await;
    world.create(full("full")).await.unwrap();
    let incarnation = world.record("full").incarnation;
    let on_instance = longshore_domain::task::TaskRecord {
        container_instance: Some(crate::harness::id(5)),
        ..task(incarnation, 1, LaunchType::Ec2, TaskStatus::Running)
    };
    let mut draining = container_instance(incarnation, 6, node(9).id);
    draining.status = ContainerInstanceStatus::Draining;
    let mut inactive = container_instance(incarnation, 7, node(9).id);
    inactive.status = ContainerInstanceStatus::Inactive;
    world
        .put(vec![
            node(9).into(),
            container_instance(incarnation, 5, node(9).id).into(),
            draining.into(),
            inactive.into(),
            on_instance.into(),
            task(incarnation, 2, LaunchType::Fargate, TaskStatus::Pending).into(),
            task(incarnation, 3, LaunchType::Fargate, TaskStatus::Provisioning).into(),
            task(incarnation, 4, LaunchType::External, TaskStatus::Running).into(),
            task(incarnation, 5, LaunchType::Ec2, TaskStatus::Stopped).into(),
        ])
        .await;
    assert_golden("DescribeClusters/bare", &world.describe(&["full"], &[]).unwrap());
    assert_golden("DescribeClusters/everything", &world.describe(&["full"], ClusterField::ALL_KNOWN).unwrap());
}

#[tokio::test]
async fn without_names_default_is_described() {
    let world = world().await;
    let none = describe_clusters(&world.api, &world.caller, &DescribeClustersRequest::default()).unwrap();
    assert_golden("DescribeClusters/virtual_default", &none);
    assert_eq!(world.describe(&[], &[]), Ok(none));
}

#[tokio::test]
async fn what_is_not_there_is_missing() {
    let world = world().await;
    let prefix = "arn:aws:ecs:us-east-1:000000000000:cluster/";
    let foreign = "arn:aws:ecs:eu-west-1:000000000000:cluster/default";
    let own = format!("{prefix}default");
    let answer = world.describe(&["nope", "default", &own, foreign], &[]).unwrap();
    assert_eq!(answer.clusters.unwrap().len(), 1);
    let failures = answer.failures.unwrap();
    let arns: Vec<_> = failures.iter().map(|failure| failure.arn.clone().unwrap()).collect();
    assert_eq!(arns, [format!("{prefix}nope"), foreign.to_owned()]);
    assert!(failures.iter().all(|failure| failure.reason.as_deref() == Some("MISSING")));

    assert_eq!(
        refused(world.describe(&["arn:aws:ecs:us-east-1:000000000000:service/x/y"], &[])),
        "InvalidParameterException: Unsupported resource type: service"
    );
    assert_eq!(
        refused(world.describe(&vec!["a"; 101], &[])),
        "InvalidParameterException: clusterIds can have at most 100 items."
    );
    assert_eq!(
        refused(world.describe(&[], &[ClusterField::from("tags")])),
        "InvalidParameterException: include should be one of [ATTACHMENTS,CONFIGURATIONS,SETTINGS,STATISTICS,TAGS]"
    );
}

#[tokio::test]
async fn clusters_are_listed_by_name_a_page_at_a_time() {
    let world = world().await;
    for name in ["zoo", "a", "default-2", "b", "gone"] {
        world.create(named(name)).await.unwrap();
    }
    world.delete("gone").await.unwrap();
    let all = ["a", "b", "default", "default-2", "zoo"];
    assert_eq!(world.list(None, None), (all.map(str::to_owned).to_vec(), None));
    for size in 1..=5 {
        let (mut names, mut token) = world.list(Some(size), None);
        while let Some(next) = token {
            let page = world.list(Some(size), Some(next));
            assert!(!page.0.is_empty());
            names.extend(page.0);
            token = page.1;
        }
        assert_eq!(names, all, "{size}");
    }
    let token = world.list(Some(1), None).1;
    let other = caller("000000000000", "eu-west-1");
    let list = |caller, max_results, next_token| {
        refused(list_clusters(&world.api, caller, &ListClustersRequest { next_token, max_results }))
    };
    assert_eq!(list(&other, None, token), "InvalidParameterException: Invalid token");
    assert_eq!(list(&world.caller, Some(0), None), "InvalidParameterException: maxResults should be between 1 and 100");
}

#[tokio::test]
async fn a_deleted_default_is_not_listed() {
    let world = world().await;
    assert_eq!(world.delete("default").await.unwrap().status.as_deref(), Some("INACTIVE"));
    assert_eq!(world.list(None, None).0, Vec::<String>::new());
    assert_eq!(world.record("default").inactive_at, Some(world.api.now()));
    world.create(named("default")).await.unwrap();
    assert_eq!(world.list(None, None).0, ["default"]);
}

#[tokio::test]
async fn updates_change_what_they_name() {
    let world = world().await;
    world.create(full("c")).await.unwrap();
    let settings = UpdateClusterSettingsRequest { cluster: Some("c".into()), settings: Some(insights("disabled")) };
    let updated = update_cluster_settings(&world.api, &world.caller, settings).await.unwrap().cluster.unwrap();
    assert_eq!(updated.settings, Some(insights("disabled")));
    assert_eq!(world.record("c").settings, insights("disabled"));

    let request = UpdateClusterRequest {
        cluster: Some("c".into()),
        settings: Some(insights("enabled")),
        configuration: Some(ClusterConfiguration::default()),
        service_connect_defaults: Some(ClusterServiceConnectDefaultsRequest { namespace: Some(String::new()) }),
    };
    let updated = update_cluster(&world.api, &world.caller, request).await.unwrap().cluster.unwrap();
    assert_eq!(updated.settings, Some(insights("enabled")));
    assert_eq!(updated.configuration, Some(ClusterConfiguration::default()));
    assert_eq!(updated.service_connect_defaults, None);
    assert_eq!(updated.capacity_providers, full("c").capacity_providers);

    let nothing = UpdateClusterRequest { cluster: Some("c".into()), ..Default::default() };
    assert_eq!(update_cluster(&world.api, &world.caller, nothing).await.unwrap().cluster, Some(updated));
}

#[tokio::test]
async fn an_update_makes_the_virtual_default_a_record() {
    let world = world().await;
    let request = UpdateClusterSettingsRequest { cluster: Some("default".into()), settings: Some(insights("enabled")) };
    update_cluster_settings(&world.api, &world.caller, request).await.unwrap();
    let record = world.record("default");
    assert_ne!(record.incarnation, 0);
    assert_eq!((record.settings, record.created_at), (insights("enabled"), world.api.now()));
}

#[tokio::test]
async fn updates_are_refused() {
    let world = world().await;
    world.create(named("gone")).await.unwrap();
    world.delete("gone").await.unwrap();
    let update = async |cluster: Option<&str>, value: &str| {
        let cluster = cluster.map(str::to_owned);
        let request = UpdateClusterSettingsRequest { cluster, settings: Some(insights(value)) };
        refused(update_cluster_settings(&world.api, &world.caller, request).await)
    };
    assert_eq!(update(Some("nope"), "enabled").await, "ClusterNotFoundException: Cluster not found.");
    assert_eq!(update(Some("gone"), "enabled").await, "ClusterNotFoundException: The referenced cluster was inactive.");
    assert_eq!(update(Some("default"), "on").await, "InvalidParameterException: Invalid setting 'value'");
    assert_eq!(update(None, "enabled").await, "InvalidParameterException: Cluster can not be blank.");
}

#[tokio::test]
async fn a_deleted_cluster_is_described_inactive() {
    let world = world().await;
    world.create(full("c")).await.unwrap();
    let deleted = world.delete("c").await.unwrap();
    assert_eq!(deleted.status.as_deref(), Some("INACTIVE"));
    assert_eq!(deleted.tags, Some(vec![]));
    assert_eq!(world.delete("c").await, Ok(deleted));
    let described = world.describe(&["c"], &[]).unwrap();
    assert_eq!(described.clusters.unwrap()[0].status.as_deref(), Some("INACTIVE"));
    assert_eq!(described.failures, Some(vec![]));
    assert_eq!(refused(world.delete("nope").await), "ClusterNotFoundException: Cluster not found.");
    let blank = delete_cluster(&world.api, &world.caller, DeleteClusterRequest { cluster: None }).await;
    assert_eq!(refused(blank), "InvalidParameterException: Cluster can not be blank.");
}

#[tokio::test]
async fn what_a_cluster_holds_stands_in_the_way_of_deletion() {
    let world = world().await;
    world.create(named("c")).await.unwrap();
    let incarnation = world.record("c").incarnation;
    let running = task(incarnation, 1, LaunchType::Fargate, TaskStatus::Running);
    let mut instance = container_instance(incarnation, 5, node(9).id);
    instance.builtin = false;
    world.put(vec![node(9).into(), instance.clone().into(), running.clone().into()]).await;
    assert_eq!(
        refused(world.delete("c").await),
        "ClusterContainsContainerInstancesException: The Cluster cannot be deleted while Container Instances are \
         active or draining."
    );
    instance.status = ContainerInstanceStatus::Inactive;
    world.put(vec![instance.into()]).await;
    assert_eq!(
        refused(world.delete("c").await),
        "ClusterContainsTasksException: The Cluster cannot be deleted while Tasks are active."
    );
    let stopped = task(incarnation, 1, LaunchType::Fargate, TaskStatus::Stopped);
    world.put(vec![stopped.clone().into()]).await;
    world.delete("c").await.unwrap();
    let view = world.api.view();
    assert!(view.cluster_by_incarnation(incarnation).unwrap().task(stopped.id).is_some());
}

#[tokio::test]
async fn the_built_in_nodes_instances_leave_with_the_cluster() {
    let world = world().await;
    world.create(named("c")).await.unwrap();
    let incarnation = world.record("c").incarnation;
    world.put(vec![node(9).into(), container_instance(incarnation, 5, node(9).id).into()]).await;
    let deleted = world.delete("c").await.unwrap();
    assert_eq!(deleted.registered_container_instances_count, Some(0));
    assert!(world.api.view().cluster_by_incarnation(incarnation).unwrap().container_instances.is_empty());
}
