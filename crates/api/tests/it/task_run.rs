//! What RunTask makes: launch types, places, tags, overrides, records.

use serde_json::{Value, json};

use crate::harness::{World, caller, id};
use crate::records::node;
use crate::task_world::{
    NODE, arns, ask, bridge, call_as, describe, fargate, machine, network, reasons, run_one, stopped, with_node,
};
use longshore_domain::container_instance::{ContainerInstanceRecord, ContainerInstanceStatus};
use longshore_domain::node::NodeRecord;

async fn instances(world: &World, cluster: &str) -> Vec<Value> {
    let answer = ask(world, "ListContainerInstances", json!({"cluster": cluster})).await;
    answer["containerInstanceArns"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_launch_type_is_asked_for_or_the_clusters_or_ec2() {
    let world = with_node().await;
    ask(&world, "RegisterTaskDefinition", fargate("far")).await;
    let strategy = |name: &str| json!([{"capacityProvider": name}]);
    ask(
        &world,
        "CreateCluster",
        json!({
            "clusterName": "spot", "capacityProviders": ["FARGATE", "FARGATE_SPOT"],
            "defaultCapacityProviderStrategy": strategy("FARGATE_SPOT"),
        }),
    )
    .await;
    let (web, far) =
        (json!({"taskDefinition": "web"}), json!({"taskDefinition": "far", "networkConfiguration": network()}));
    for (body, change, launch_type, provider) in [
        (&web, json!({}), "EC2", Value::Null),
        (&web, json!({"launchType": "EC2"}), "EC2", Value::Null),
        (&web, json!({"launchType": "EXTERNAL"}), "EXTERNAL", Value::Null),
        (&far, json!({"launchType": "FARGATE"}), "FARGATE", Value::Null),
        (&far, json!({"cluster": "spot"}), "FARGATE", json!("FARGATE_SPOT")),
        (
            &far,
            json!({"cluster": "spot", "capacityProviderStrategy": strategy("FARGATE")}),
            "FARGATE",
            json!("FARGATE"),
        ),
        (&far, json!({"cluster": "spot", "launchType": "FARGATE"}), "FARGATE", Value::Null),
        (&web, json!({"cluster": "spot", "launchType": "EC2"}), "EC2", Value::Null),
    ] {
        let mut body = body.clone();
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
        let task = describe(&world, &run_one(&world, body).await).await;
        assert_eq!(task["launchType"], launch_type, "{change}");
        assert_eq!(task["capacityProviderName"], provider, "{change}");
        let fargate = launch_type == "FARGATE";
        assert_eq!(task["platformVersion"].is_string(), fargate, "{change}");
        assert_eq!(task["containerInstanceArn"].is_null(), fargate, "{change}");
        assert_eq!(task["lastStatus"], if fargate { "PROVISIONING" } else { "PENDING" }, "{change}");
        assert_eq!(task["version"], 1);
    }
}

#[tokio::test]
async fn a_strategy_divides_the_tasks() {
    let world = with_node().await;
    ask(&world, "RegisterTaskDefinition", fargate("far")).await;
    ask(&world, "CreateCluster", json!({"clusterName": "f", "capacityProviders": ["FARGATE", "FARGATE_SPOT"]})).await;
    let body = json!({
        "cluster": "f", "taskDefinition": "far", "networkConfiguration": network(), "count": 7,
        "capacityProviderStrategy": [
            {"capacityProvider": "FARGATE", "base": 2, "weight": 1}, {"capacityProvider": "FARGATE_SPOT", "weight": 4},
        ],
    });
    let answer = ask(&world, "RunTask", body).await;
    let providers =
        answer["tasks"].as_array().unwrap().iter().map(|task| task["capacityProviderName"].as_str().unwrap());
    assert_eq!(providers.filter(|name| *name == "FARGATE").count(), 3);
}

#[tokio::test]
async fn the_builtin_node_joins_with_the_first_ec2_task() {
    let world = with_node().await;
    ask(&world, "RegisterTaskDefinition", fargate("far")).await;
    assert!(world.api.view().all_clusters().next().is_none(), "reads and definitions make no cluster");
    let far = json!({"taskDefinition": "far", "launchType": "FARGATE", "networkConfiguration": network()});
    run_one(&world, far).await;
    assert_eq!(instances(&world, "default").await, [Value::Null; 0], "FARGATE capacity is invisible");
    let first = describe(&world, &run_one(&world, json!({"taskDefinition": "web"})).await).await;
    let joined = instances(&world, "default").await;
    assert_eq!(joined, [first["containerInstanceArn"].clone()]);
    let second =
        describe(&world, &run_one(&world, json!({"taskDefinition": "web", "launchType": "EXTERNAL"})).await).await;
    assert_eq!(instances(&world, "default").await, joined, "it joins once");
    assert_eq!(second["containerInstanceArn"], joined[0]);
    ask(&world, "CreateCluster", json!({"clusterName": "other"})).await;
    run_one(&world, json!({"cluster": "other", "taskDefinition": "web"})).await;
    assert_eq!(instances(&world, "other").await.len(), 1);
}

#[tokio::test]
async fn a_draining_instance_takes_nothing_and_is_not_doubled() {
    let world = with_node().await;
    run_one(&world, json!({"taskDefinition": "web"})).await;
    let cluster = world.api.view().cluster(&world.caller.scope, "default").unwrap();
    let instance = cluster.container_instances.values().next().unwrap();
    let draining = ContainerInstanceRecord {
        status: ContainerInstanceStatus::Draining,
        ..ContainerInstanceRecord::clone(instance)
    };
    world.put(vec![draining.into()]).await;
    let (status, answer) = call_as(&world, &world.caller, "RunTask", json!({"taskDefinition": "web"})).await;
    assert_eq!((status, &answer["message"]), (400, &json!("No Container Instances were found in your cluster.")));
}

#[tokio::test]
async fn one_ledger_for_fargate_and_every_cluster_and_account() {
    let world = with_node().await;
    world.put(vec![machine(NODE, 1000, 1200).into()]).await;
    ask(&world, "RegisterTaskDefinition", fargate("far")).await;
    let mut small = bridge("small");
    small["containerDefinitions"][0]["cpu"] = json!(500);
    ask(&world, "RegisterTaskDefinition", small.clone()).await;
    let far = json!({"taskDefinition": "far", "launchType": "FARGATE", "networkConfiguration": network()});
    let fargate_task = run_one(&world, far.clone()).await;
    run_one(&world, json!({"taskDefinition": "small"})).await;
    let no_capacity =
        "Capacity is unavailable at this time. Please try again later or in a different availability zone";
    let refused = ask(&world, "RunTask", far.clone()).await;
    assert_eq!((refused["tasks"].as_array().unwrap().len(), reasons(&refused)), (0, vec![no_capacity]));
    assert!(refused["failures"][0].get("arn").is_none(), "FARGATE has no instance to name");
    assert_eq!(reasons(&ask(&world, "RunTask", json!({"taskDefinition": "small"})).await), ["RESOURCE:CPU"]);
    let stranger = caller("111111111111", "us-east-1");
    let as_stranger = |operation, body| call_as(&world, &stranger, operation, body);
    as_stranger("RegisterTaskDefinition", small).await;
    assert_eq!(reasons(&as_stranger("RunTask", json!({"taskDefinition": "small"})).await.1), ["RESOURCE:CPU"]);
    // A task counts until it has stopped, not until it is asked to.
    ask(&world, "StopTask", json!({"task": fargate_task})).await;
    assert_eq!(reasons(&as_stranger("RunTask", json!({"taskDefinition": "small"})).await.1), ["RESOURCE:CPU"]);
    stopped(&world, &fargate_task).await;
    assert_eq!(
        as_stranger("RunTask", json!({"taskDefinition": "small"})).await.1["tasks"].as_array().unwrap().len(),
        1
    );
}

#[tokio::test]
async fn the_first_resource_that_lacks_is_the_reason() {
    let world = with_node().await;
    let with_port = |family: &str, port: u16, protocol: &str| {
        let mut definition = bridge(family);
        definition["containerDefinitions"][0]["portMappings"] =
            json!([{"containerPort": 80, "hostPort": port, "protocol": protocol}]);
        definition
    };
    for definition in [
        with_port("ssh", 22, "tcp"),
        with_port("http", 8080, "tcp"),
        with_port("udp", 8080, "udp"),
        with_port("dynamic", 0, "tcp"),
        json!({"family": "cpu", "cpu": "2049", "memory": "4000", "containerDefinitions": [{"name": "a", "image": "i"}]}),
        json!({"family": "memory", "memory": "3956", "containerDefinitions": [{"name": "a", "image": "i"}]}),
    ] {
        ask(&world, "RegisterTaskDefinition", definition).await;
    }
    let run = async |family: &str| ask(&world, "RunTask", json!({"taskDefinition": family})).await;
    for (family, reason) in [("cpu", "RESOURCE:CPU"), ("memory", "RESOURCE:MEMORY"), ("ssh", "RESOURCE:PORTS")] {
        let answer = run(family).await;
        assert_eq!((reasons(&answer), answer["tasks"].as_array().unwrap().len()), (vec![reason], 0));
        assert_eq!(answer["failures"][0]["arn"], instances(&world, "default").await[0]);
    }
    assert_eq!(reasons(&run("http").await), [""; 0]);
    assert_eq!(reasons(&run("http").await), ["RESOURCE:PORTS"]);
    assert_eq!(reasons(&run("udp").await), [""; 0], "another protocol, another port");
    assert_eq!(reasons(&ask(&world, "RunTask", json!({"taskDefinition": "dynamic", "count": 3})).await), [""; 0]);
    world.put(vec![NodeRecord { active: false, ..node(NODE) }.into()]).await;
    assert_eq!(reasons(&run("web").await), ["AGENT"]);
}

#[tokio::test]
async fn ten_tasks_of_which_some_fit() {
    let world = with_node().await;
    world.put(vec![machine(NODE, 100_000, 600).into()]).await;
    let answer = ask(&world, "RunTask", json!({"taskDefinition": "web", "count": 10})).await;
    assert_eq!(arns(&answer).len(), 6, "6 × 96 MiB");
    assert_eq!(reasons(&answer), ["RESOURCE:MEMORY"; 4]);
    let listed = ask(&world, "ListTasks", json!({})).await;
    assert_eq!(listed["taskArns"], json!(arns(&answer)), "creation order");
    assert_eq!(answer["tasks"][0], describe(&world, &arns(&answer)[0]).await, "as DescribeTasks shows it");
}

#[tokio::test]
async fn tags_come_from_request_definition_and_ecs() {
    let world = with_node().await;
    let mut tagged = bridge("tagged");
    tagged["tags"] = json!([{"key": "a", "value": "definition"}, {"key": "b", "value": "definition"}]);
    ask(&world, "RegisterTaskDefinition", tagged).await;
    let tag = |key: &str, value: &str| json!({"key": key, "value": value});
    let request = json!([{"key": "a", "value": "request"}]);
    for (change, wanted) in [
        (json!({}), json!([])),
        (json!({"propagateTags": "NONE"}), json!([])),
        (json!({"tags": request}), json!([tag("a", "request")])),
        (json!({"propagateTags": "TASK_DEFINITION"}), json!([tag("a", "definition"), tag("b", "definition")])),
        (
            json!({"propagateTags": "TASK_DEFINITION", "tags": request, "enableECSManagedTags": true}),
            json!([tag("a", "request"), tag("b", "definition"), tag("aws:ecs:clusterName", "default")]),
        ),
    ] {
        let mut body = change.clone();
        body["taskDefinition"] = json!("tagged");
        let arn = run_one(&world, body).await;
        assert_eq!(describe(&world, &arn).await["tags"], wanted, "{change}");
        let bare = ask(&world, "DescribeTasks", json!({"tasks": [arn]})).await;
        assert_eq!(bare["tasks"][0]["tags"], json!([]), "only if asked for");
    }
}

#[tokio::test]
async fn overrides_are_shown_for_every_container() {
    let world = with_node().await;
    let bare = describe(&world, &run_one(&world, json!({"taskDefinition": "web"})).await).await;
    assert_eq!(
        bare["overrides"],
        json!({"containerOverrides": [{"name": "app"}, {"name": "sidecar"}], "inferenceAcceleratorOverrides": []})
    );
    let given = json!({"name": "sidecar", "command": ["true"], "environment": [{"name": "A", "value": "1"}], "cpu": 7});
    let overrides = json!({"containerOverrides": [given], "taskRoleArn": "arn:aws:iam::000000000000:role/r"});
    let task = describe(&world, &run_one(&world, json!({"taskDefinition": "web", "overrides": overrides})).await).await;
    assert_eq!(task["overrides"]["containerOverrides"], json!([{"name": "app"}, given]));
    assert_eq!(task["overrides"]["taskRoleArn"], "arn:aws:iam::000000000000:role/r");
    assert_eq!((&task["cpu"], &task["memory"]), (&json!("107"), &json!("96")));
    assert_eq!(task["containers"][1]["cpu"], "7");
}

#[tokio::test]
async fn groups_and_starters() {
    let world = with_node().await;
    for (change, group, started_by) in [
        (json!({}), "family:web", Value::Null),
        (json!({"group": "", "startedBy": ""}), "family:web", Value::Null),
        (json!({"group": "nightly", "startedBy": "events-rule/x:1.y"}), "nightly", json!("events-rule/x:1.y")),
        (json!({"referenceId": "r"}), "family:web", Value::Null),
    ] {
        let mut body = change.clone();
        body["taskDefinition"] = json!("web");
        let task = describe(&world, &run_one(&world, body).await).await;
        assert_eq!((&task["group"], &task["startedBy"]), (&json!(group), &started_by), "{change}");
    }
}

#[tokio::test]
async fn a_family_is_its_latest_active_revision() {
    let world = with_node().await;
    for _ in 0..2 {
        ask(&world, "RegisterTaskDefinition", bridge("web")).await;
    }
    ask(&world, "DeregisterTaskDefinition", json!({"taskDefinition": "web:3"})).await;
    let arn = |revision: u32| format!("arn:aws:ecs:us-east-1:000000000000:task-definition/web:{revision}");
    for (given, revision) in [("web".to_owned(), 2), ("web:1".to_owned(), 1), (arn(2), 2), (arn(1), 1)] {
        let task = describe(&world, &run_one(&world, json!({"taskDefinition": given})).await).await;
        assert_eq!(task["taskDefinitionArn"], json!(arn(revision)), "{given}");
    }
}

#[tokio::test]
async fn the_virtual_default_becomes_a_record() {
    let world = with_node().await;
    let arn = run_one(&world, json!({"taskDefinition": "web"})).await;
    assert!(arn.starts_with("arn:aws:ecs:us-east-1:000000000000:task/default/"), "{arn}");
    let state = world.api.view();
    let cluster = state.cluster(&world.caller.scope, "default").unwrap();
    assert!(cluster.record.incarnation > 0 && cluster.record.created_at == world.api.now());
    run_one(&world, json!({"taskDefinition": "web", "cluster": "arn:aws:ecs:us-east-1:000000000000:cluster/default"}))
        .await;
    let state = world.api.view();
    assert_eq!(state.all_clusters().count(), 1);
    assert_eq!(state.cluster(&world.caller.scope, "default").unwrap().tasks.len(), 2);
    assert_eq!(state.tasks_on(id(NODE)).count(), 2);
}
