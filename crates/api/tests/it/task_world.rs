//! A world for tests of tasks: operations called by name with JSON, definitions and machines to run them.

use bytes::Bytes;
use longshore_api::Caller;
use longshore_domain::Resources;
use longshore_domain::node::NodeRecord;
use serde_json::{Value, json};

use crate::harness::{World, world};
use crate::records::{attribute, node};

/// The machine's number.
pub const NODE: u64 = 9;

/// A built-in machine with 2,048 CPU units, 3,955 MiB and port 22 kept, and the definition `web` for it.
pub async fn with_node() -> World {
    let world = world().await;
    let mut machine = node(NODE);
    machine.attributes.push(attribute("ecs.cpu-architecture", Some("arm64")));
    world.put(vec![machine.into()]).await;
    ask(&world, "RegisterTaskDefinition", bridge("web")).await;
    world
}

/// A machine with exactly this CPU and memory, and no port kept.
pub fn machine(number: u64, cpu: u64, memory: u64) -> NodeRecord {
    NodeRecord { capacity: Resources { cpu, memory, ..Resources::default() }, ..node(number) }
}

/// A definition with two containers in bridge mode: 100 CPU units and 96 MiB.
pub fn bridge(family: &str) -> Value {
    json!({"family": family, "containerDefinitions": [
        {"name": "app", "image": "busybox:1", "cpu": 100, "memory": 64},
        {"name": "sidecar", "image": "busybox:2", "memory": 64, "memoryReservation": 32, "essential": false},
    ]})
}

/// A definition that FARGATE runs: 256 CPU units and 512 MiB.
pub fn fargate(family: &str) -> Value {
    json!({
        "family": family, "networkMode": "awsvpc", "cpu": "256", "memory": "512", "requiresCompatibilities": ["FARGATE"],
        "containerDefinitions": [{"name": "app", "image": "busybox:1"}],
    })
}

/// A network configuration with one subnet.
pub fn network() -> Value {
    json!({"awsvpcConfiguration": {"subnets": ["subnet-1"]}})
}

/// Calls an operation as somebody; status and body.
pub async fn call_as(world: &World, caller: &Caller, operation: &str, body: Value) -> (u16, Value) {
    let answer = world.api.call(caller, Some(operation), Bytes::from(body.to_string())).await;
    (answer.status, serde_json::from_slice(&answer.body).unwrap())
}

/// Calls an operation that succeeds.
pub async fn ask(world: &World, operation: &str, body: Value) -> Value {
    let (status, answer) = call_as(world, &world.caller, operation, body.clone()).await;
    assert_eq!(status, 200, "{operation} {body}: {answer}");
    answer
}

/// Calls an operation that is refused; `Class: text`.
pub async fn refusal(world: &World, operation: &str, body: Value) -> String {
    let (status, answer) = call_as(world, &world.caller, operation, body.clone()).await;
    assert_eq!(status, 400, "{operation} {body}: {answer}");
    format!("{}: {}", answer["__type"].as_str().unwrap(), answer["message"].as_str().unwrap_or_default())
}

/// The ARNs of the tasks in an answer.
pub fn arns(answer: &Value) -> Vec<String> {
    let tasks = answer["tasks"].as_array().unwrap().iter();
    tasks.map(|task| task["taskArn"].as_str().unwrap().to_owned()).collect()
}

/// The reasons of the failures in an answer.
pub fn reasons(answer: &Value) -> Vec<&str> {
    answer["failures"].as_array().unwrap().iter().map(|failure| failure["reason"].as_str().unwrap()).collect()
}

/// Runs one task; its ARN.
pub async fn run_one(world: &World, body: Value) -> String {
    let answer = ask(world, "RunTask", body).await;
    arns(&answer).pop().expect("a task")
}

/// A task as DescribeTasks shows it, with its tags.
pub async fn describe(world: &World, arn: &str) -> Value {
    let cluster = arn.split('/').nth(1).unwrap();
    let answer = ask(world, "DescribeTasks", json!({"cluster": cluster, "tasks": [arn], "include": ["TAGS"]})).await;
    answer["tasks"][0].clone()
}

/// Reports that a task has stopped.
pub async fn stopped(world: &World, arn: &str) {
    ask(world, "SubmitTaskStateChange", json!({"task": arn, "status": "STOPPED"})).await;
}
