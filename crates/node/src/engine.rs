//! What a task runner asks of a container runtime.
//!
//! An [`Engine`] knows containers, images and networks; it knows nothing of tasks, of the ECS API or of the server.
//! Every method returns within the deadline that the caller passes to [`crate::deadline`]; an engine never retries,
//! but for a dynamic host port that another process turns out to hold.
//! `docker` and `simulated` implement it; the contract suite in `tests/it/engine_contract.rs` judges every implementation.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;

use longshore_ecs_wire::Timestamp;

/// A boxed future, so that the trait stays usable as `dyn Engine`.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A container as the runner wants it created. Every field is honoured or the engine refuses the container by name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ContainerSpec {
    /// The engine-wide name; deterministic, so that a create that was in flight when we died meets a conflict.
    pub name: String,
    /// Image reference as the task definition has it.
    pub image: String,
    /// `entryPoint`; absent: the image's.
    pub entry_point: Option<Vec<String>>,
    /// `command`; absent: the image's.
    pub command: Option<Vec<String>>,
    /// Environment, already merged with overrides.
    pub environment: BTreeMap<String, String>,
    /// Labels, `longshore.node` and Amazon's among them.
    pub labels: BTreeMap<String, String>,
    /// CPU shares (1,024 a core), already raised to the minimum of 2.
    pub cpu_shares: u32,
    /// Hard memory limit in bytes; absent: none.
    pub memory_bytes: Option<u64>,
    /// Soft memory limit in bytes; absent: none.
    pub memory_reservation_bytes: Option<u64>,
    /// The container's network.
    pub network: NetworkMode,
    /// Ports to publish.
    pub ports: Vec<PortRequest>,
    /// `user`.
    pub user: Option<String>,
    /// `workingDirectory`.
    pub working_directory: Option<String>,
    /// `hostname`.
    pub hostname: Option<String>,
    /// `dnsServers`.
    pub dns_servers: Vec<String>,
    /// `dnsSearchDomains`.
    pub dns_search_domains: Vec<String>,
    /// `extraHosts` as `name:address`.
    pub extra_hosts: Vec<String>,
    /// `privileged`.
    pub privileged: bool,
    /// `readonlyRootFilesystem`.
    pub readonly_root_filesystem: bool,
    /// `pseudoTerminal`.
    pub pseudo_terminal: bool,
    /// `interactive`.
    pub interactive: bool,
    /// `linuxParameters.initProcessEnabled`.
    pub init_process: bool,
    /// `linuxParameters.sharedMemorySize` in bytes.
    pub shared_memory_bytes: Option<u64>,
    /// `linuxParameters.capabilities.add`.
    pub capabilities_add: Vec<String>,
    /// `linuxParameters.capabilities.drop`.
    pub capabilities_drop: Vec<String>,
    /// `systemControls`.
    pub system_controls: BTreeMap<String, String>,
    /// `ulimits` as name → (soft, hard).
    pub ulimits: BTreeMap<String, (i64, i64)>,
    /// `logConfiguration` driver and options; absent: the engine's default with rotation (10 MB × 3).
    pub log: Option<(String, BTreeMap<String, String>)>,
    /// Seconds the engine waits between SIGTERM and SIGKILL when it stops the container by itself.
    pub stop_timeout_seconds: u32,
}

/// The network a container joins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum NetworkMode {
    /// The node's own bridge network of this name (made on demand by [`Engine::ensure_network`]).
    Bridge(String),
    /// The host's network stack.
    Host,
    /// Loopback only.
    #[default]
    None,
}

/// A port to publish on the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortRequest {
    /// Port inside the container.
    pub container_port: u16,
    /// Port on the host; absent: a dynamic one from 49153–65535.
    pub host_port: Option<u16>,
    /// Transport protocol.
    pub protocol: Protocol,
    /// Address of the host to bind.
    pub publish_address: IpAddr,
}

/// Transport protocol of a port mapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

/// A published port, as observed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortBinding {
    /// Address on the host.
    pub bind_ip: String,
    /// Port inside the container.
    pub container_port: u16,
    /// Port on the host.
    pub host_port: u16,
    /// Transport protocol.
    pub protocol: Protocol,
}

/// Where a container is in its life, as the engine sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContainerPhase {
    /// Created, never started.
    Created,
    /// Its process runs.
    Running,
    /// Its process has ended.
    Exited,
    /// The engine is removing it, or it is in a state that it never leaves (Docker's `dead`).
    Dead,
}

/// A container as the engine shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct Observed {
    /// Engine-wide id (64 hex digits on Docker).
    pub runtime_id: String,
    /// Engine-wide name, without a leading slash.
    pub name: String,
    /// All labels.
    pub labels: BTreeMap<String, String>,
    /// The image as it was named when the container was created.
    pub image: String,
    /// Phase.
    pub phase: ContainerPhase,
    /// Exit code; only when `phase` is [`ContainerPhase::Exited`] and the process ever ran.
    pub exit_code: Option<i32>,
    /// Whether the kernel killed it for memory.
    pub oom_killed: bool,
    /// What the engine said when it could not start the container.
    pub error: Option<String>,
    /// When the process started last.
    pub started_at: Option<Timestamp>,
    /// When the process ended last; never before `started_at`, and absent while it runs.
    pub finished_at: Option<Timestamp>,
    /// Published ports while it runs, in the order of container port and protocol.
    pub ports: Vec<PortBinding>,
    /// Own IPv4 address on its bridge network; absent for host, none, and when not running.
    pub ipv4_address: Option<String>,
}

/// A local image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// Content id (`sha256:…`).
    pub id: String,
    /// Digest (`sha256:…`) under which a registry knows it; absent for an image made here, which is never pulled.
    pub repository_digest: Option<String>,
}

/// Progress of one pull, in bytes over all layers known so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PullProgress {
    /// Bytes done.
    pub current: u64,
    /// Bytes in all, as far as known.
    pub total: u64,
}

/// Receives the progress of a pull.
pub type OnProgress<'a> = &'a (dyn Fn(PullProgress) + Send + Sync);

/// A change of a container, from the engine's event stream. It carries no state: the runner inspects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EngineEvent {
    /// Something happened to this container.
    Container {
        /// Engine-wide id.
        runtime_id: String,
        /// Engine-wide name.
        name: String,
    },
    /// The stream broke and was opened again, or events were lost: look at everything.
    Resync,
}

/// Why an engine call failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// The engine does not answer, or its socket is not there.
    #[error("the engine cannot be reached: {0}")]
    Unreachable(String),
    /// The call took longer than its deadline.
    #[error("{call} did not answer within {seconds} s")]
    Deadline {
        /// The call.
        call: &'static str,
        /// The deadline in seconds.
        seconds: u64,
    },
    /// There is no such container, image or network.
    #[error("{0}")]
    NotFound(String),
    /// A container of that name exists already.
    #[error("{0}")]
    NameTaken(String),
    /// The host port is taken.
    #[error("{0}")]
    PortTaken(String),
    /// The engine does not honour this field of the task definition.
    #[error("this engine does not support {0}")]
    Unsupported(String),
    /// The engine said no; its own words.
    #[error("{0}")]
    Refused(String),
}

/// A container runtime.
pub trait Engine: Send + Sync + 'static {
    /// Name for logs and `--engine`: `docker`, `simulated`.
    fn name(&self) -> &'static str;

    /// Whether the engine answers; its version.
    fn ping(&self) -> BoxFuture<'_, Result<String, EngineError>>;

    /// A local image; `None` if it is not here.
    fn image<'a>(&'a self, reference: &'a str) -> BoxFuture<'a, Result<Option<Image>, EngineError>>;

    /// Pulls an image, telling its progress. No retries; the caller decides. A connection that cannot be made fails, it never hangs.
    fn pull<'a>(&'a self, reference: &'a str, progress: OnProgress<'a>) -> BoxFuture<'a, Result<Image, EngineError>>;

    /// Imports a root file system (an uncompressed tar) as an image under `reference`, with that entry point (none if empty) and the stop signal SIGTERM.
    fn import_image<'a>(
        &'a self,
        reference: &'a str,
        rootfs_tar: Vec<u8>,
        entry_point: &'a [String],
    ) -> BoxFuture<'a, Result<Image, EngineError>>;

    /// Removes an image reference; absent is success.
    fn remove_image<'a>(&'a self, reference: &'a str) -> BoxFuture<'a, Result<(), EngineError>>;

    /// Makes the bridge network of this name, labelled `labels`, unless it is there.
    fn ensure_network<'a>(
        &'a self,
        name: &'a str,
        labels: &'a BTreeMap<String, String>,
    ) -> BoxFuture<'a, Result<(), EngineError>>;

    /// Removes a network; absent is success.
    fn remove_network<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), EngineError>>;

    /// Creates a container; its runtime id. [`EngineError::NameTaken`] if the name is in use.
    fn create<'a>(&'a self, spec: &'a ContainerSpec) -> BoxFuture<'a, Result<String, EngineError>>;

    /// Starts a container; already running is success.
    fn start<'a>(&'a self, runtime_id: &'a str) -> BoxFuture<'a, Result<(), EngineError>>;

    /// Sends the container's stop signal, waits up to `timeout_seconds`, then SIGKILL. Not running is success.
    fn stop<'a>(&'a self, runtime_id: &'a str, timeout_seconds: u32) -> BoxFuture<'a, Result<(), EngineError>>;

    /// Removes a container and its anonymous volumes, by force; absent is success.
    fn remove<'a>(&'a self, runtime_id: &'a str) -> BoxFuture<'a, Result<(), EngineError>>;

    /// A container by id or name.
    fn inspect<'a>(&'a self, id_or_name: &'a str) -> BoxFuture<'a, Result<Observed, EngineError>>;

    /// All containers, running or not, that carry label `key=value`.
    fn list<'a>(&'a self, key: &'a str, value: &'a str) -> BoxFuture<'a, Result<Vec<Observed>, EngineError>>;

    /// The stream of changes of containers that carry label `key=value`, from now on. It reconnects by itself and says [`EngineEvent::Resync`] after each gap.
    fn events(&self, key: &str, value: &str) -> tokio::sync::mpsc::Receiver<EngineEvent>;

    /// Runs a container of `reference` to prove that the engine really starts something, and removes it.
    fn probe<'a>(
        &'a self,
        reference: &'a str,
        labels: &'a BTreeMap<String, String>,
    ) -> BoxFuture<'a, Result<(), EngineError>>;
}
