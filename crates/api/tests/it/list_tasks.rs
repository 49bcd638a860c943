//! ListTasks: texts of refusals, and what a token is good for.

use bytes::Bytes;
use longshore_api::{Api, Caller};
use longshore_domain::cluster::{ClusterRecord, ClusterStatus};
use longshore_domain::task::{LaunchType, TaskRecord, TaskStatus};
use longshore_domain::{Scope, Timestamp};
use longshore_store::Record;
use serde_json::{Value, json};

use crate::harness::{World, caller, id, sqlite_world, world};
use crate::records::task;

async fn list(api: &Api, caller: &Caller, body: &Value) -> Value {
    let answer = api.call(caller, Some("ListTasks"), Bytes::from(body.to_string())).await;
    serde_json::from_slice(&answer.body).unwrap()
}

async fn refusal(world: &World, body: &Value) -> String {
    let answer = list(&world.api, &world.caller, body).await;
    format!("{}: {}", answer["__type"].as_str().unwrap_or("none"), answer["message"].as_str().unwrap_or_default())
}

fn cluster(scope: &Scope, name: &str, incarnation: u64) -> ClusterRecord {
    ClusterRecord::new(scope.clone(), name, incarnation, Timestamp::from_millis(0))
}

/// Ten tasks each in `default` and `web`; the even ones are of a service `x`, started by `ci`, on instance 7.
fn fleet(scope: &Scope) -> Vec<Record> {
    let mut records = vec![cluster(scope, "default", 1001).into(), cluster(scope, "web", 1002).into()];
    for incarnation in [1001, 1002] {
        for sequence in 1..=10 {
            let mut task = task(incarnation, sequence, LaunchType::Ec2, TaskStatus::Running);
            task.id = id(incarnation * 100 + sequence);
            if sequence % 2 == 0 {
                task.group = "service:x".into();
                task.started_by = Some("ci".into());
                task.container_instance = Some(id(7));
            }
            records.push(task.into());
        }
    }
    records
}

#[tokio::test]
async fn every_shape_has_its_text() {
    let world = world().await;
    let parameter = |text: &str| format!("InvalidParameterException: {text}");
    for (body, wanted) in [
        (json!({"maxResults": 0}), parameter("maxResults should be between 1 and 100")),
        (json!({"maxResults": 101}), parameter("maxResults should be between 1 and 100")),
        (json!({"maxResults": -1}), parameter("maxResults should be between 1 and 100")),
        (json!({"desiredStatus": "running"}), parameter("desired status should be one of [RUNNING,PENDING,STOPPED]")),
        (
            json!({"launchType": "LAMBDA"}),
            parameter("launch type should be one of [EC2,FARGATE,EXTERNAL,MANAGED_INSTANCES]"),
        ),
        (json!({"family": "a b"}), parameter(r"family must match ^[a-zA-Z0-9\\-_]+$")),
        (json!({"family": "web:1"}), parameter(r"family must match ^[a-zA-Z0-9\\-_]+$")),
        (json!({"family": ""}), parameter(r"family must match ^[a-zA-Z0-9\\-_]+$")),
        (json!({"startedBy": "a".repeat(129)}), parameter("ownerId longer than 128.")),
        (json!({"cluster": "a b"}), parameter(r"Cluster must match ^[a-zA-Z0-9\-_]{1,255}$, but was a b")),
        (json!({"cluster": "nope"}), "ClusterNotFoundException: Cluster not found.".into()),
        (json!({"serviceName": "x"}), "ServiceNotFoundException: Service not found.".into()),
        (json!({"containerInstance": "i-1"}), parameter("Container Instance Identifier is invalid")),
        (json!({"nextToken": ""}), parameter("Invalid token")),
        (json!({"nextToken": "ÿ"}), parameter("Invalid token")),
    ] {
        assert_eq!(refusal(&world, &body).await, wanted, "{body}");
    }
    for body in [json!({"startedBy": "a:b".repeat(42)}), json!({"daemonName": "none"}), json!({"desiredStatus": null})]
    {
        assert_eq!(list(&world.api, &world.caller, &body).await, json!({"taskArns": []}), "{body}");
    }
}

#[tokio::test]
async fn checks_run_in_their_order() {
    let world = world().await;
    // Each body breaks the rule of its line and all that come later.
    let mut body = json!({"nextToken": "x"});
    let mut steps = vec![("InvalidParameterException: Invalid token", body.clone())];
    for (member, value, text) in [
        ("containerInstance", "i-1", "InvalidParameterException: Container Instance Identifier is invalid"),
        ("cluster", "nope", "ClusterNotFoundException: Cluster not found."),
        ("serviceName", "x", "InvalidParameterException: cannot specify serviceName with other arguments"),
        ("startedBy", "ci", "InvalidParameterException: cannot specify startedBy with other arguments"),
        (
            "launchType",
            "X",
            "InvalidParameterException: launch type should be one of [EC2,FARGATE,EXTERNAL,MANAGED_INSTANCES]",
        ),
    ] {
        body[member] = json!(value);
        steps.push((text, body.clone()));
    }
    for (text, body) in steps {
        assert_eq!(refusal(&world, &body).await, text, "{body}");
    }
}

/// The token of a first page of one.
async fn token(api: &Api, caller: &Caller, filters: &Value) -> String {
    let mut body = filters.clone();
    body["maxResults"] = json!(1);
    list(api, caller, &body).await["nextToken"].as_str().expect("a second page").to_owned()
}

#[tokio::test]
async fn a_token_is_good_for_its_filters_however_they_are_written() {
    let world = world().await;
    world.put(fleet(&world.caller.scope)).await;
    let arn = |rest: &str| format!("arn:aws:ecs:us-east-1:000000000000:{rest}");
    let instance = format!("{:032x}", 7);
    for same in [
        vec![
            json!({}),
            json!({"cluster": "default"}),
            json!({"cluster": arn("cluster/default")}),
            json!({"desiredStatus": "RUNNING"}),
        ],
        vec![json!({"serviceName": "x"}), json!({"serviceName": arn("service/default/x")})],
        vec![
            json!({"containerInstance": instance}),
            json!({"containerInstance": arn(&format!("container-instance/default/{instance}"))}),
        ],
    ] {
        for first in &same {
            let token = token(&world.api, &world.caller, first).await;
            let mut pages = Vec::new();
            for second in &same {
                for max_results in [3, 100] {
                    let mut second = second.clone();
                    second["nextToken"] = json!(token);
                    second["maxResults"] = json!(max_results);
                    let page = list(&world.api, &world.caller, &second).await["taskArns"].clone();
                    assert!(page.as_array().is_some_and(|page| page.len() >= 3), "{second}: {page}");
                    pages.push(page[0].clone());
                }
            }
            pages.dedup();
            assert_eq!(pages.len(), 1, "{first}");
        }
    }
}

#[tokio::test]
async fn a_token_is_good_for_nothing_else() {
    let world = world().await;
    world.put(fleet(&world.caller.scope)).await;
    let (other_account, other_region) = (caller("111111111111", "us-east-1"), caller("000000000000", "eu-west-1"));
    for scope in [&other_account.scope, &other_region.scope] {
        let incarnation = if scope.region == other_account.scope.region { 1003 } else { 1004 };
        world.put(vec![cluster(scope, "default", incarnation).into()]).await;
    }
    let filters = [
        json!({}),
        json!({"cluster": "web"}),
        json!({"family": "web"}),
        json!({"startedBy": "ci"}),
        json!({"serviceName": "x"}),
        json!({"launchType": "EC2"}),
        json!({"family": "web", "launchType": "EC2"}),
        json!({"containerInstance": format!("{:032x}", 7)}),
        json!({"daemonName": "x"}),
        json!({"family": "other"}),
        json!({"desiredStatus": "STOPPED"}),
        json!({"desiredStatus": "PENDING"}),
    ];
    let refused = |body: Value| body["message"] == "Invalid token";
    for (at, first) in filters.iter().enumerate().take(8) {
        let token = token(&world.api, &world.caller, first).await;
        for (other, second) in filters.iter().enumerate() {
            let mut second = second.clone();
            second["nextToken"] = json!(token);
            let answer = list(&world.api, &world.caller, &second).await;
            assert_eq!(refused(answer), at != other, "{first} then {second}");
        }
        let mut same = first.clone();
        for caller in [&other_account, &other_region] {
            if first.get("cluster").is_none() && first.get("serviceName").is_none() {
                same["nextToken"] = json!(token);
                assert!(refused(list(&world.api, caller, &same).await), "{first} by {caller:?}");
            }
        }
        for end in 0..token.len() {
            same["nextToken"] = json!(token[..end]);
            assert!(refused(list(&world.api, &world.caller, &same).await), "{end} characters of a token");
            let letter = if token.as_bytes()[end] == b'A' { "B" } else { "A" };
            same["nextToken"] = json!(format!("{}{letter}{}", &token[..end], &token[end + 1..]));
            assert!(refused(list(&world.api, &world.caller, &same).await), "a token forged at {end}");
        }
    }
}

#[tokio::test]
async fn a_token_ends_with_the_clusters_incarnation() {
    let world = world().await;
    world.put(fleet(&world.caller.scope)).await;
    let mut body = json!({"cluster": "web"});
    body["nextToken"] = json!(token(&world.api, &world.caller, &body).await);
    let mut gone = cluster(&world.caller.scope, "web", 1002);
    gone.status = ClusterStatus::Inactive;
    world.put(vec![gone.into()]).await;
    assert_eq!(refusal(&world, &body).await, "ClusterNotFoundException: The referenced cluster was inactive.");
    let again: Vec<Record> =
        (11..=20).map(|sequence| task(1009, sequence, LaunchType::Ec2, TaskStatus::Running).into()).collect();
    world.put(vec![cluster(&world.caller.scope, "web", 1009).into()]).await;
    world.put(again).await;
    assert_eq!(refusal(&world, &body).await, "InvalidParameterException: Invalid token");
    let arns = list(&world.api, &world.caller, &json!({"cluster": "web"})).await["taskArns"].clone();
    assert_eq!(arns.as_array().unwrap().len(), 10, "only the new incarnation's tasks: {arns}");
}

#[tokio::test]
async fn a_traversal_goes_on_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let before = sqlite_world(directory.path(), 1).await;
    before.put(fleet(&before.caller.scope)).await;
    let all = list(&before.api, &before.caller, &json!({})).await["taskArns"].clone();
    let token = token(&before.api, &before.caller, &json!({})).await;
    drop(before);
    let after = sqlite_world(directory.path(), 1000).await;
    let rest = list(&after.api, &after.caller, &json!({"nextToken": token})).await["taskArns"].clone();
    assert_eq!(rest.as_array().unwrap()[..], all.as_array().unwrap()[1..]);
}

#[tokio::test]
async fn a_task_that_begins_to_stop_is_listed_as_stopped() {
    let world = world().await;
    world.put(fleet(&world.caller.scope)).await;
    let stopping = TaskRecord {
        desired_status: longshore_domain::task::DesiredStatus::Stopped,
        ..task(1001, 1, LaunchType::Ec2, TaskStatus::Running)
    };
    world.put(vec![TaskRecord { id: id(100_101), ..stopping }.into()]).await;
    let count = async |body: Value| list(&world.api, &world.caller, &body).await["taskArns"].as_array().unwrap().len();
    assert_eq!(count(json!({})).await, 9);
    assert_eq!(count(json!({"desiredStatus": "STOPPED"})).await, 1);
    assert_eq!(count(json!({"desiredStatus": "PENDING"})).await, 0);
}
