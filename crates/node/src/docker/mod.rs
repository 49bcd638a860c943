//! The engine `docker`: any engine that speaks Docker's API 1.41 or newer.
//!
//! [`DockerEngine`] is the trait's methods and nothing else; each concern has its file. Calls have no deadlines here:
//! wrap it in [`crate::deadline::Deadlined`].

mod answer;
mod connect;
mod container;
mod endpoint;
mod errors;
mod events;
mod image;
mod network;
mod rfc3339;
mod spec;

use std::collections::BTreeMap;

use tokio::sync::Mutex;
use tokio::sync::mpsc::Receiver;

use self::connect::Connection;
pub use self::endpoint::Endpoint;
use crate::engine::{BoxFuture, ContainerSpec, Engine, EngineError, EngineEvent, Image, Observed, OnProgress};

/// Containers through Docker's API.
#[derive(Debug)]
pub struct DockerEngine {
    connection: Connection,
    endpoint: Endpoint,
    /// Held while a network is made, so that two tasks that start together do not make it twice.
    network: Mutex<()>,
}

impl DockerEngine {
    /// An engine at `endpoint`. Nothing is sent yet: whether it answers, [`Engine::ping`] tells.
    ///
    /// # Errors
    ///
    /// [`EngineError::Unreachable`] if the address cannot be one.
    pub fn new(endpoint: Endpoint) -> Result<Self, EngineError> {
        let connection = Connection::new(&endpoint, None)?;
        Ok(Self { connection, endpoint, network: Mutex::new(()) })
    }

    /// The engine of this machine; see [`Endpoint::from_environment`].
    ///
    /// # Errors
    ///
    /// [`EngineError::Unsupported`] if `DOCKER_HOST` is of a kind that is not supported.
    pub fn from_environment() -> Result<Self, EngineError> {
        Self::new(Endpoint::from_environment()?)
    }

    /// Where it listens.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    async fn version(&self) -> Result<String, EngineError> {
        let answer = self.connection.docker.version().await.map_err(|error| match errors::classify(error) {
            EngineError::Unreachable(why) => EngineError::Unreachable(format!("{}: {why}", self.endpoint)),
            other => other,
        })?;
        let version = answer.version.unwrap_or_else(|| "of unknown version".into());
        Ok(match answer.api_version {
            Some(api) => format!("{version} (API {api})"),
            None => version,
        })
    }

    async fn make_network(&self, name: &str, labels: &BTreeMap<String, String>) -> Result<(), EngineError> {
        let _one_at_a_time = self.network.lock().await;
        network::ensure(&self.connection, name, labels).await
    }
}

impl Engine for DockerEngine {
    fn name(&self) -> &'static str {
        "docker"
    }

    fn ping(&self) -> BoxFuture<'_, Result<String, EngineError>> {
        Box::pin(self.version())
    }

    fn image<'a>(&'a self, reference: &'a str) -> BoxFuture<'a, Result<Option<Image>, EngineError>> {
        Box::pin(image::inspect(&self.connection.docker, reference))
    }

    fn pull<'a>(&'a self, reference: &'a str, progress: OnProgress<'a>) -> BoxFuture<'a, Result<Image, EngineError>> {
        Box::pin(image::pull(&self.connection.docker, reference, progress))
    }

    fn import_image<'a>(
        &'a self,
        reference: &'a str,
        rootfs_tar: Vec<u8>,
        entry_point: &'a [String],
    ) -> BoxFuture<'a, Result<Image, EngineError>> {
        Box::pin(image::import(&self.connection.docker, reference, rootfs_tar, entry_point))
    }

    fn remove_image<'a>(&'a self, reference: &'a str) -> BoxFuture<'a, Result<(), EngineError>> {
        Box::pin(image::remove(&self.connection.docker, reference))
    }

    fn ensure_network<'a>(
        &'a self,
        name: &'a str,
        labels: &'a BTreeMap<String, String>,
    ) -> BoxFuture<'a, Result<(), EngineError>> {
        Box::pin(self.make_network(name, labels))
    }

    fn remove_network<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), EngineError>> {
        Box::pin(network::remove(&self.connection, name))
    }

    fn create<'a>(&'a self, spec: &'a ContainerSpec) -> BoxFuture<'a, Result<String, EngineError>> {
        Box::pin(container::create(&self.connection, spec))
    }

    fn start<'a>(&'a self, runtime_id: &'a str) -> BoxFuture<'a, Result<(), EngineError>> {
        Box::pin(container::start(&self.connection, runtime_id))
    }

    fn stop<'a>(&'a self, runtime_id: &'a str, timeout_seconds: u32) -> BoxFuture<'a, Result<(), EngineError>> {
        Box::pin(container::stop(&self.connection, runtime_id, timeout_seconds))
    }

    fn remove<'a>(&'a self, runtime_id: &'a str) -> BoxFuture<'a, Result<(), EngineError>> {
        Box::pin(container::remove(&self.connection, runtime_id))
    }

    fn inspect<'a>(&'a self, id_or_name: &'a str) -> BoxFuture<'a, Result<Observed, EngineError>> {
        Box::pin(container::inspect(&self.connection, id_or_name))
    }

    fn list<'a>(&'a self, key: &'a str, value: &'a str) -> BoxFuture<'a, Result<Vec<Observed>, EngineError>> {
        Box::pin(container::list(&self.connection, key, value))
    }

    fn events(&self, key: &str, value: &str) -> Receiver<EngineEvent> {
        events::follow(self.endpoint.clone(), key, value)
    }

    fn probe<'a>(
        &'a self,
        reference: &'a str,
        labels: &'a BTreeMap<String, String>,
    ) -> BoxFuture<'a, Result<(), EngineError>> {
        Box::pin(crate::probe::run(self, reference, labels))
    }
}
