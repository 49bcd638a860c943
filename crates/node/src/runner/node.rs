//! A node: everything between an engine and the server.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use tokio::time::{Instant, timeout_at};

use super::assign;
use super::config::NodeConfig;
use super::engine_calls::EngineCalls;
use super::health::EngineHealth;
use super::inventory::watch_engine;
use super::lock::lock;
use super::orphans::watch_orphans;
use super::shared::Shared;
use crate::api::EcsApi;
use crate::engine::{Engine, PullProgress};
use crate::orphans::Orphan;
use crate::session::{self, SessionEnd, SessionStream};

/// How long the start waits for the engine's list. An engine that is down does not keep the node from starting.
const START_WAIT: Duration = Duration::from_secs(5);
/// Time kept for removing containers at the end of a shutdown.
const REMOVAL_TIME: Duration = Duration::from_secs(10);
/// Containers removed at once at a shutdown.
const REMOVALS: usize = 4;
/// What tasks are reported with that a shutdown stops.
const SHUTDOWN_REASON: &str = "the node was shut down and told to stop its tasks";

/// A running node. Dropping it ends its work at once and leaves its containers alone.
pub struct Node {
    shared: Arc<Shared>,
}

impl Node {
    /// Starts a node: finds its containers, watches them, and waits for sessions. The engine must put a deadline on each
    /// call ([`crate::deadline::Deadlined`]), the API too.
    pub async fn start(config: NodeConfig, engine: Arc<dyn Engine>, api: Arc<dyn EcsApi>) -> Self {
        let with_container = config.probe_with_container;
        let calls = Arc::new(EngineCalls::new(engine, config.node_id.clone()));
        let shared = Arc::new(Shared::new(config, Arc::clone(&calls), api));
        shared.spawn(watch_engine(Arc::clone(&shared)));
        shared.spawn(watch_orphans(Arc::clone(&shared)));
        shared.spawn(async move { calls.health.watch(|| calls.prove(with_container)).await });
        if !shared.inventory.listed(START_WAIT).await {
            tracing::warn!("the container engine does not list its containers; tasks fail until it works");
        }
        Self { shared }
    }

    /// Serves one session, until the server closes it or the node shuts down. Several can run at once, one for each
    /// container instance.
    pub async fn run_session(&self, stream: SessionStream) -> SessionEnd {
        session::run(&self.shared, stream).await
    }

    /// Whether the engine works.
    pub fn engine_health(&self) -> EngineHealth {
        self.shared.calls.health.state()
    }

    /// How far the pulls of a task are, by container; `None` if the node does not have the task, no entry for a
    /// container whose image is not being pulled.
    pub fn pull_progress(&self, task_arn: &str) -> Option<BTreeMap<String, PullProgress>> {
        let containers = lock(&self.shared.tasks).known.get(task_arn)?.containers.clone();
        let progress = |image: &str| self.shared.images.progress(image);
        Some(containers.into_iter().filter_map(|known| Some((known.name, progress(&known.image)?))).collect())
    }

    /// Tasks that the server does not know and of which containers run here, by ARN.
    pub fn orphans(&self) -> Vec<Orphan> {
        self.shared.orphans.list()
    }

    /// Ends the node's work. The containers stay, for a later node to adopt; or, with `stop_tasks`, all tasks are
    /// stopped and reported, and all containers and the network removed, within [`NodeConfig::shutdown_deadline`].
    pub async fn shutdown(&self, stop_tasks: bool) {
        self.shared.closing.send_replace(true);
        let deadline = Instant::now() + self.shared.config.shutdown_deadline;
        if stop_tasks {
            self.stop_all(deadline - REMOVAL_TIME.min(self.shared.config.shutdown_deadline)).await;
        }
        let mut work = std::mem::take(&mut *lock(&self.shared.work));
        work.shutdown().await;
        if stop_tasks && timeout_at(deadline, self.remove_all()).await.is_err() {
            tracing::warn!("not all containers could be removed in time; the next start will find them");
        }
    }

    /// Stops all tasks and waits until the server knows.
    async fn stop_all(&self, deadline: Instant) {
        for task in lock(&self.shared.tasks).known.values_mut() {
            assign::stop(task, Some(SHUTDOWN_REASON.to_owned()));
        }
        loop {
            let told = self.shared.end_told.notified();
            let mut told = std::pin::pin!(told);
            told.as_mut().enable();
            let left = lock(&self.shared.tasks).known.values().filter(|task| !task.end_is_known).count();
            if left == 0 {
                return;
            }
            if timeout_at(deadline, told).await.is_err() {
                tracing::warn!(
                    tasks = left,
                    "not all tasks have stopped in time; their containers are removed by force"
                );
                return;
            }
        }
    }

    async fn remove_all(&self) {
        let calls = &self.shared.calls;
        let containers = match calls.list().await {
            Ok(containers) => containers,
            Err(error) => {
                tracing::warn!(%error, "the engine's containers cannot be listed, so none is removed");
                return;
            }
        };
        let removals = stream::iter(containers).map(|container| async move {
            if let Err(error) = calls.remove(&container.runtime_id).await {
                tracing::warn!(name = container.name, %error, "a container cannot be removed");
            }
        });
        removals.buffer_unordered(REMOVALS).collect::<()>().await;
        if let Err(error) = calls.remove_network().await {
            tracing::warn!(%error, "the node's network cannot be removed");
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.shared.closing.send_replace(true);
        lock(&self.shared.work).abort_all();
    }
}
