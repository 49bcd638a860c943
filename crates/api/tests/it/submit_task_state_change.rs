//! A node's reports: late, doubled, out of order, wrong, and by a clock that is off.

use serde_json::{Value, json};

use crate::harness::{World, caller};
use crate::task_life::assert_in_order;
use crate::task_world::{ask, call_as, describe, refusal, run_one, with_node};

async fn report(world: &World, arn: &str, change: Value) -> Value {
    let mut body = change;
    body["task"] = json!(arn);
    ask(world, "SubmitTaskStateChange", body).await;
    describe(world, arn).await
}

async fn pending(world: &World) -> String {
    run_one(world, json!({"taskDefinition": "web"})).await
}

#[tokio::test]
async fn what_is_repeated_changes_nothing() {
    let world = with_node().await;
    let arn = pending(&world).await;
    for change in [
        json!({"containers": [{"containerName": "app", "status": "RUNNING", "runtimeId": "r"}]}),
        json!({"status": "RUNNING"}),
        json!({"containers": [{"containerName": "app", "status": "STOPPED", "exitCode": 1}]}),
        json!({"status": "STOPPED", "reason": "x"}),
    ] {
        let first = report(&world, &arn, change.clone()).await;
        world.clock.advance(1000);
        assert_eq!(report(&world, &arn, change.clone()).await, first, "{change}");
    }
}

#[tokio::test]
async fn nothing_goes_backwards() {
    let world = with_node().await;
    let arn = pending(&world).await;
    let containers = json!([{"containerName": "app", "status": "STOPPED", "exitCode": 7, "runtimeId": "r"}]);
    let running = report(&world, &arn, json!({"status": "RUNNING", "containers": containers})).await;
    for late in [
        json!({"status": "PENDING"}),
        json!({"status": "RUNNING"}),
        json!({"containers": [{"containerName": "app", "status": "RUNNING"}]}),
        json!({"containers": [{"containerName": "app", "status": "PENDING"}]}),
        json!({"status": "CREATED"}),
        json!({"status": "running"}),
        json!({}),
    ] {
        world.clock.advance(1000);
        assert_eq!(report(&world, &arn, late.clone()).await, running, "{late}");
    }
    let stopped = report(&world, &arn, json!({"status": "STOPPED"})).await;
    for late in [
        json!({"status": "RUNNING"}),
        json!({"status": "STOPPED", "reason": "another"}),
        json!({"containers": [{"containerName": "app", "status": "RUNNING", "exitCode": 9, "runtimeId": "s"}]}),
        json!({"pullStartedAt": 1_700_000_000, "executionStoppedAt": 1_700_000_000}),
    ] {
        assert_eq!(report(&world, &arn, late.clone()).await, stopped, "{late}");
    }
}

#[tokio::test]
async fn one_container_may_stand_in_a_report_twice() {
    let world = with_node().await;
    let arn = pending(&world).await;
    let containers = json!([
        {"containerName": "app", "status": "RUNNING", "runtimeId": "r"},
        {"containerName": "app", "status": "STOPPED", "exitCode": 0},
        {"containerName": "nobody", "status": "RUNNING"},
        {"status": "RUNNING"},
    ]);
    let task = report(&world, &arn, json!({"containers": containers})).await;
    let app = &task["containers"][0];
    assert_eq!((&app["lastStatus"], &app["runtimeId"], &app["exitCode"]), (&json!("STOPPED"), &json!("r"), &json!(0)));
    assert_eq!(task["containers"][1]["lastStatus"], "PENDING");
    // It ran, so the task did not fail to start although it was never RUNNING.
    let task = report(&world, &arn, json!({"status": "STOPPED"})).await;
    assert_eq!(task["stopCode"], "EssentialContainerExited");
    assert_eq!(task["containers"][1]["lastStatus"], "STOPPED", "every container of a stopped task is");
}

#[tokio::test]
async fn a_task_that_runs_after_it_was_asked_to_stop() {
    let world = with_node().await;
    let arn = pending(&world).await;
    ask(&world, "StopTask", json!({"task": arn})).await;
    world.clock.advance(1000);
    let running = report(&world, &arn, json!({"status": "RUNNING"})).await;
    assert_eq!((&running["lastStatus"], &running["desiredStatus"]), (&json!("RUNNING"), &json!("STOPPED")));
    let stopped =
        report(&world, &arn, json!({"status": "STOPPED", "reason": "Essential container in task exited"})).await;
    assert_eq!(
        (&stopped["stopCode"], &stopped["stoppedReason"]),
        (&json!("UserInitiated"), &json!("Task stopped by user"))
    );
}

#[tokio::test]
async fn why_a_task_did_not_start() {
    let world = with_node().await;
    let of_app = json!([{"containerName": "app", "status": "STOPPED", "reason": "CannotCreateContainerError: x"}]);
    let long = "r".repeat(2000);
    for (change, reason) in [
        (json!({"reason": "ResourceInitializationError: y", "containers": of_app}), "ResourceInitializationError: y"),
        (json!({"reason": "", "containers": of_app}), "CannotCreateContainerError: x"),
        (json!({}), "Task failed to start"),
        (json!({"reason": long}), &long[..1024]),
    ] {
        let mut change = change;
        change["status"] = json!("STOPPED");
        let task = report(&world, &pending(&world).await, change).await;
        assert_eq!((&task["stopCode"], &task["stoppedReason"]), (&json!("TaskFailedToStart"), &json!(reason)));
    }
}

#[tokio::test]
async fn a_nodes_clock_may_be_off() {
    let world = with_node().await;
    for skew in [-3_600_000_i64, 3_600_000] {
        let arn = pending(&world).await;
        let created = world.api.now().millis();
        let at = |world: &World| (world.api.now().millis() + skew) as f64 / 1000.0;
        world.clock.advance(1000);
        let pull_started = at(&world);
        world.clock.advance(1000);
        let pulls = json!({"pullStartedAt": pull_started, "pullStoppedAt": at(&world)});
        report(&world, &arn, pulls).await;
        world.clock.advance(1000);
        report(&world, &arn, json!({"status": "RUNNING"})).await;
        world.clock.advance(1000);
        let task = report(&world, &arn, json!({"status": "STOPPED", "executionStoppedAt": at(&world)})).await;
        let times = [
            "createdAt",
            "connectivityAt",
            "pullStartedAt",
            "pullStoppedAt",
            "startedAt",
            "executionStoppedAt",
            "stoppingAt",
            "stoppedAt",
        ];
        assert_in_order(&task, &times);
        let bounds = created as f64 / 1000.0..=world.api.now().millis() as f64 / 1000.0;
        for name in times {
            let time = task[name].as_f64().unwrap();
            assert!(bounds.contains(&time), "{skew}: {name} is {time}, not in {bounds:?}");
        }
    }
}

#[tokio::test]
async fn what_is_unknown_is_acknowledged_and_what_is_wrong_refused() {
    let world = with_node().await;
    let arn = pending(&world).await;
    let before = world.api.view();
    for unknown in [
        format!("arn:aws:ecs:us-east-1:000000000000:task/default/{}", "0".repeat(32)),
        format!("arn:aws:ecs:us-east-1:000000000000:task/nope/{}", "0".repeat(32)),
    ] {
        let answer = ask(&world, "SubmitTaskStateChange", json!({"task": unknown, "status": "RUNNING"})).await;
        assert_eq!(answer, json!({"acknowledgment": "0".repeat(32)}));
    }
    let foreign = arn.replace("us-east-1", "eu-west-1");
    for task in [
        Value::Null,
        json!(""),
        json!("x"),
        json!("0".repeat(32)),
        json!(foreign),
        json!(arn.replace(":task/", ":service/")),
    ] {
        let refused = refusal(&world, "SubmitTaskStateChange", json!({"task": task, "status": "STOPPED"})).await;
        assert!(refused.ends_with("Exception: Task Identifier is invalid"), "{task}: {refused}");
    }
    let nameless = json!({"task": arn, "managedAgents": [{"containerName": "app", "status": "RUNNING"}]});
    assert!(refusal(&world, "SubmitTaskStateChange", nameless).await.contains("managedAgentName can not be blank."));
    let stranger = caller("111111111111", "us-east-1");
    let (status, _) =
        call_as(&world, &stranger, "SubmitTaskStateChange", json!({"task": arn, "status": "STOPPED"})).await;
    assert_eq!(status, 400, "a task of another account");
    let tasks = |state: &longshore_store::State| -> Vec<_> {
        state.all_clusters().flat_map(|cluster| cluster.tasks.iter().collect::<Vec<_>>()).collect()
    };
    assert_eq!(tasks(&before), tasks(&world.api.view()));
}

#[tokio::test]
async fn ports_are_shown_in_order() {
    let world = with_node().await;
    let arn = pending(&world).await;
    let binding = |container: u16, host: u16| json!({"containerPort": container, "hostPort": host, "protocol": "tcp"});
    let bindings = json!([binding(81, 2), binding(80, 3), binding(80, 1)]);
    let containers = json!([{"containerName": "app", "status": "RUNNING", "networkBindings": bindings}]);
    let task = report(&world, &arn, json!({"containers": containers})).await;
    assert_eq!(task["containers"][0]["networkBindings"], json!([binding(80, 1), binding(80, 3), binding(81, 2)]));
    let again = json!([{"containerName": "app", "status": "STOPPED", "networkBindings": []}]);
    let task = report(&world, &arn, json!({"containers": again})).await;
    assert_eq!(task["containers"][0]["networkBindings"].as_array().unwrap().len(), 3, "an exit does not forget them");
}
