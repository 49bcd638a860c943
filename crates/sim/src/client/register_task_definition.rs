//! RegisterTaskDefinition, and the clusters that are never deleted.

use serde_json::{Value, json};

use super::Client;
use crate::world::Reply;

/// Families that are registered again and again; nobody runs them.
const FAMILIES: [&str; 2] = ["worn", "torn"];

fn definition(family: &str, tag: &str) -> Value {
    let mut body = json!({
        "family": family,
        "containerDefinitions": [{"name": "app", "image": "busybox:1", "cpu": 10, "memory": 16}],
        "tags": [{"key": "simulated", "value": tag}],
    });
    if family == "far" {
        body["networkMode"] = "awsvpc".into();
        body["requiresCompatibilities"] = json!(["FARGATE"]);
        body["cpu"] = "256".into();
        body["memory"] = "512".into();
    }
    body
}

impl Client {
    /// What every other call needs.
    pub(super) async fn register_first(&mut self) {
        for cluster in self.world.stable {
            while !matches!(self.call("CreateCluster", &json!({"clusterName": cluster})).await.reply, Reply::Ok(_)) {}
        }
        for family in ["web", "far"] {
            while self.world.judge().definitions.highest(family) == 0 && self.world.judge().is_good() {
                self.register(family).await;
            }
        }
    }

    pub(super) async fn register_some(&mut self) {
        let family = self.random.pick(&FAMILIES).copied().unwrap_or_default();
        self.register(family).await;
    }

    async fn register(&mut self, family: &str) {
        let tag = self.name("definition");
        let before = self.world.judge().definitions.highest(family);
        let called = self.call("RegisterTaskDefinition", &definition(family, &tag)).await;
        let mut judge = self.world.judge();
        match called.reply {
            Reply::Ok(answer) => {
                let made = &answer["taskDefinition"];
                let revision = made["revision"].as_u64().unwrap_or_default();
                let arn = made["taskDefinitionArn"].as_str().unwrap_or_default();
                let outcome = judge.definitions.registered(family, revision, arn, &tag, before);
                judge.check(outcome);
            }
            Reply::Refused { why } if why.starts_with("Throttling") => {}
            Reply::Refused { why } => judge.violation(format!("RegisterTaskDefinition {tag} was refused: {why}")),
            Reply::Unknown => {}
        }
    }
}
