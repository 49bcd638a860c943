//! RunTask with and without client tokens, their replays, StopTask and DescribeTasks in the shared clusters.

use std::sync::atomic::Ordering;

use super::super::call::{Behaviour, Name, Request, RunTask};
use super::super::client::Over;
use super::Worker;

/// Tasks of one cluster that may run at once; beyond it some are stopped first.
const MOST_LIVE: usize = 150;

impl Worker<'_> {
    /// A RunTask that nobody has asked for yet.
    pub(super) fn new_run(&mut self, cluster: Name, most: usize) -> RunTask {
        let behaviour = self.random.pick(&Behaviour::ALL).copied().unwrap_or(Behaviour::Waiting);
        RunTask {
            cluster,
            family: behaviour.family().into(),
            count: self.random.between(1, most),
            started_by: self.client.shared.name("run"),
            token: None,
        }
    }

    pub(super) fn run(&mut self) -> Result<(), Over> {
        let cluster = self.cluster();
        if self.client.shared.judge().live(&cluster).len() > MOST_LIVE {
            return self.stop();
        }
        let mut run = self.new_run(cluster, 10);
        if self.random.chance(60) {
            run.token = Some(self.client.shared.name("token"));
            self.client.shared.remember(&run);
        }
        self.client.call(Request::RunTask(run)).map(drop)
    }

    /// Uses a token again, mostly with the same input.
    pub(super) fn replay(&mut self) -> Result<(), Over> {
        let remembered = self.client.shared.remembered();
        let recent = remembered.get(remembered.len().saturating_sub(20)..).unwrap_or_default();
        let from = if self.random.chance(70) { recent } else { &remembered };
        let Some(mut run) = self.random.pick(from).cloned() else { return Ok(()) };
        if self.random.chance(25) {
            run.started_by = self.client.shared.name("run");
            self.client.shared.remember(&run);
        }
        self.client.shared.counts.replays.fetch_add(1, Ordering::Relaxed);
        self.client.call(Request::RunTask(run)).map(drop)
    }

    pub(super) fn stop(&mut self) -> Result<(), Over> {
        let cluster = self.cluster();
        for _ in 0..self.random.between(1, 6) {
            let chosen = self.client.shared.judge().some_live(&cluster, &mut self.random);
            let Some(task) = chosen else { return Ok(()) };
            self.client.call(Request::StopTask { cluster: cluster.clone(), task })?;
        }
        Ok(())
    }

    pub(super) fn describe(&mut self) -> Result<(), Over> {
        let cluster = self.cluster();
        let most = if self.random.chance(20) { 100 } else { 10 };
        let tasks = self.client.shared.judge().some_tasks(&cluster, most, &mut self.random);
        if tasks.is_empty() {
            return Ok(());
        }
        self.client.call(Request::DescribeTasks { cluster, tasks }).map(drop)
    }
}
