//! The node's reports: each is repeated until it is acknowledged, and some arrive once more much later.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;

use super::node::Held;
use super::{Reply, World};
use crate::random::Random;

pub(super) struct Reports {
    world: Arc<World>,
    random: Random,
    /// Reports that were acknowledged.
    old: Vec<Value>,
}

impl Reports {
    pub(super) fn new(world: Arc<World>, random: Random) -> Self {
        Self { world, random, old: Vec::new() }
    }

    pub(super) async fn running(&mut self, arn: &str, task: &Held) {
        let report = json!({"task": arn, "status": "RUNNING", "containers": containers(task, "RUNNING")});
        self.submit(report).await;
    }

    /// The task has ended; sometimes its container says so first.
    pub(super) async fn ended(&mut self, arn: &str, task: &Held) {
        let began = self.world.tick();
        if self.random.per_mille(300) && !task.containers.is_empty() {
            self.submit(json!({"task": arn, "containers": containers(task, "STOPPED")})).await;
        }
        let report = json!({"task": arn, "status": "STOPPED", "containers": containers(task, "STOPPED")});
        self.submit(report).await;
        let ended = self.world.tick();
        self.world.judge().task_ended(arn, began, ended);
    }

    /// Now and then an old report arrives again.
    pub(super) async fn repeat(&mut self) {
        if self.random.per_mille(30)
            && let Some(report) = self.random.pick(&self.old).cloned()
        {
            self.submit(report).await;
        }
    }

    async fn submit(&mut self, report: Value) {
        loop {
            let called = self.world.call("node", "SubmitTaskStateChange", &report).await;
            match called.reply {
                Reply::Ok(_) => break,
                Reply::Refused { why } if !why.starts_with("Throttling") => {
                    self.world.judge().violation(format!("the report {report} was refused: {why}"));
                    break;
                }
                Reply::Refused { .. } | Reply::Unknown => sleep(Duration::from_millis(20)).await,
            }
        }
        if self.random.per_mille(50) {
            // It arrives twice.
            self.world.call("node", "SubmitTaskStateChange", &report).await;
        }
        self.old.push(report);
    }
}

fn containers(task: &Held, status: &str) -> Value {
    let one = |name: &String| {
        let exit_code = (status == "STOPPED").then_some(0);
        json!({"containerName": name, "status": status, "runtimeId": format!("run-{name}"), "exitCode": exit_code})
    };
    task.containers.iter().map(one).collect()
}
