//! The engine as the runner calls it: never too many calls at once, and every failure noted.
//!
//! Docker wedges under heavy concurrency, so each kind of call has its own limit, first come, first served; a stop that
//! waits out its timeout never holds up a start. Deadlines are the engine's ([`crate::deadline::Deadlined`]).

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::{Mutex, Semaphore};

use super::health::HealthMonitor;
use crate::engine::{ContainerSpec, Engine, EngineError, Image, NetworkMode, Observed, OnProgress};
use crate::minimal_image;
use crate::ownership::{self, NODE_LABEL, PROBE_LABEL};

/// Containers that are created or started at once.
const STARTS: usize = 8;
/// Containers that are stopped at once.
const STOPS: usize = 64;
/// Looks at once.
const LOOKS: usize = 16;
/// Removals at once.
const REMOVALS: usize = 4;
/// Images that are pulled at once.
const PULLS: usize = 64;

/// The engine of one node.
pub(crate) struct EngineCalls {
    engine: Arc<dyn Engine>,
    node_id: String,
    network_name: String,
    network_is_there: Mutex<bool>,
    starts: Semaphore,
    stops: Semaphore,
    looks: Semaphore,
    removals: Semaphore,
    pulls: Semaphore,
    pub(crate) health: HealthMonitor,
}

impl EngineCalls {
    pub(crate) fn new(engine: Arc<dyn Engine>, node_id: String) -> Self {
        Self {
            engine,
            network_name: ownership::network_name(&node_id),
            node_id,
            network_is_there: Mutex::new(false),
            starts: Semaphore::new(STARTS),
            stops: Semaphore::new(STOPS),
            looks: Semaphore::new(LOOKS),
            removals: Semaphore::new(REMOVALS),
            pulls: Semaphore::new(PULLS),
            health: HealthMonitor::default(),
        }
    }

    pub(crate) fn node_id(&self) -> &str {
        &self.node_id
    }

    /// Notes a failure and passes the answer on.
    fn noted<T>(&self, answer: Result<T, EngineError>) -> Result<T, EngineError> {
        if let Err(error) = &answer {
            self.health.note(error);
        }
        answer
    }

    pub(crate) async fn image(&self, reference: &str) -> Result<Option<Image>, EngineError> {
        let _turn = self.looks.acquire().await;
        self.noted(self.engine.image(reference).await)
    }

    /// A pull that times out speaks against the registry, not against the engine.
    pub(crate) async fn pull(&self, reference: &str, progress: OnProgress<'_>) -> Result<Image, EngineError> {
        let _turn = self.pulls.acquire().await;
        let answer = self.engine.pull(reference, progress).await;
        if let Err(error @ EngineError::Unreachable(_)) = &answer {
            self.health.note(error);
        }
        answer
    }

    /// Creates a container, its network first.
    pub(crate) async fn create(&self, spec: &ContainerSpec) -> Result<String, EngineError> {
        if let NetworkMode::Bridge(_) = &spec.network {
            self.ensure_network().await?;
        }
        let _turn = self.starts.acquire().await;
        self.noted(self.engine.create(spec).await)
    }

    /// Starts a container. Docker looks for the container's network only now: if something is not found, the network is
    /// made again and the start repeated once.
    pub(crate) async fn start(&self, runtime_id: &str, spec: &ContainerSpec) -> Result<(), EngineError> {
        let answer = self.start_once(runtime_id).await;
        let Err(EngineError::NotFound(_)) = answer else { return answer };
        let NetworkMode::Bridge(_) = spec.network else { return answer };
        *self.network_is_there.lock().await = false;
        self.ensure_network().await?;
        self.start_once(runtime_id).await
    }

    async fn start_once(&self, runtime_id: &str) -> Result<(), EngineError> {
        let _turn = self.starts.acquire().await;
        self.noted(self.engine.start(runtime_id).await)
    }

    pub(crate) async fn stop(&self, runtime_id: &str, timeout_seconds: u32) -> Result<(), EngineError> {
        let _turn = self.stops.acquire().await;
        self.noted(self.engine.stop(runtime_id, timeout_seconds).await)
    }

    pub(crate) async fn remove(&self, runtime_id: &str) -> Result<(), EngineError> {
        let _turn = self.removals.acquire().await;
        self.noted(self.engine.remove(runtime_id).await)
    }

    pub(crate) async fn inspect(&self, id_or_name: &str) -> Result<Observed, EngineError> {
        let _turn = self.looks.acquire().await;
        self.noted(self.engine.inspect(id_or_name).await)
    }

    /// All containers of this node.
    pub(crate) async fn list(&self) -> Result<Vec<Observed>, EngineError> {
        self.noted(self.engine.list(NODE_LABEL, &self.node_id).await)
    }

    /// The changes of this node's containers.
    pub(crate) fn events(&self) -> tokio::sync::mpsc::Receiver<crate::engine::EngineEvent> {
        self.engine.events(NODE_LABEL, &self.node_id)
    }

    async fn ensure_network(&self) -> Result<(), EngineError> {
        let mut is_there = self.network_is_there.lock().await;
        if !*is_there {
            let labels = ownership::node_labels(&self.node_id);
            self.noted(self.engine.ensure_network(&self.network_name, &labels).await)?;
            *is_there = true;
        }
        Ok(())
    }

    /// Removes the node's network; it must have no containers any more.
    pub(crate) async fn remove_network(&self) -> Result<(), EngineError> {
        *self.network_is_there.lock().await = false;
        self.noted(self.engine.remove_network(&self.network_name).await)
    }

    /// Proves that the engine answers and, `with_container`, that it really starts something.
    pub(crate) async fn prove(&self, with_container: bool) -> Result<(), EngineError> {
        self.engine.ping().await?;
        if !with_container {
            return Ok(());
        }
        let reference = match minimal_image::ensure(self.engine.as_ref()).await {
            Err(EngineError::Unsupported(_)) => return Ok(()),
            other => other?,
        };
        let mut labels: BTreeMap<String, String> = ownership::node_labels(&self.node_id);
        labels.insert(PROBE_LABEL.to_owned(), "true".to_owned());
        self.engine.probe(&reference, &labels).await
    }
}
