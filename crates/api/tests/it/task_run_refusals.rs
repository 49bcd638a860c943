//! What RunTask refuses, with its texts; and that a refusal changes nothing.

use longshore_domain::node::NodeRecord;
use serde_json::{Value, json};

use crate::harness::{World, world};
use crate::records::node;
use crate::task_world::{ask, bridge, fargate, network, refusal, with_node};

async fn refuses(world: &World, change: Value, wanted: &str) {
    let mut body = json!({"taskDefinition": "web"});
    for (name, value) in change.as_object().unwrap() {
        body[name] = value.clone();
    }
    let before = world.api.view();
    assert_eq!(refusal(world, "RunTask", body.clone()).await, wanted, "{body}");
    let after = world.api.view();
    assert_eq!(before.all_clusters().count(), after.all_clusters().count(), "{body} made a cluster");
    let tasks = |state: &longshore_store::State| state.all_clusters().map(|cluster| cluster.tasks.len()).sum::<usize>();
    assert_eq!(tasks(&before), tasks(&after), "{body} made a task");
}

#[tokio::test]
async fn parameters() {
    let world = with_node().await;
    let parameter = |text: &str| format!("InvalidParameterException: {text}");
    for (change, text) in [
        (json!({"taskDefinition": null}), "TaskDefinition can not be blank."),
        (json!({"taskDefinition": ""}), "TaskDefinition can not be blank."),
        (json!({"count": 0}), "count should be between 1 and 10"),
        (json!({"count": 11}), "count should be between 1 and 10"),
        (json!({"count": -1}), "count should be between 1 and 10"),
        (json!({"startedBy": "a".repeat(129)}), "startedBy longer than 128."),
        (json!({"startedBy": "a b"}), "startedBy contains invalid characters."),
        (json!({"group": "g".repeat(256)}), "group longer than 255."),
        (json!({"group": "service:x"}), "The group name is reserved for tasks of a service or daemon."),
        (json!({"group": "daemon:x"}), "The group name is reserved for tasks of a service or daemon."),
        (json!({"clientToken": "t".repeat(65)}), "clientToken must be 1-64 characters of ASCII 33-126."),
        (json!({"clientToken": "a b"}), "clientToken must be 1-64 characters of ASCII 33-126."),
        (json!({"propagateTags": "SERVICE"}), "Invalid value for propagateTags"),
        (json!({"propagateTags": "x"}), "Invalid value for propagateTags"),
        (json!({"tags": [{"key": "aws:x"}]}), "Tag key must not start with aws:"),
        (json!({"tags": [{"key": "a"}, {"key": "a"}]}), "Multiple tags contain the same key."),
        (json!({"launchType": "LAMBDA"}), "launch type should be one of [EC2,FARGATE,EXTERNAL]"),
        (
            json!({"launchType": "EC2", "capacityProviderStrategy": [{"capacityProvider": "FARGATE"}]}),
            "Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.",
        ),
        (json!({"capacityProviderStrategy": [{}]}), "CapacityProviderStrategy[0].capacityProvider can not be blank."),
        (
            json!({"overrides": {"containerOverrides": [{"name": "app", "environmentFiles": [{"type": "s3"}]}]}}),
            "Overrides.containerOverrides[0].environmentFiles[0].value can not be blank.",
        ),
        (
            json!({"networkConfiguration": {"awsvpcConfiguration": {}}}),
            "NetworkConfiguration.awsvpcConfiguration.subnets can not be blank.",
        ),
        (json!({"cluster": "a b"}), r"Cluster must match ^[a-zA-Z0-9\-_]{1,255}$, but was a b"),
        (json!({"platformVersion": "1.4.0"}), "The platform version must be null when specifying an EC2 launch type."),
    ] {
        refuses(&world, change, &parameter(text)).await;
    }
}

#[tokio::test]
async fn clusters_and_definitions() {
    let world = with_node().await;
    ask(&world, "RegisterTaskDefinition", bridge("old")).await;
    ask(&world, "DeregisterTaskDefinition", json!({"taskDefinition": "old:1"})).await;
    ask(&world, "CreateCluster", json!({"clusterName": "gone"})).await;
    ask(&world, "DeleteCluster", json!({"cluster": "gone"})).await;
    let not_found = "ClientException: TaskDefinition not found.";
    for (change, text) in [
        (json!({"cluster": "nope"}), "ClusterNotFoundException: Cluster not found."),
        (json!({"cluster": "gone"}), "ClusterNotFoundException: The referenced cluster was inactive."),
        (json!({"taskDefinition": "nope"}), not_found),
        (json!({"taskDefinition": "web:2"}), not_found),
        (json!({"taskDefinition": "old"}), not_found),
        (json!({"taskDefinition": "arn:aws:ecs:us-east-1:999999999999:task-definition/web:1"}), not_found),
        (json!({"taskDefinition": "old:1"}), "InvalidParameterException: TaskDefinition is inactive"),
        (json!({"taskDefinition": "web:x"}), "InvalidParameterException: Invalid revision number. Number: x"),
    ] {
        refuses(&world, change, text).await;
    }
}

#[tokio::test]
async fn what_a_definition_does_not_allow() {
    let world = with_node().await;
    ask(&world, "RegisterTaskDefinition", fargate("far")).await;
    let mut vpc = bridge("vpc");
    vpc["networkMode"] = json!("awsvpc");
    ask(&world, "RegisterTaskDefinition", vpc).await;
    let mut sized = bridge("sized");
    sized["memory"] = json!("128");
    ask(&world, "RegisterTaskDefinition", sized).await;
    let of_app = |members: Value| {
        let mut container = members;
        container["name"] = json!("app");
        json!({"containerOverrides": [container]})
    };
    let parameter = |text: &str| format!("InvalidParameterException: {text}");
    let unassociated = "The specified capacity provider strategy cannot contain a capacity provider that is not associated \
                        with the cluster. Associate the capacity provider with the cluster or specify a valid capacity \
                        provider and try again.";
    for (change, text) in [
        (
            json!({"taskDefinition": "vpc"}),
            parameter("Network Configuration must be provided when networkMode 'awsvpc' is specified."),
        ),
        (
            json!({"taskDefinition": "vpc", "networkConfiguration": {"awsvpcConfiguration": {"subnets": []}}}),
            parameter("subnets can not be empty."),
        ),
        (
            json!({"networkConfiguration": network()}),
            parameter("Network Configuration is not valid for the given networkMode of this task definition."),
        ),
        (json!({"launchType": "FARGATE"}), parameter("Task definition does not support launch_type FARGATE.")),
        (
            json!({"launchType": "EXTERNAL", "taskDefinition": "vpc", "networkConfiguration": network()}),
            parameter("Task definition does not support launch_type EXTERNAL."),
        ),
        (json!({"capacityProviderStrategy": [{"capacityProvider": "FARGATE"}]}), parameter(unassociated)),
        (
            json!({"overrides": {"containerOverrides": [{"name": "x"}]}}),
            parameter("Override for container named x is not a container in the TaskDefinition."),
        ),
        (
            json!({"overrides": of_app(json!({"command": ["c".repeat(8200)]}))}),
            parameter("Container Overrides length must be at most 8192"),
        ),
        (
            json!({"taskDefinition": "sized", "overrides": of_app(json!({"memory": 129}))}),
            parameter("'memory' setting for container 'app' is greater than for task."),
        ),
        (
            json!({
                "taskDefinition": "far", "launchType": "FARGATE", "networkConfiguration": network(),
                "platformVersion": "9.9.9",
            }),
            "PlatformUnknownException: The specified platform does not exist.".into(),
        ),
        (
            json!({
                "taskDefinition": "far", "launchType": "FARGATE", "networkConfiguration": network(),
                "overrides": {"cpu": "1024"},
            }),
            "ClientException: No Fargate configuration exists for given values: 1024 CPU, 512 memory. See the Amazon ECS \
             documentation for the valid values."
                .into(),
        ),
    ] {
        refuses(&world, change, &text).await;
    }
}

#[tokio::test]
async fn a_strategy_that_gives_nobody_a_task() {
    let world = with_node().await;
    ask(&world, "RegisterTaskDefinition", fargate("far")).await;
    ask(&world, "CreateCluster", json!({"clusterName": "f", "capacityProviders": ["FARGATE", "FARGATE_SPOT"]})).await;
    let body = json!({
        "cluster": "f", "taskDefinition": "far", "networkConfiguration": network(),
        "capacityProviderStrategy": [{"capacityProvider": "FARGATE"}, {"capacityProvider": "FARGATE_SPOT", "weight": 0}],
    });
    refuses(
        &world,
        body,
        "InvalidParameterException: The specified capacity provider strategy must have at least one capacity provider with \
         a weight greater than 0.",
    )
    .await;
}

#[tokio::test]
async fn a_cluster_without_instances_that_nobody_joins() {
    let none = "InvalidParameterException: No Container Instances were found in your cluster.";
    for machines in
        [vec![], vec![NodeRecord { builtin: false, ..node(9) }], vec![NodeRecord { active: false, ..node(9) }]]
    {
        let world = world().await;
        world.put(machines.into_iter().map(Into::into).collect()).await;
        ask(&world, "RegisterTaskDefinition", bridge("web")).await;
        refuses(&world, json!({}), none).await;
        refuses(&world, json!({"launchType": "EC2", "count": 10, "clientToken": "t"}), none).await;
        refuses(&world, json!({"launchType": "EXTERNAL"}), none).await;
    }
}

#[tokio::test]
async fn a_way_to_the_host_needs_credentials() {
    let mut world = with_node().await;
    let mut privileged = bridge("privileged");
    privileged["containerDefinitions"][0]["privileged"] = json!(true);
    ask(&world, "RegisterTaskDefinition", privileged).await;
    let mut mounted = bridge("mounted");
    mounted["volumes"] = json!([{"name": "etc", "host": {"sourcePath": "/etc"}}]);
    ask(&world, "RegisterTaskDefinition", mounted).await;
    world.api = world.api.with_privileged(false);
    for (family, what) in
        [("privileged", "privileged (container 'app')"), ("mounted", "host.sourcePath (volume 'etc')")]
    {
        let text = format!(
            "ClientException: {what} is not allowed on a server without credentials; give it a credentials file, or start \
             it with --allow-privileged-unauthenticated."
        );
        refuses(&world, json!({"taskDefinition": family}), &text).await;
    }
    ask(&world, "RunTask", json!({"taskDefinition": "web"})).await;
    world.api = world.api.with_privileged(true);
    ask(&world, "RunTask", json!({"taskDefinition": "privileged"})).await;
}

#[tokio::test]
async fn more_than_one_record_can_hold() {
    let world = with_node().await;
    ask(&world, "RegisterTaskDefinition", fargate("far")).await;
    let huge = json!({"awsvpcConfiguration": {"subnets": ["s".repeat(600_000)]}});
    let body = json!({"taskDefinition": "far", "launchType": "FARGATE", "networkConfiguration": huge});
    refuses(&world, body, "ClientException: The request changes more than one transaction may.").await;
    ask(&world, "RunTask", json!({"taskDefinition": "web"})).await;
}
