//! ListTasks: whole lists, and traversals page by page while everything changes, across crashes too.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;

use super::Client;
use crate::judge::audit;
use crate::world::Reply;

fn arns_of(answer: &Value) -> Vec<String> {
    let arns = answer["taskArns"].as_array().into_iter().flatten();
    arns.filter_map(|arn| arn.as_str().map(str::to_owned)).collect()
}

impl Client {
    /// A list that fits into one page.
    pub(super) async fn list_tasks(&mut self) {
        let cluster = self.stable_cluster();
        let stopped = self.random.per_mille(400);
        let desired = if stopped { "STOPPED" } else { "RUNNING" };
        let called = self.call("ListTasks", &json!({"cluster": cluster, "desiredStatus": desired})).await;
        let now = self.world.now();
        let mut judge = self.world.judge();
        match called.reply {
            Reply::Ok(answer) => {
                let arns = arns_of(&answer);
                for arn in &arns {
                    judge.tasks.listed(arn, 0, stopped, now);
                }
                if answer.get("nextToken").is_none() {
                    judge.history.list(cluster, stopped, &arns, called.invoked, called.returned);
                }
            }
            Reply::Refused { why } => judge.violation(format!("ListTasks in {cluster} was refused: {why}")),
            Reply::Unknown => {}
        }
    }

    /// A traversal: what matches from before its first page until after its last is returned exactly once.
    pub(super) async fn traverse(&mut self) {
        let cluster = self.stable_cluster();
        let desired = if self.random.per_mille(300) { "STOPPED" } else { "RUNNING" };
        let mut body = json!({"cluster": cluster, "desiredStatus": desired, "maxResults": self.random.between(1, 8)});
        match self.random.below(4) {
            0 => body["family"] = "web".into(),
            1 => body["launchType"] = "FARGATE".into(),
            _ => {}
        }
        let before = self.matching(cluster, &body).await;
        let mut returned = Vec::new();
        loop {
            let called = self.call("ListTasks", &body).await;
            match called.reply {
                Reply::Ok(answer) => {
                    let arns = arns_of(&answer);
                    for arn in &arns {
                        self.world.judge().tasks.listed(arn, 0, desired == "STOPPED", self.world.now());
                    }
                    returned.extend(arns);
                    match answer.get("nextToken") {
                        Some(next) => body["nextToken"] = next.clone(),
                        None => break,
                    }
                }
                Reply::Refused { why } => {
                    return self.world.judge().violation(format!("ListTasks {body} was refused: {why}"));
                }
                Reply::Unknown => {}
            }
            sleep(Duration::from_millis(self.random.between(1, 40))).await;
        }
        let after = self.matching(cluster, &body).await;
        let distinct: BTreeSet<&String> = returned.iter().collect();
        let mut judge = self.world.judge();
        if distinct.len() < returned.len() {
            judge.violation(format!("a traversal of {cluster} returned a task twice: {returned:?}"));
        }
        if let Some(arn) = before.intersection(&after).find(|arn| !distinct.contains(arn)) {
            judge.violation(format!("a traversal by {body} left out {arn}, which matched all the time"));
        }
    }

    /// The known tasks that a listing matches now, found without it: one look, during which nothing changes.
    async fn matching(&self, cluster: &str, body: &Value) -> BTreeSet<String> {
        let server = self.world.server_up().await;
        let known = self.world.judge().tasks.present_in(cluster, 0);
        let mut matching = BTreeSet::new();
        for some in known.chunks(100) {
            let reply = self.world.ask(&server, "DescribeTasks", &json!({"cluster": cluster, "tasks": some})).await;
            let Reply::Ok(answer) = reply else { continue };
            let mut judge = self.world.judge();
            if let Err(what) = audit::take_in(&mut judge, &answer, 0, self.world.now()) {
                judge.violation(what);
            }
            let tasks = answer["tasks"].as_array().into_iter().flatten();
            matching.extend(
                tasks.filter(|task| matches(task, body)).filter_map(|task| task["taskArn"].as_str().map(str::to_owned)),
            );
        }
        matching
    }
}

/// Whether a listing wants a task.
fn matches(task: &Value, body: &Value) -> bool {
    let family = task["group"].as_str().and_then(|group| group.strip_prefix("family:"));
    task["desiredStatus"] == body["desiredStatus"]
        && body["family"].as_str().is_none_or(|wanted| family == Some(wanted))
        && (body["launchType"].is_null() || task["launchType"] == body["launchType"])
}
