//! StopTask.

use serde_json::json;

use super::Client;
use crate::judge::tasks::cluster_of;
use crate::world::Reply;

impl Client {
    pub(super) async fn stop_task(&mut self) {
        let cluster = if self.random.per_mille(150) {
            let volatile = self.world.volatile;
            self.random.pick(&volatile).copied().unwrap_or_default()
        } else {
            self.stable_cluster()
        };
        let Some(arn) = self.some_tasks(cluster, 1).pop() else { return };
        let called = self.call("StopTask", &json!({"cluster": cluster, "task": arn, "reason": "simulated"})).await;
        let now = self.world.now();
        let mut judge = self.world.judge();
        let done = match &called.reply {
            Reply::Ok(answer) => {
                let epoch = judge.clusters.epoch(cluster_of(&arn));
                let outcome = judge.tasks.was_shown(&answer["task"], epoch, now);
                judge.check(outcome);
                Some(true)
            }
            Reply::Refused { why } if why.starts_with("Throttling") => return,
            Reply::Refused { why } => {
                if self.world.stable.contains(&cluster) {
                    let outcome = judge.tasks.missed(&arn, now).map_err(|what| format!("StopTask: {why}: {what}"));
                    judge.check(outcome);
                }
                Some(false)
            }
            Reply::Unknown => None,
        };
        judge.history.stop(&arn, called.invoked, called.returned, done);
    }
}
