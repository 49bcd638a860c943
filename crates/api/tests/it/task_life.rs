//! The life of a task as DescribeTasks tells it, step by step.

use serde_json::{Value, json};

use crate::harness::{World, assert_golden};
use crate::task_world::{arns, ask, bridge, describe, fargate, network, run_one, with_node};

/// The times of a task, in the order of life.
const TIMES: [&str; 8] = [
    "createdAt",
    "connectivityAt",
    "pullStartedAt",
    "pullStoppedAt",
    "startedAt",
    "stoppingAt",
    "executionStoppedAt",
    "stoppedAt",
];

/// Checks the order of the times a task has.
pub fn assert_in_order(task: &Value, times: &[&str]) {
    let given: Vec<f64> = times.iter().filter_map(|name| task[*name].as_f64()).collect();
    assert!(given.is_sorted(), "{times:?} are out of order: {task}");
}

async fn seen(world: &World, arn: &str, golden: &str) -> Value {
    let task = describe(world, arn).await;
    assert_golden(&format!("DescribeTasks/{golden}"), &task);
    assert_in_order(&task, &TIMES);
    task
}

fn seconds(world: &World) -> f64 {
    world.api.now().millis() as f64 / 1000.0
}

#[tokio::test]
async fn a_task_of_two_containers_from_run_to_stop() {
    let world = with_node().await;
    let mut definition = bridge("life");
    definition["containerDefinitions"][0]["portMappings"] = json!([{"containerPort": 80}]);
    ask(&world, "RegisterTaskDefinition", definition).await;
    let body = json!({
        "taskDefinition": "life", "startedBy": "ci", "tags": [{"key": "team", "value": "a"}],
        "overrides": {"containerOverrides": [{"name": "sidecar", "command": ["sleep", "9"]}]},
    });
    let arn = run_one(&world, body).await;
    seen(&world, &arn, "1-accepted").await;

    world.clock.advance(1500);
    let pull_started = seconds(&world);
    world.clock.advance(2000);
    let sidecar = json!({"containerName": "sidecar", "status": "RUNNING", "runtimeId": "5".repeat(64), "imageDigest": "sha256:55"});
    let report = json!({
        "task": arn, "containers": [sidecar], "pullStartedAt": pull_started, "pullStoppedAt": seconds(&world),
    });
    ask(&world, "SubmitTaskStateChange", report).await;
    let task = seen(&world, &arn, "2-one-container-runs").await;
    assert_eq!((&task["lastStatus"], &task["version"]), (&json!("PENDING"), &json!(2)));

    world.clock.advance(500);
    let binding = json!({"bindIP": "127.0.0.1", "containerPort": 80, "hostPort": 49153, "protocol": "tcp"});
    let app = json!({
        "containerName": "app", "status": "RUNNING", "runtimeId": "a".repeat(64), "imageDigest": "sha256:aa",
        "networkBindings": [binding],
    });
    ask(&world, "SubmitTaskStateChange", json!({"task": arn, "status": "RUNNING", "containers": [app]})).await;
    let task = seen(&world, &arn, "3-running").await;
    assert_eq!((&task["lastStatus"], task["startedAt"].as_f64()), (&json!("RUNNING"), Some(seconds(&world))));

    world.clock.advance(60_000);
    let stopping = ask(&world, "StopTask", json!({"task": arn})).await;
    let task = seen(&world, &arn, "4-stopping").await;
    assert_eq!(stopping["task"], task);
    assert_eq!((&task["lastStatus"], &task["desiredStatus"]), (&json!("RUNNING"), &json!("STOPPED")));

    world.clock.advance(800);
    let ended = seconds(&world);
    world.clock.advance(200);
    let exits = json!([
        {"containerName": "app", "status": "STOPPED", "exitCode": 143},
        {"containerName": "sidecar", "status": "STOPPED", "exitCode": 137, "reason": "OutOfMemoryError: Container killed due to memory usage"},
    ]);
    let report = json!({"task": arn, "status": "STOPPED", "containers": exits, "executionStoppedAt": ended});
    ask(&world, "SubmitTaskStateChange", report).await;
    let task = seen(&world, &arn, "5-stopped").await;
    assert!(TIMES.iter().all(|name| task[*name].is_number()), "{task}");
    assert_eq!((&task["stopCode"], &task["stoppedReason"]), (&json!("UserInitiated"), &json!("Task stopped by user")));
    assert_eq!(task["version"], 5);
}

#[tokio::test]
async fn a_task_whose_essential_container_exits() {
    let world = with_node().await;
    let arn = run_one(&world, json!({"taskDefinition": "web"})).await;
    world.clock.advance(1000);
    ask(&world, "SubmitTaskStateChange", json!({"task": arn, "status": "RUNNING"})).await;
    world.clock.advance(5000);
    let ended = seconds(&world);
    world.clock.advance(400);
    let exits = json!([{"containerName": "app", "status": "STOPPED", "exitCode": 3}]);
    let report = json!({"task": arn, "status": "STOPPED", "containers": exits, "executionStoppedAt": ended});
    ask(&world, "SubmitTaskStateChange", report).await;
    let task = describe(&world, &arn).await;
    assert_golden("DescribeTasks/essential-container-exited", &task);
    // What ends by itself has ended before the task begins to stop.
    assert_in_order(&task, &["startedAt", "executionStoppedAt", "stoppingAt", "stoppedAt"]);
    assert_eq!(task["containers"][1].get("exitCode"), None, "the sidecar said nothing");
}

#[tokio::test]
async fn a_task_that_cannot_start() {
    let world = with_node().await;
    let arn = run_one(&world, json!({"taskDefinition": "web"})).await;
    world.clock.advance(1000);
    let reason = "CannotPullContainerError: pull image manifest has been retried 1 time(s): not found";
    let exits = json!([{"containerName": "app", "status": "STOPPED", "reason": reason}]);
    ask(&world, "SubmitTaskStateChange", json!({"task": arn, "status": "STOPPED", "containers": exits})).await;
    let task = seen(&world, &arn, "failed-to-start").await;
    assert_eq!((&task["stopCode"], &task["stoppedReason"]), (&json!("TaskFailedToStart"), &json!(reason)));
    assert_eq!((task.get("startedAt"), task["containers"][0].get("exitCode")), (None, None));
}

#[tokio::test]
async fn a_fargate_task_provisions_and_runs() {
    let world = with_node().await;
    ask(&world, "RegisterTaskDefinition", fargate("far")).await;
    let body = json!({
        "taskDefinition": "far", "launchType": "FARGATE", "networkConfiguration": network(),
        "overrides": {"ephemeralStorage": {"sizeInGiB": 30}},
    });
    let arn = run_one(&world, body).await;
    seen(&world, &arn, "fargate-accepted").await;
    world.clock.advance(1000);
    ask(&world, "SubmitTaskStateChange", json!({"task": arn, "status": "RUNNING"})).await;
    let task = seen(&world, &arn, "fargate-running").await;
    assert_eq!((&task["connectivity"], &task["lastStatus"]), (&json!("CONNECTED"), &json!("RUNNING")));
}

#[tokio::test]
async fn stopped_tasks_stay_until_they_are_reaped() {
    let world = with_node().await;
    let arn = run_one(&world, json!({"taskDefinition": "web"})).await;
    crate::task_world::stopped(&world, &arn).await;
    let listed = ask(&world, "ListTasks", json!({"desiredStatus": "STOPPED"})).await;
    assert_eq!(listed["taskArns"], json!([arn]));
    assert_eq!(ask(&world, "ListTasks", json!({})).await["taskArns"], json!([]));
    assert_eq!(arns(&ask(&world, "DescribeTasks", json!({"tasks": [arn]})).await), [arn]);
}
