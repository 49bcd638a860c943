//! The flags of `longshore serve`, each also a variable `LONGSHORE_*` and a key of the file.
//!
//! Nothing has a default here: a flag or variable that is absent leaves the word to the file, and
//! what is absent there too gets its default in [`super::Config`].

use std::net::IpAddr;
use std::path::PathBuf;

use clap::Args;

use super::values::{BuiltinNode, EngineKind, Grace, ImagePullBehavior, ListenAddress, LogFormat, StoreKind};

/// Flags and environment of `longshore serve`.
#[derive(Debug, Clone, Default, Args)]
pub struct ServeFlags {
    /// Configuration file (TOML); flags and LONGSHORE_* variables overrule it. Default: none
    #[arg(long, value_name = "FILE", env = "LONGSHORE_CONFIG")]
    pub config: Option<PathBuf>,

    /// Address to listen on, IP:PORT; port 0 takes a free one. Default: 127.0.0.1:8327. An address
    /// other than loopback needs --credentials
    #[arg(long, value_name = "ADDRESS", env = "LONGSHORE_LISTEN")]
    pub listen: Option<ListenAddress>,

    /// Directory for state, made if missing; one server at a time uses it. Default:
    /// $XDG_DATA_HOME/longshore, else ~/.local/share/longshore
    #[arg(long, value_name = "DIR", env = "LONGSHORE_DATA_DIR")]
    pub data_dir: Option<PathBuf>,

    /// Where state is kept; memory forgets everything at the end. Default: sqlite
    #[arg(long, value_name = "KIND", env = "LONGSHORE_STORE")]
    pub store: Option<StoreKind>,

    /// What runs containers. Default: auto, which is docker if an engine answers
    #[arg(long, value_name = "KIND", env = "LONGSHORE_ENGINE")]
    pub engine: Option<EngineKind>,

    /// Whether this server runs tasks itself. Default: on-demand. With none, --engine and the
    /// other --builtin flags have no effect
    #[arg(long, value_name = "WHEN", env = "LONGSHORE_BUILTIN_NODE")]
    pub builtin_node: Option<BuiltinNode>,

    /// CPU units the built-in node offers (1024 = one core's share; not a cap). Default: 16 x cores
    /// x 1024
    #[arg(long, value_name = "UNITS", env = "LONGSHORE_BUILTIN_CPU", value_parser = clap::value_parser!(u32).range(1..))]
    pub builtin_cpu: Option<u32>,

    /// Memory the built-in node offers, in MiB. Default: the machine's memory less 10 %
    #[arg(long, value_name = "MIB", env = "LONGSHORE_BUILTIN_MEMORY", value_parser = clap::value_parser!(u32).range(1..))]
    pub builtin_memory: Option<u32>,

    /// File with access keys (TOML); with it every request must be signed. Default: none, everybody
    /// on this machine is root of account 000000000000
    #[arg(long, value_name = "FILE", env = "LONGSHORE_CREDENTIALS")]
    pub credentials: Option<PathBuf>,

    /// Stop and remove the containers of tasks when the server ends. Default: false, they run on and
    /// are adopted at the next start
    #[arg(
        long,
        value_name = "BOOL",
        env = "LONGSHORE_STOP_TASKS_ON_EXIT",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true"
    )]
    pub stop_tasks_on_exit: Option<bool>,

    /// IP address on which containers' host ports are published. Default: 127.0.0.1 while the server
    /// listens on loopback, else 0.0.0.0
    #[arg(long, value_name = "IP", env = "LONGSHORE_PUBLISH_ADDRESS")]
    pub publish_address: Option<IpAddr>,

    /// When images are pulled, as the Amazon ECS agent's ECS_IMAGE_PULL_BEHAVIOR. Default: default
    #[arg(long, value_name = "WHEN", env = "LONGSHORE_IMAGE_PULL_BEHAVIOR")]
    pub image_pull_behavior: Option<ImagePullBehavior>,

    /// How long stopped containers are kept on the engine, in seconds. Default: 3600
    #[arg(long, value_name = "SECONDS", env = "LONGSHORE_CONTAINER_CLEANUP_WAIT_SECONDS")]
    pub container_cleanup_wait_seconds: Option<u64>,

    /// How long running containers are kept whose task the server does not know, as after the restore of an older
    /// backup: 0s, 30m, 24h, 7d. Default: 24h; 0s with --store memory. `longshore orphans` lists them
    #[arg(long, value_name = "TIME", env = "LONGSHORE_ORPHAN_GRACE")]
    pub orphan_grace: Option<Grace>,

    /// How long stopped tasks stay listed, in seconds. Default: 3600, which is also the least
    #[arg(long, value_name = "SECONDS", env = "LONGSHORE_TASK_RETENTION_SECONDS")]
    pub task_retention_seconds: Option<u64>,

    /// Let tasks use privileged containers and host mounts although requests need not be signed.
    /// Default: false. No effect with --credentials
    #[arg(
        long,
        value_name = "BOOL",
        env = "LONGSHORE_ALLOW_PRIVILEGED_UNAUTHENTICATED",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true"
    )]
    pub allow_privileged_unauthenticated: Option<bool>,

    /// How log lines look; they go to the standard error. Default: text
    #[arg(long, value_name = "FORMAT", env = "LONGSHORE_LOG_FORMAT")]
    pub log_format: Option<LogFormat>,

    /// What is logged: a level, or directives like info,longshore_store=debug. Default: info
    #[arg(long, value_name = "FILTER", env = "LONGSHORE_LOG_LEVEL")]
    pub log_level: Option<String>,
}
