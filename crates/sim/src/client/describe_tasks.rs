//! DescribeTasks.

use serde_json::json;

use super::Client;
use crate::judge::audit;
use crate::world::Reply;

impl Client {
    pub(super) async fn describe_tasks(&mut self) {
        let cluster = self.stable_cluster();
        let arns = self.some_tasks(cluster, 10);
        if arns.is_empty() {
            return;
        }
        let called = self.call("DescribeTasks", &json!({"cluster": cluster, "tasks": arns})).await;
        let now = self.world.now();
        let mut judge = self.world.judge();
        match called.reply {
            Reply::Ok(answer) => match audit::take_in(&mut judge, &answer, 0, now) {
                Ok(seen) => {
                    let stopped = |arn: &String| seen.get(arn).map(|desired| desired == "STOPPED");
                    let all: Vec<_> = arns.iter().map(|arn| (arn.clone(), stopped(arn))).collect();
                    judge.history.describe(cluster, &all, called.invoked, called.returned);
                }
                Err(what) => judge.violation(what),
            },
            Reply::Refused { why } => judge.violation(format!("DescribeTasks in {cluster} was refused: {why}")),
            Reply::Unknown => {}
        }
    }
}
