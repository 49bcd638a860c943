//! What all parts of a node share.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use longshore_ecs_wire::Timestamp;
use tokio::sync::{Notify, Semaphore, mpsc, watch};
use tokio::task::JoinSet;

use super::config::NodeConfig;
use super::engine_calls::EngineCalls;
use super::inventory::Inventory;
use super::lock::lock;
use super::orphans::Orphans;
use super::task_loop::Input;
use super::task_spec::SpecContext;
use crate::api::EcsApi;
use crate::images::Images;

/// Tasks that report at once.
const REPORTS: usize = 10;
/// Ended tasks that are remembered, so that a late copy of a payload does not start one again.
const REMEMBERED: usize = 4096;

/// A task that the node knows.
pub(crate) struct KnownTask {
    /// Tells the task something.
    pub inbox: mpsc::UnboundedSender<Input>,
    /// Container instance it came for; empty if it was only found.
    pub container_instance: String,
    /// ARN of its cluster, as it came.
    pub cluster_arn: String,
    /// Whether it was told to stop.
    pub stopping: bool,
    /// Whether the server knows that it has stopped.
    pub end_is_known: bool,
    /// Its containers.
    pub containers: Vec<KnownContainer>,
}

/// A container of a task that the node knows.
#[derive(Debug, Clone)]
pub(crate) struct KnownContainer {
    /// Name in the task.
    pub name: String,
    /// Name on the engine.
    pub engine_name: String,
    /// Image.
    pub image: String,
}

/// The tasks of a node.
#[derive(Default)]
pub(crate) struct Tasks {
    /// By ARN.
    pub known: HashMap<String, KnownTask>,
    /// ARN by name of a container on the engine.
    pub by_container: HashMap<String, String>,
    /// Those that have ended and left nothing behind, with the time.
    pub ended: HashMap<String, Timestamp>,
}

impl Tasks {
    /// Notes which containers a known task has, so that changes of them reach it.
    pub(crate) fn know_containers(&mut self, arn: &str, containers: Vec<KnownContainer>) {
        let Some(task) = self.known.get_mut(arn) else { return };
        for container in &containers {
            self.by_container.insert(container.engine_name.clone(), arn.to_owned());
        }
        task.containers = containers;
    }

    /// Remembers that the task has ended; of too many, the oldest half is forgotten.
    pub(crate) fn end(&mut self, arn: &str, now: Timestamp) {
        for container in self.known.remove(arn).into_iter().flat_map(|task| task.containers) {
            self.by_container.remove(&container.engine_name);
        }
        self.ended.insert(arn.to_owned(), now);
        if self.ended.len() > REMEMBERED {
            let mut times: Vec<Timestamp> = self.ended.values().copied().collect();
            times.sort_unstable();
            let middle = times.get(times.len() / 2).copied().unwrap_or(now);
            self.ended.retain(|_, time| *time > middle);
        }
    }
}

/// The shared part of a node.
pub(crate) struct Shared {
    pub(crate) config: NodeConfig,
    pub(crate) spec_context: SpecContext,
    pub(crate) calls: Arc<EngineCalls>,
    pub(crate) images: Images,
    pub(crate) api: Arc<dyn EcsApi>,
    pub(crate) reports: Semaphore,
    pub(crate) tasks: Mutex<Tasks>,
    pub(crate) inventory: Inventory,
    pub(crate) orphans: Orphans,
    /// The highest sequence number of each container instance; a manifest is obeyed only if it is newer.
    pub(crate) sequence: Mutex<HashMap<String, i64>>,
    /// The tokio tasks of this node; none outlives it.
    pub(crate) work: Mutex<JoinSet<()>>,
    /// Whether the node shuts down.
    pub(crate) closing: watch::Sender<bool>,
    /// Rings whenever the server has learnt of a task's end.
    pub(crate) end_told: Notify,
}

impl Shared {
    pub(crate) fn new(config: NodeConfig, calls: Arc<EngineCalls>, api: Arc<dyn EcsApi>) -> Self {
        Self {
            spec_context: SpecContext {
                node_id: config.node_id.clone(),
                network_name: crate::ownership::network_name(&config.node_id),
                publish_address: config.publish_address,
            },
            images: Images::new(Arc::clone(&calls), config.image_pull_behavior),
            calls,
            api,
            reports: Semaphore::new(REPORTS),
            tasks: Mutex::default(),
            inventory: Inventory::default(),
            orphans: Orphans::new(config.data_dir.clone(), config.orphan_grace),
            sequence: Mutex::default(),
            work: Mutex::default(),
            closing: watch::Sender::new(false),
            end_told: Notify::new(),
            config,
        }
    }

    /// Runs `work` until it ends or the node does.
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let mut running = lock(&self.work);
        while running.try_join_next().is_some() {}
        running.spawn(work);
    }

    /// Takes in that the server's state was restored from a backup: what it was told of this container instance's tasks
    /// before may be lost, and is told again.
    pub(crate) fn server_was_restored(&self, container_instance: &str) {
        let tasks = lock(&self.tasks);
        let of_instance = tasks.known.values().filter(|task| task.container_instance == container_instance);
        for task in of_instance {
            // The loop is gone only when the task has ended.
            let _ = task.inbox.send(Input::ServerForgot);
        }
    }

    /// Notes that the server has learnt of the task's end.
    pub(crate) fn end_is_known(&self, arn: &str) {
        if let Some(task) = lock(&self.tasks).known.get_mut(arn) {
            task.end_is_known = true;
        }
        self.orphans.remove(arn);
        self.end_told.notify_waiters();
    }
}
