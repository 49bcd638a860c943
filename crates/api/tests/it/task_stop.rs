//! StopTask and DescribeTasks: identifiers, texts, and what a stop changes.

use serde_json::{Value, json};

use crate::task_world::{arns, ask, describe, refusal, run_one, stopped, with_node};

#[tokio::test]
async fn who_cannot_be_stopped() {
    let world = with_node().await;
    let arn = run_one(&world, json!({"taskDefinition": "web"})).await;
    ask(&world, "CreateCluster", json!({"clusterName": "other"})).await;
    ask(&world, "CreateCluster", json!({"clusterName": "gone"})).await;
    ask(&world, "DeleteCluster", json!({"cluster": "gone"})).await;
    let unknown = "0".repeat(32);
    let parameter = |text: &str| format!("InvalidParameterException: {text}");
    for (body, text) in [
        (json!({}), parameter("Task can not be blank.")),
        (json!({"task": ""}), parameter("Task Identifier is invalid")),
        (json!({"task": "x"}), parameter("Task Identifier is invalid")),
        (json!({"task": unknown.to_uppercase() + "A"}), parameter("Task Identifier is invalid")),
        (json!({"task": unknown}), parameter("The referenced task was not found.")),
        (
            json!({"task": arn, "cluster": "other"}),
            parameter("Invalid identifier: Identifier is for cluster default. Your cluster is other"),
        ),
        (json!({"task": arn, "cluster": "nope"}), "ClusterNotFoundException: Cluster not found.".into()),
        (
            json!({"task": arn, "cluster": "gone"}),
            "ClusterNotFoundException: The referenced cluster was inactive.".into(),
        ),
    ] {
        assert_eq!(refusal(&world, "StopTask", body.clone()).await, text, "{body}");
    }
    assert_eq!(describe(&world, &arn).await["desiredStatus"], "RUNNING");
}

#[tokio::test]
async fn a_stop_keeps_the_last_status_and_takes_the_callers_reason() {
    let world = with_node().await;
    let long = "r".repeat(1025);
    for (change, reason) in [
        (json!({}), "Task stopped by user"),
        (json!({"reason": ""}), "Task stopped by user"),
        (json!({"reason": "maintenance, ü"}), "maintenance, ü"),
        (json!({"reason": long}), &long[..1024]),
    ] {
        let arn = run_one(&world, json!({"taskDefinition": "web"})).await;
        world.clock.advance(1000);
        let mut body = change.clone();
        body["task"] = json!(arn.rsplit('/').next());
        let task = ask(&world, "StopTask", body).await["task"].clone();
        assert_eq!((&task["lastStatus"], &task["desiredStatus"]), (&json!("PENDING"), &json!("STOPPED")));
        assert_eq!((&task["stopCode"], &task["stoppedReason"]), (&json!("UserInitiated"), &json!(reason)));
        assert_eq!(task["stoppingAt"].as_f64(), Some(world.api.now().millis() as f64 / 1000.0));
        assert_eq!((task.get("stoppedAt"), &task["version"]), (None, &json!(2)));
        assert_eq!(describe(&world, &arn).await, task);
    }
}

#[tokio::test]
async fn a_second_stop_changes_nothing() {
    let world = with_node().await;
    let arn = run_one(&world, json!({"taskDefinition": "web"})).await;
    let first = ask(&world, "StopTask", json!({"task": arn, "reason": "one"})).await;
    world.clock.advance(1000);
    assert_eq!(ask(&world, "StopTask", json!({"task": arn, "reason": "two"})).await, first);
    stopped(&world, &arn).await;
    let ended = describe(&world, &arn).await;
    assert_eq!((&ended["lastStatus"], &ended["stoppedReason"]), (&json!("STOPPED"), &json!("one")));
    assert_eq!(ask(&world, "StopTask", json!({"task": arn})).await["task"], ended);
    // A task that ended by itself keeps its own reason.
    let other = run_one(&world, json!({"taskDefinition": "web"})).await;
    stopped(&world, &other).await;
    let ended = describe(&world, &other).await;
    assert_eq!(ask(&world, "StopTask", json!({"task": other})).await["task"], ended);
    assert_eq!(ended["stopCode"], "TaskFailedToStart");
}

#[tokio::test]
async fn who_cannot_be_described() {
    let world = with_node().await;
    let arn = run_one(&world, json!({"taskDefinition": "web"})).await;
    let parameter = |text: &str| format!("InvalidParameterException: {text}");
    for (body, text) in [
        (json!({}), parameter("Tasks cannot be empty.")),
        (json!({"tasks": []}), parameter("Tasks cannot be empty.")),
        (json!({"tasks": vec![&arn; 101]}), parameter("taskIds can have at most 100 items.")),
        (json!({"tasks": [arn, "x"]}), parameter("Task Identifier is invalid")),
        (json!({"tasks": [arn], "include": ["tags"]}), parameter("include should be one of [TAGS]")),
        (json!({"tasks": [arn], "cluster": "nope"}), "ClusterNotFoundException: Cluster not found.".into()),
        (
            json!({"tasks": [arn, arn.replace("/default/", "/other/")]}),
            parameter("Invalid identifier: Identifier is for cluster other. Your cluster is default"),
        ),
    ] {
        assert_eq!(refusal(&world, "DescribeTasks", body.clone()).await, text, "{body}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_missing() {
    let world = with_node().await;
    let answer = ask(&world, "RunTask", json!({"taskDefinition": "web", "count": 2})).await;
    let [one, two] = &arns(&answer)[..] else { panic!("two tasks") };
    let unknown = "f".repeat(32);
    let id = one.rsplit('/').next().unwrap();
    let described = ask(&world, "DescribeTasks", json!({"tasks": [one, id, unknown, two, unknown]})).await;
    assert_eq!(arns(&described), [one.clone(), two.clone()], "each once, by id or by ARN");
    let missing = format!("arn:aws:ecs:us-east-1:000000000000:task/default/{unknown}");
    assert_eq!(described["failures"], json!([{"arn": missing, "reason": "MISSING"}]));
    let nothing = ask(&world, "DescribeTasks", json!({"tasks": [unknown]})).await;
    assert_eq!(nothing["tasks"], Value::Array(vec![]));
}

#[tokio::test]
async fn tasks_of_a_deleted_cluster_are_described_until_its_name_is_used_again() {
    let world = with_node().await;
    ask(&world, "CreateCluster", json!({"clusterName": "web"})).await;
    let arn = run_one(&world, json!({"taskDefinition": "web", "cluster": "web"})).await;
    stopped(&world, &arn).await;
    ask(&world, "DeleteCluster", json!({"cluster": "web"})).await;
    assert_eq!(describe(&world, &arn).await["lastStatus"], "STOPPED");
    let listed = refusal(&world, "ListTasks", json!({"cluster": "web"})).await;
    assert_eq!(listed, "ClusterNotFoundException: The referenced cluster was inactive.");
    ask(&world, "CreateCluster", json!({"clusterName": "web"})).await;
    assert_eq!(describe(&world, &arn).await, Value::Null, "a task of the old cluster");
    let again = run_one(&world, json!({"taskDefinition": "web", "cluster": "web"})).await;
    assert_eq!(ask(&world, "ListTasks", json!({"cluster": "web"})).await["taskArns"], json!([again]));
    let state = world.api.view();
    let sequences: Vec<u64> = state
        .all_clusters()
        .flat_map(|cluster| cluster.tasks.iter().map(|task| task.sequence).collect::<Vec<_>>())
        .collect();
    assert_eq!(sequences, [1, 2], "no sequence number is used again");
}
