//! From a name and a body to an answer: what every operation does with what is no request.

use bytes::Bytes;
use longshore_api::Answer;
use longshore_ecs_wire::Operation;
use serde_json::{Value, json};

use crate::harness::{World, world};

async fn call(world: &World, operation: Option<&str>, body: impl Into<Bytes>) -> (Answer, Value) {
    let answer = world.api.call(&world.caller, operation, body.into()).await;
    let value = serde_json::from_slice(&answer.body).unwrap();
    (answer, value)
}

#[tokio::test]
async fn an_operation_that_does_not_exist_is_unknown() {
    let world = world().await;
    for name in [None, Some(""), Some("listtasks"), Some("ListTasks "), Some("List")] {
        let (answer, body) = call(&world, name, "{}").await;
        assert_eq!((answer.status, body), (400, json!({"__type": "UnknownOperationException"})), "{name:?}");
    }
}

#[tokio::test]
async fn what_is_no_json_object_cannot_be_read() {
    let world = world().await;
    let deep = "[".repeat(100_000);
    for body in ["{", "[]", "1", "\"x\"", "{\"cluster\":}", "{} x", "\u{feff}{}", "{'a':1}", deep.as_str(), "\0"] {
        for name in ["ListTasks", "RunTask", "DescribeTasks", "CreateCluster", "SubmitTaskStateChange"] {
            let (answer, error) = call(&world, Some(name), body.to_owned()).await;
            let start: String = body.chars().take(20).collect();
            assert_eq!((answer.status, &error["__type"]), (400, &json!("SerializationException")), "{name} {start}");
        }
    }
    let (answer, error) = call(&world, Some("ListTasks"), &b"{\"cluster\":\"\xff\"}"[..]).await;
    assert_eq!((answer.status, &error["__type"]), (400, &json!("SerializationException")));
}

#[tokio::test]
async fn a_wrong_json_type_cannot_be_read() {
    let world = world().await;
    for (name, body) in [
        ("ListTasks", json!({"cluster": 1})),
        ("ListTasks", json!({"maxResults": "10"})),
        ("ListTasks", json!({"maxResults": 1.5})),
        ("ListTasks", json!({"maxResults": 1_i64 << 40})),
        ("ListTasks", json!({"launchType": ["EC2"]})),
        ("DescribeTasks", json!({"tasks": "x"})),
        ("DescribeTasks", json!({"tasks": [1]})),
        ("RunTask", json!({"taskDefinition": {}, "count": 1})),
        ("RunTask", json!({"taskDefinition": "f", "tags": [{"key": true}]})),
        ("SubmitTaskStateChange", json!({"task": "x", "pullStartedAt": "now"})),
    ] {
        let (answer, error) = call(&world, Some(name), body.to_string()).await;
        assert_eq!((answer.status, &error["__type"]), (400, &json!("SerializationException")), "{name} {body}");
    }
}

#[tokio::test]
async fn null_is_absent_and_what_is_unknown_is_ignored() {
    let world = world().await;
    for body in ["", "{}", r#"{"cluster":null,"family":null}"#, r#"{"colour":"red","Cluster":"x","tags":[{"a":{}}]}"#] {
        let (answer, list) = call(&world, Some("ListTasks"), body).await;
        assert_eq!((answer.status, list), (200, json!({"taskArns": []})), "{body}");
    }
    let (answer, _) = call(&world, Some("ListClusters"), "").await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn nothing_a_caller_sends_is_the_servers_fault() {
    let world = world().await;
    let texts = ["", " ", "\0", "arn:aws:ecs:us-east-1:000000000000:task/default", "arn:::::", "é:1", ":", "x:0", "/"];
    for operation in Operation::ALL {
        for text in texts {
            for value in [json!(text), json!([text]), json!([{"name": text, "key": text}]), json!(-1), json!(true)] {
                let members = operation.request_members();
                // All members at once, then each alone.
                let all = members.iter().map(|member| (member.name.to_owned(), value.clone())).collect();
                let alone = members.iter().map(|member| json!({ member.name: value }));
                for body in std::iter::once(Value::Object(all)).chain(alone) {
                    let (answer, error) = call(&world, Some(operation.name()), body.to_string()).await;
                    assert!(answer.status < 500, "{operation:?} {body}: {error}");
                }
            }
        }
    }
}
