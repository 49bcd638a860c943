//! RunTask, with client tokens and their replays.

use std::time::Duration;

use serde_json::json;
use tokio::time::sleep;

use super::Client;
use crate::world::{Called, Reply};

/// A token protects for an hour at least; replays are made while that is certain.
const REPLAYED_MILLIS: i64 = 3_000_000;

impl Client {
    pub(super) async fn run_task(&mut self) {
        let cluster = self.stable_cluster();
        self.run_in(cluster).await;
    }

    /// In a cluster that may be deleted meanwhile.
    pub(super) async fn run_in_volatile(&mut self) {
        let volatile = self.world.volatile;
        let cluster = self.random.pick(&volatile).copied().unwrap_or_default();
        self.run_in(cluster).await;
    }

    async fn run_in(&mut self, cluster: &'static str) {
        let tag = self.name("run");
        let count = self.random.between(1, 4);
        let mut request = json!({"cluster": cluster, "count": count, "startedBy": tag});
        if self.random.per_mille(300) {
            request["taskDefinition"] = "far".into();
            request["launchType"] = "FARGATE".into();
            request["networkConfiguration"] = json!({"awsvpcConfiguration": {"subnets": ["subnet-1"]}});
        } else {
            request["taskDefinition"] = "web".into();
        }
        if self.random.per_mille(600) {
            request["clientToken"] = format!("token-{tag}").into();
        }
        let (tick, now) = (self.world.tick(), self.world.now());
        let epoch = self.world.judge().clusters.epoch(cluster);
        self.world.judge().runs.begun(&tag, cluster, &request, (tick, now), epoch);
        let twice = request.get("clientToken").is_some() && self.random.per_mille(100);
        let called = if twice {
            let (called, again) = tokio::join!(self.call("RunTask", &request), self.call("RunTask", &request));
            self.answered(&tag, cluster, &again);
            called
        } else {
            self.call("RunTask", &request).await
        };
        self.answered(&tag, cluster, &called);
        let retries = request.get("clientToken").is_some() && self.random.per_mille(700);
        if called.reply == Reply::Unknown && retries {
            // As every AWS client does.
            sleep(Duration::from_millis(self.random.between(1, 100))).await;
            let called = self.call("RunTask", &request).await;
            self.answered(&tag, cluster, &called);
        }
    }

    /// The same token again: with the same request, or with another.
    pub(super) async fn repeat_run_task(&mut self) {
        let since = self.world.now() - REPLAYED_MILLIS;
        let stable = self.world.stable;
        let young = self.world.judge().runs.with_token(since);
        let young: Vec<_> = young.into_iter().filter(|(_, run)| stable.contains(&run.cluster.as_str())).collect();
        let Some((tag, run)) = self.random.pick(&young).cloned() else { return };
        if run.tasks.is_some() && self.random.per_mille(200) {
            let mut other = run.request.clone();
            other["count"] = 9.into();
            let called = self.call("RunTask", &other).await;
            // The clock may have jumped while it was asked.
            let still_young = run.at > self.world.now() - REPLAYED_MILLIS;
            match called.reply {
                Reply::Refused { why } if why.starts_with("ConflictException") => {}
                Reply::Unknown => {}
                other if still_young => {
                    self.world.judge().violation(format!("a token used otherwise, {tag}: {other:?}"));
                }
                _ => {}
            }
            return;
        }
        let called = self.call("RunTask", &run.request).await;
        self.answered(&tag, &run.cluster, &called);
    }

    fn answered(&self, tag: &str, cluster: &str, called: &Called) {
        let now = self.world.now();
        let mut judge = self.world.judge();
        let judge = &mut *judge;
        match &called.reply {
            Reply::Ok(answer) => {
                let epoch = judge.runs.epoch(tag);
                let mut outcome = Ok(());
                for task in answer["tasks"].as_array().into_iter().flatten() {
                    outcome = outcome.and_then(|()| judge.tasks.was_shown(task, epoch, now));
                }
                let outcome =
                    outcome.and_then(|()| judge.runs.answered(tag, answer, called.returned, &judge.tasks, now));
                judge.check(outcome);
            }
            Reply::Refused { why } => {
                if self.world.stable.contains(&cluster) && !why.starts_with("Throttling") {
                    judge.violation(format!("RunTask {tag} was refused: {why}"));
                }
                judge.runs.refused(tag);
            }
            Reply::Unknown => {}
        }
    }
}
