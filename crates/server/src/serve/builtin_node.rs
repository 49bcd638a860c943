//! The server's own node: its record in the store, its engine, and its session over an in-memory stream.

use std::sync::Arc;
use std::time::Duration;

use longshore_api::{Api, Clock};
use longshore_domain::node::NodeRecord;
use longshore_domain::{EcsId, Resources, Timestamp};
use longshore_ecs_wire::shapes::Attribute;
use longshore_gateway::{Session, SessionIdentity, SessionOptions};
use longshore_node::deadline::{Deadlined, Deadlines};
use longshore_node::docker::DockerEngine;
use longshore_node::engine::Engine;
use longshore_node::images;
use longshore_node::ownership;
use longshore_node::runner::{EngineHealth, Node, NodeConfig};
use longshore_node::session::{SessionEnd, in_memory_pair};
use longshore_node::simulated::SimulatedEngine;
use tokio::task::JoinHandle;

use super::in_process_api::InProcessApi;
use super::node_record;
use super::system::{SystemClock, architecture, cores, memory_mib};
use crate::config::{Config, EngineKind, ImagePullBehavior};
use crate::failure::Failure;

/// CPU units offered for each core: shares, not a cap, so many small tasks find room on a laptop.
const CPU_PER_CORE: u64 = 16 * 1024;
/// Memory assumed where the system does not tell, in MiB.
const UNKNOWN_MEMORY: u64 = 8 * 1024;
/// Ports the node keeps for itself, as Amazon's agent does.
const RESERVED_PORTS: [u16; 5] = [22, 2375, 2376, 51678, 51679];
/// Minor versions of the Docker API 1.x that the node offers, as Amazon's agent names them.
const REMOTE_API_VERSIONS: [u32; 13] = [17, 18, 19, 20, 21, 22, 23, 24, 25, 28, 29, 30, 32];
/// Messages that may wait each way.
const STREAM_CAPACITY: usize = 1024;
/// Pause before a session that ended begins again.
const SESSION_PAUSE: Duration = Duration::from_millis(250);

/// A running built-in node.
pub struct BuiltinNode {
    node: Arc<Node>,
    engine: Arc<dyn Engine>,
    record: NodeRecord,
    session: JoinHandle<()>,
    stop_tasks: bool,
}

impl BuiltinNode {
    /// Starts the node: record, engine, session.
    ///
    /// # Errors
    /// The node's id, the engine's configuration, or the store.
    pub async fn start(config: &Config, api: &Api) -> Result<Self, Failure> {
        let id = ownership::node_id(&config.data_dir).map_err(|error| Failure::Trouble(error.to_string()))?;
        let node_id: EcsId = id.parse().map_err(|error| Failure::Trouble(format!("node id {id}: {error}")))?;
        let engine = engine(config.engine)?;
        let version = engine_version(&*engine, config.engine).await?;
        let record = record(config, node_id, version);
        node_record::write(api.store(), Some(record.clone())).await?;
        let mut settings = NodeConfig::new(id, config.publish_address);
        settings.image_pull_behavior = match config.image_pull_behavior {
            ImagePullBehavior::Default => images::ImagePullBehavior::Default,
            ImagePullBehavior::Always => images::ImagePullBehavior::Always,
            ImagePullBehavior::Once => images::ImagePullBehavior::Once,
            ImagePullBehavior::PreferCached => images::ImagePullBehavior::PreferCached,
        };
        settings.container_cleanup_wait = Duration::from_secs(config.container_cleanup_wait_seconds);
        settings.orphan_grace = config.orphan_grace.0;
        settings.data_dir = Some(config.data_dir.clone());
        let node = Arc::new(Node::start(settings, Arc::clone(&engine), Arc::new(InProcessApi::new(api.clone()))).await);
        let session = tokio::spawn(sessions(Arc::clone(&node), api.clone(), node_id));
        Ok(Self { node, engine, record, session, stop_tasks: config.stop_tasks_on_exit })
    }

    /// The node itself.
    pub fn node(&self) -> &Arc<Node> {
        &self.node
    }

    /// Its record, as it was written to the store.
    pub fn record(&self) -> &NodeRecord {
        &self.record
    }

    /// The engine it runs on.
    pub fn engine(&self) -> &Arc<dyn Engine> {
        &self.engine
    }

    /// Why the node cannot run tasks, if it cannot.
    ///
    /// # Errors
    /// What speaks against its engine.
    pub fn ready(node: &Node) -> Result<(), String> {
        match node.engine_health() {
            EngineHealth::Good => Ok(()),
            EngineHealth::Bad { reason } => Err(format!("the container engine does not work: {reason}")),
        }
    }

    /// Ends the node; its containers stay for adoption, or are stopped and removed if the configuration says so.
    pub async fn stop(self) {
        self.node.shutdown(self.stop_tasks).await;
        self.session.abort();
    }
}

fn record(config: &Config, id: EcsId, engine_version: String) -> NodeRecord {
    let memory = config.builtin_memory.map(u64::from).unwrap_or_else(|| {
        let total = memory_mib().unwrap_or_else(|| {
            tracing::warn!(mib = UNKNOWN_MEMORY, "the machine's memory is not known; give it with --builtin-memory");
            UNKNOWN_MEMORY
        });
        total - total / 10
    });
    let cpu = config.builtin_cpu.map_or_else(|| cores() * CPU_PER_CORE, u64::from);
    NodeRecord {
        id,
        builtin: true,
        active: true,
        capacity: Resources { cpu, memory, tcp_ports: RESERVED_PORTS.to_vec(), udp_ports: vec![] },
        attributes: attributes(),
        engine_version,
        registered_at: Timestamp::from_millis(0),
    }
}

fn attributes() -> Vec<Attribute> {
    let attribute = |name: &str, value: Option<&str>| Attribute {
        name: Some(name.to_owned()),
        value: value.map(ToOwned::to_owned),
        ..Attribute::default()
    };
    let apis = REMOTE_API_VERSIONS.map(|minor| format!("com.amazonaws.ecs.capability.docker-remote-api.1.{minor}"));
    let mut attributes: Vec<Attribute> = apis.iter().map(|name| attribute(name, None)).collect();
    attributes.extend([
        attribute("ecs.cpu-architecture", Some(architecture())),
        attribute("ecs.os-family", Some("LINUX")),
        attribute("ecs.os-type", Some("linux")),
        attribute("ecs.capability.external", None),
        attribute("com.amazonaws.ecs.capability.logging-driver.json-file", None),
    ]);
    attributes
}

fn engine(kind: EngineKind) -> Result<Arc<dyn Engine>, Failure> {
    Ok(match kind {
        EngineKind::Simulated => Arc::new(Deadlined::new(SimulatedEngine::new(), Deadlines::default())),
        EngineKind::Auto | EngineKind::Docker => {
            let docker = DockerEngine::from_environment().map_err(|error| Failure::Usage(error.to_string()))?;
            Arc::new(Deadlined::new(docker, Deadlines::default()))
        }
    })
}

/// The engine's version. Without an answer `--engine docker` does not start; `auto` says once what can be done, and
/// goes on, so that the engine may come later.
async fn engine_version(engine: &dyn Engine, kind: EngineKind) -> Result<String, Failure> {
    match engine.ping().await {
        Ok(version) => {
            tracing::info!(engine = engine.name(), version, "the container engine answers");
            Ok(version)
        }
        Err(error) => {
            let ways = "start Docker (on Debian or Ubuntu: apt-get install docker.io), point DOCKER_HOST at an engine, \
                        or use --engine simulated";
            if kind == EngineKind::Docker {
                return Err(Failure::Trouble(format!("no container engine: {error}; {ways}")));
            }
            tracing::error!(%error, "no container engine: tasks will fail until there is one; {ways}");
            Ok(String::new())
        }
    }
}

/// Sessions between the node and the gateway, one after another, until the node shuts down.
async fn sessions(node: Arc<Node>, api: Api, id: EcsId) {
    // The session is the machine's: its tasks carry their own clusters' ARNs.
    let prefix = "arn:aws:ecs:us-east-1:000000000000";
    let identity = SessionIdentity {
        cluster_arn: format!("{prefix}:cluster/longshore"),
        container_instance_arn: format!("{prefix}:container-instance/longshore/{id}"),
    };
    let connections = api.connections().clone();
    let session =
        Session {
            store: api.store().clone(),
            node: id,
            identity,
            options: SessionOptions::default(),
            now: Arc::new(|| SystemClock.now()),
            on_connected: Arc::new(move |node, connected| {
                if connected { connections.connected(node) } else { connections.disconnected(node) }
            }),
        };
    loop {
        let (node_side, server_side) = in_memory_pair(STREAM_CAPACITY);
        let gateway = session.clone().run(server_side.outgoing, server_side.incoming);
        let (node_end, gateway_end) = tokio::join!(node.run_session(node_side), gateway);
        tracing::debug!(?node_end, ?gateway_end, "a session of the built-in node ended");
        if node_end == SessionEnd::ShutDown {
            return;
        }
        tokio::time::sleep(SESSION_PAUSE).await;
    }
}
