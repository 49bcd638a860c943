//! A whole server in this process: listener, authentication, metrics, and what is behind them.
//!
//! [`launch`] puts it together and returns while it runs; [`run`] is `longshore serve`, which adds
//! the signals. What is behind the listener (store, controllers, gateway, node) is put together in
//! [`wiring`] and known here only as a [`Backend`].

pub mod builtin_node;
pub mod controllers;
mod gauges;
mod in_process_api;
mod node_record;
mod system;
pub mod wiring;

use std::future::Future;
use std::io::Write;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use longshore_api::Api;
use longshore_node::engine::Engine;
use longshore_node::runner::Node;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::auth::{Authenticator, credentials_file};
use crate::config::Config;
use crate::failure::Failure;
use crate::http::{Drained, Endpoint, Options, Readiness, Server, Service, bind};
use crate::metrics::{self, Metrics};

/// What is behind the listener.
pub struct Backend {
    /// The operations.
    pub api: Api,
    /// The operations' names, for the counters.
    pub operations: Vec<&'static str>,
    /// Asked by `/readyz`: the store is open and the node is up, or why not.
    pub ready: Readiness,
    /// The built-in node's engine, if there is one.
    pub engine: Option<Arc<dyn Engine>>,
    /// The built-in node, if there is one.
    pub node: Option<Arc<Node>>,
    /// Ends everything else once the last request was answered; it has deadlines of its own.
    pub stop: Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// What runs behind a listener, for those in this process.
pub struct Behind {
    /// The operations.
    pub api: Api,
    /// The built-in node's engine, if there is one.
    pub engine: Option<Arc<dyn Engine>>,
    /// The built-in node, if there is one.
    pub node: Option<Arc<Node>>,
}

/// A server that runs.
#[derive(Debug)]
pub struct Running {
    /// The address it listens on, with the real port.
    pub address: SocketAddr,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<()>,
}

impl Running {
    /// The URL of the API.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Stops accepting, lets requests in flight finish, then ends what is behind the listener.
    pub async fn stop(self) {
        // The receiver is gone only when the server has ended already.
        let _ = self.stop.send(());
        if let Err(error) = self.ended.await {
            tracing::error!(%error, "the server did not end as it should");
        }
    }
}

/// Starts a server with this configuration, with what runs behind it. Must be called within a tokio runtime.
///
/// # Errors
/// When the credentials file is wrong, the address is taken, or the backend does not start.
pub async fn launch(config: &Config) -> Result<(Running, Behind), Failure> {
    let authenticator = authenticator(config)?;
    let trouble = |error: std::io::Error| Failure::Trouble(format!("cannot listen on {}: {error}", config.listen));
    let listener = bind(config.listen.0).await.map_err(trouble)?;
    let mut registry = metrics::registry();
    let backend = wiring::start(config, &mut registry).await?;
    let metrics = Metrics::new(registry, &backend.operations);
    let behind = Behind { api: backend.api.clone(), engine: backend.engine, node: backend.node };
    let endpoint = Endpoint::new(backend.api, authenticator, metrics, backend.ready, Options::default());
    let server = Server::new(listener, endpoint).map_err(trouble)?;
    Ok((spawn(server, backend.stop), behind))
}

fn spawn<S: Service>(server: Server<S>, stop_backend: Pin<Box<dyn Future<Output = ()> + Send>>) -> Running {
    let address = server.address();
    let (stop, stopped) = oneshot::channel();
    let ended = tokio::spawn(async move {
        let drained = server.run(async { drop(stopped.await) }).await;
        if let Drained::Dropped(connections) = drained {
            tracing::warn!(connections, "requests were still running at the end and have been dropped");
        }
        stop_backend.await;
    });
    Running { address, stop, ended }
}

fn authenticator(config: &Config) -> Result<Authenticator, Failure> {
    let Some(path) = &config.credentials else { return Ok(Authenticator::open()) };
    let credentials = credentials_file::read(path)?;
    for warning in &credentials.warnings {
        tracing::warn!("{warning}");
    }
    tracing::info!(keys = credentials.keys.len(), "signatures are verified");
    Ok(Authenticator::with_keys(credentials.keys))
}

/// Serves until SIGTERM or SIGINT; a second signal ends the process without waiting. The URL is
/// printed to the standard output once requests are answered.
///
/// # Errors
/// When the server cannot start.
pub async fn run(config: Config) -> Result<(), Failure> {
    let mut signals = Signals::new()?;
    let running = tokio::select! {
        launched = launch(&config) => launched?.0,
        () = signals.next() => return Ok(()),
    };
    let url = running.url();
    tracing::info!(%url, data_dir = %config.data_dir.display(), "serving");
    let mut out = std::io::stdout().lock();
    if let Err(error) = writeln!(out, "{url}").and_then(|()| out.flush()) {
        tracing::debug!(%error, "the URL could not be printed");
    }
    drop(out);
    signals.next().await;
    tracing::info!("stopping; a second signal ends at once");
    tokio::select! {
        () = running.stop() => Ok(()),
        () = signals.next() => Err(Failure::Trouble("ended by a second signal before everything was stopped".to_owned())),
    }
}

/// The signals that end a server.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> Result<Self, Failure> {
        let listen =
            |kind| signal(kind).map_err(|error| Failure::Trouble(format!("cannot listen for signals: {error}")));
        Ok(Self { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
