//! A look at everything that can be seen, at one moment: nothing is awaited that another could use to change it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::tasks::{RETENTION_MILLIS, cluster_of};
use super::{Judge, indexes};
use crate::world::{Reply, Server, World};

/// Has the judge look at a server, with lists in pages of this size. Thoroughly: also at what only time changes.
pub(crate) async fn look(world: &World, server: &Server, page_size: u64, thoroughly: bool) {
    let outcome = everything(world, server, page_size, thoroughly).await;
    let mut judge = world.judge();
    judge.check(outcome);
}

async fn everything(world: &World, server: &Server, page_size: u64, thoroughly: bool) -> Result<(), String> {
    let state = server.api.view();
    indexes::check(&state)?;
    for cluster in state.all_clusters() {
        let name = &cluster.record.name;
        for task in cluster.tasks.iter() {
            let arn = format!("arn:aws:ecs:us-east-1:000000000000:task/{name}/{}", task.id);
            world.judge().tasks.is_at(&arn, task.sequence)?;
        }
    }
    for name in world.stable.iter().chain(&world.volatile) {
        look_at_cluster(world, server, name, page_size).await?;
    }
    let now = world.now();
    if thoroughly {
        look_at_definitions(world, server).await?;
        let judge = world.judge();
        judge.runs.are_whole(&judge.tasks, now - RETENTION_MILLIS)?;
    }
    Ok(())
}

/// The status of a cluster by its name; none if it is not there.
async fn status(world: &World, server: &Server, name: &str) -> Result<Option<String>, String> {
    match world.ask(server, "DescribeClusters", &json!({"clusters": [name]})).await {
        Reply::Ok(answer) => Ok(answer["clusters"][0]["status"].as_str().map(str::to_owned)),
        other => Err(format!("DescribeClusters of {name}: {other:?}")),
    }
}

async fn look_at_cluster(world: &World, server: &Server, name: &str, page_size: u64) -> Result<(), String> {
    let status = status(world, server, name).await?;
    if world.volatile.contains(&name) {
        world.judge().clusters.saw(name, status.as_deref())?;
    }
    if status.is_none() {
        return Ok(());
    }
    let epoch = world.judge().clusters.epoch(name);
    let mut listed = BTreeMap::new();
    if status.as_deref() == Some("ACTIVE") {
        for desired in ["RUNNING", "STOPPED"] {
            let began = world.tick();
            let arns = list(world, server, name, desired, page_size).await?;
            let ended = world.tick();
            let mut judge = world.judge();
            judge.history.list(name, desired == "STOPPED", &arns, began, ended);
            for arn in arns {
                judge.tasks.listed(&arn, epoch, desired == "STOPPED", world.now());
                if let Some(other) = listed.insert(arn.clone(), desired) {
                    return Err(format!("{arn} is listed as {other} and as {desired}"));
                }
            }
        }
    }
    let known = world.judge().tasks.present_in(name, epoch);
    let mut described = BTreeMap::new();
    for some in known.chunks(100) {
        describe(world, server, name, epoch, some, &mut described).await?;
    }
    if status.as_deref() == Some("ACTIVE") {
        agree(&listed, &described)?;
    }
    Ok(())
}

/// List and Describe show the same tasks with the same desired status.
fn agree(listed: &BTreeMap<String, &str>, described: &BTreeMap<String, String>) -> Result<(), String> {
    for (arn, desired) in listed {
        match described.get(arn) {
            Some(shown) if shown == desired => {}
            shown => return Err(format!("{arn} is listed as {desired} and described as {shown:?}")),
        }
    }
    match described.iter().find(|(arn, _)| !listed.contains_key(*arn)) {
        Some((arn, desired)) => Err(format!("{arn} is described as {desired} and not listed")),
        None => Ok(()),
    }
}

async fn list(
    world: &World,
    server: &Server,
    cluster: &str,
    desired: &str,
    page_size: u64,
) -> Result<Vec<String>, String> {
    let mut arns = Vec::new();
    let mut token = Value::Null;
    loop {
        let mut body = json!({"cluster": cluster, "desiredStatus": desired, "maxResults": page_size});
        if !token.is_null() {
            body["nextToken"] = token;
        }
        let answer = match world.ask(server, "ListTasks", &body).await {
            Reply::Ok(answer) => answer,
            other => return Err(format!("ListTasks {body}: {other:?}")),
        };
        let page = answer["taskArns"].as_array().into_iter().flatten();
        arns.extend(page.filter_map(|arn| arn.as_str().map(str::to_owned)));
        match answer.get("nextToken") {
            Some(next) => token = next.clone(),
            None => return Ok(arns),
        }
    }
}

/// Describes tasks that are known; what is there goes into `described` with its desired status.
async fn describe(
    world: &World,
    server: &Server,
    cluster: &str,
    epoch: u64,
    arns: &[String],
    described: &mut BTreeMap<String, String>,
) -> Result<(), String> {
    let began = world.tick();
    let answer = match world.ask(server, "DescribeTasks", &json!({"cluster": cluster, "tasks": arns})).await {
        Reply::Ok(answer) => answer,
        other => return Err(format!("DescribeTasks in {cluster}: {other:?}")),
    };
    let ended = world.tick();
    let mut judge = world.judge();
    let seen = take_in(&mut judge, &answer, epoch, world.now())?;
    let all: Vec<_> = arns.iter().map(|arn| (arn.clone(), seen.get(arn).map(|desired| desired == "STOPPED"))).collect();
    judge.history.describe(cluster, &all, began, ended);
    described.extend(seen);
    Ok(())
}

/// Takes in an answer of DescribeTasks; the desired status of each task that is there.
pub(crate) fn take_in(
    judge: &mut Judge,
    answer: &Value,
    epoch: u64,
    now: i64,
) -> Result<BTreeMap<String, String>, String> {
    let mut seen = BTreeMap::new();
    for task in answer["tasks"].as_array().into_iter().flatten() {
        judge.tasks.saw(task, epoch, now)?;
        let text = |name: &str| task[name].as_str().unwrap_or_default().to_owned();
        seen.insert(text("taskArn"), text("desiredStatus"));
    }
    for failure in answer["failures"].as_array().into_iter().flatten() {
        let arn = failure["arn"].as_str().unwrap_or_default();
        let epoch_of_task = judge.tasks.get(arn).map(|fact| fact.epoch);
        // A cluster of that name that came later knows nothing of it.
        if epoch_of_task == Some(judge.clusters.epoch(cluster_of(arn))) {
            judge.tasks.missed(arn, now)?;
        }
    }
    Ok(seen)
}

async fn look_at_definitions(world: &World, server: &Server) -> Result<(), String> {
    let all = world.judge().definitions.all();
    for (arn, tag) in all {
        let body = json!({"taskDefinition": arn, "include": ["TAGS"]});
        match world.ask(server, "DescribeTaskDefinition", &body).await {
            Reply::Ok(answer) if answer["tags"][0]["value"].as_str() == Some(&tag) => {}
            other => return Err(format!("{arn} was registered as {tag} and is {other:?}")),
        }
    }
    Ok(())
}
