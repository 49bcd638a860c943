//! RunTask's client tokens.

use serde_json::{Value, json};

use crate::harness::{World, sqlite_world};
use crate::records::node;
use crate::task_world::{NODE, arns, ask, bridge, call_as, machine, reasons, refusal, stopped, with_node};

const HOUR: i64 = 3_600_000;

async fn run(world: &World, token: &str, change: Value) -> Value {
    let mut body = json!({"taskDefinition": "web", "clientToken": token});
    for (name, value) in change.as_object().unwrap() {
        body[name] = value.clone();
    }
    ask(world, "RunTask", body).await
}

async fn tasks_in_all(world: &World) -> usize {
    world.api.view().all_clusters().map(|cluster| cluster.tasks.len()).sum()
}

#[tokio::test]
async fn the_same_request_has_the_same_answer() {
    let world = with_node().await;
    let first = run(&world, "t", json!({"count": 3})).await;
    assert_eq!(arns(&first).len(), 3);
    world.clock.advance(1000);
    assert_eq!(run(&world, "t", json!({"count": 3})).await, first);
    assert_eq!(
        run(&world, "t", json!({"count": 3, "cluster": "default"})).await,
        first,
        "an absent cluster is default"
    );
    let arn = "arn:aws:ecs:us-east-1:000000000000:cluster/default";
    assert_eq!(run(&world, "t", json!({"count": 3, "cluster": arn})).await, first, "so is its ARN");
    assert_eq!(tasks_in_all(&world).await, 3);
    let one = run(&world, "u", json!({})).await;
    assert_eq!(run(&world, "u", json!({"count": 1})).await, one, "an absent count is 1");
    assert_ne!(arns(&run(&world, "T", json!({"count": 3})).await), arns(&first), "case counts");
    for other in ["v", "w"] {
        ask(&world, "RunTask", json!({"taskDefinition": "web"})).await;
        run(&world, other, json!({})).await;
    }
    assert_eq!(tasks_in_all(&world).await, 3 + 1 + 3 + 4, "without a token each request is another");
}

#[tokio::test]
async fn a_replay_shows_tasks_as_they_are_now_and_little_of_stopped_ones() {
    let world = with_node().await;
    let first = run(&world, "t", json!({"count": 2})).await;
    let (one, two) = (arns(&first)[0].clone(), arns(&first)[1].clone());
    ask(&world, "SubmitTaskStateChange", json!({"task": two, "status": "RUNNING"})).await;
    stopped(&world, &one).await;
    let again = run(&world, "t", json!({"count": 2})).await;
    assert_eq!(again["tasks"][0], json!({"taskArn": one, "lastStatus": "STOPPED", "desiredStatus": "STOPPED"}));
    assert_eq!((&again["tasks"][1]["taskArn"], &again["tasks"][1]["lastStatus"]), (&json!(two), &json!("RUNNING")));
}

#[tokio::test]
async fn other_parameters_are_a_conflict_that_names_the_tasks() {
    let world = with_node().await;
    let first = run(&world, "t", json!({"count": 2})).await;
    ask(&world, "RegisterTaskDefinition", bridge("other")).await;
    for change in [
        json!({"count": 3}),
        json!({"count": 2, "startedBy": "x"}),
        json!({"count": 2, "taskDefinition": "other"}),
        json!({"count": 2, "overrides": {"cpu": "1"}}),
        json!({"count": 2, "tags": [{"key": "a", "value": "b"}]}),
    ] {
        let mut body = json!({"taskDefinition": "web", "clientToken": "t"});
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
        let (status, error) = call_as(&world, &world.caller, "RunTask", body).await;
        assert_eq!((status, &error["__type"]), (400, &json!("ConflictException")), "{change}");
        assert_eq!(error["resourceIds"], json!(arns(&first)), "{change}");
    }
    assert_eq!(tasks_in_all(&world).await, 2);
}

#[tokio::test]
async fn a_token_belongs_to_its_cluster() {
    let world = with_node().await;
    let first = run(&world, "t", json!({})).await;
    ask(&world, "CreateCluster", json!({"clusterName": "other"})).await;
    let other = run(&world, "t", json!({"cluster": "other", "count": 2})).await;
    assert_eq!(arns(&other).len(), 2);
    assert_eq!(run(&world, "t", json!({})).await, first);
    for arn in arns(&other) {
        stopped(&world, &arn).await;
    }
    ask(&world, "DeleteCluster", json!({"cluster": "other"})).await;
    ask(&world, "CreateCluster", json!({"clusterName": "other"})).await;
    let again = run(&world, "t", json!({"cluster": "other"})).await;
    assert!(!arns(&other).contains(&arns(&again)[0]), "a new cluster of the same name has tokens of its own");
}

#[tokio::test]
async fn a_token_of_a_task_that_runs_lives_a_day() {
    let world = with_node().await;
    let first = run(&world, "t", json!({})).await;
    world.clock.advance(24 * HOUR - 1);
    assert_eq!(run(&world, "t", json!({})).await, first);
    world.clock.advance(1);
    let second = run(&world, "t", json!({"startedBy": "x"})).await;
    assert_ne!(arns(&second), arns(&first), "then it is as good as new");
    assert_eq!(run(&world, "t", json!({"startedBy": "x"})).await, second);
}

#[tokio::test]
async fn a_token_outlives_its_last_task_by_an_hour() {
    let world = with_node().await;
    let first = run(&world, "t", json!({"count": 2})).await;
    world.clock.advance(2 * HOUR);
    stopped(&world, &arns(&first)[0]).await;
    world.clock.advance(HOUR);
    stopped(&world, &arns(&first)[1]).await;
    world.clock.advance(HOUR - 1);
    assert_eq!(arns(&run(&world, "t", json!({"count": 2})).await), arns(&first));
    world.clock.advance(1);
    assert_ne!(arns(&run(&world, "t", json!({"count": 2})).await), arns(&first));
}

#[tokio::test]
async fn failures_are_repeated_for_an_hour_and_then_counted() {
    let world = with_node().await;
    world.put(vec![machine(NODE, 250, 4000).into()]).await;
    let first = run(&world, "t", json!({"count": 5})).await;
    assert_eq!((arns(&first).len(), reasons(&first)), (2, vec!["RESOURCE:CPU"; 3]));
    world.clock.advance(HOUR - 1);
    assert_eq!(run(&world, "t", json!({"count": 5})).await, first);
    world.clock.advance(1);
    let later = run(&world, "t", json!({"count": 5})).await;
    assert_eq!((arns(&later), later["failures"].clone()), (arns(&first), json!([{"reason": "3 failures"}])));
}

#[tokio::test]
async fn total_failure_is_remembered_too_and_a_refusal_is_not() {
    let world = with_node().await;
    world.put(vec![machine(NODE, 10, 4000).into()]).await;
    assert_eq!(reasons(&run(&world, "t", json!({})).await), ["RESOURCE:CPU"]);
    assert!(
        refusal(&world, "RunTask", json!({"taskDefinition": "nope", "clientToken": "u"})).await.starts_with("Client")
    );
    world.put(vec![node(NODE).into()]).await;
    assert_eq!(reasons(&run(&world, "t", json!({})).await), ["RESOURCE:CPU"]);
    assert_eq!(arns(&run(&world, "u", json!({})).await).len(), 1);
    world.clock.advance(HOUR);
    assert_eq!(arns(&run(&world, "t", json!({})).await).len(), 1);
}

#[tokio::test]
async fn a_token_works_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let before = sqlite_world(directory.path(), 1).await;
    before.put(vec![node(NODE).into()]).await;
    ask(&before, "RegisterTaskDefinition", bridge("web")).await;
    let first = run(&before, "t", json!({"count": 2})).await;
    drop(before);
    let after = sqlite_world(directory.path(), 1000).await;
    assert_eq!(run(&after, "t", json!({"count": 2})).await, first);
    assert!(
        refusal(&after, "RunTask", json!({"taskDefinition": "web", "clientToken": "t"})).await.starts_with("Conflict")
    );
    assert_eq!(tasks_in_all(&after).await, 2);
}

#[tokio::test]
async fn many_at_once_start_one() {
    let world = with_node().await;
    let calls = (0..20).map(|_| {
        let (api, caller) = (world.api.clone(), world.caller.clone());
        tokio::spawn(async move {
            let body = json!({"taskDefinition": "web", "clientToken": "t"}).to_string();
            api.call(&caller, Some("RunTask"), body.into()).await
        })
    });
    let mut answers = Vec::new();
    for call in calls.collect::<Vec<_>>() {
        answers.push(call.await.unwrap());
    }
    answers.dedup();
    assert_eq!(answers.len(), 1);
    assert_eq!(tasks_in_all(&world).await, 1);
}
