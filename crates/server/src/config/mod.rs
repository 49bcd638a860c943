//! The configuration of `longshore serve`: file, then environment, then flag.
//!
//! [`Config`] is complete and checked; everything in it has a value that can be used as it is.
//! Mistakes are told in words that name the flag.

pub mod file;
pub mod flags;
pub mod values;

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

pub use file::FileConfig;
pub use flags::ServeFlags;
pub use values::{BuiltinNode, EngineKind, Grace, ImagePullBehavior, ListenAddress, LogFormat, StoreKind};

/// The port that is listened on unless told otherwise.
pub const DEFAULT_PORT: u16 = 8327;

/// The shortest time stopped tasks stay listed, in seconds; Amazon's own.
pub const MIN_TASK_RETENTION_SECONDS: u64 = 3600;

/// A complete configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The address to listen on.
    pub listen: ListenAddress,
    /// The directory for state; it may not exist yet.
    pub data_dir: PathBuf,
    /// Where state is kept.
    pub store: StoreKind,
    /// What runs containers.
    pub engine: EngineKind,
    /// Whether this server is itself a node.
    pub builtin_node: BuiltinNode,
    /// CPU units the built-in node offers, if not reckoned from the machine.
    pub builtin_cpu: Option<u32>,
    /// MiB of memory the built-in node offers, if not reckoned from the machine.
    pub builtin_memory: Option<u32>,
    /// The file with access keys, if requests have to be signed.
    pub credentials: Option<PathBuf>,
    /// Whether tasks' containers end with the server.
    pub stop_tasks_on_exit: bool,
    /// The address on which host ports are published.
    pub publish_address: IpAddr,
    /// When images are pulled.
    pub image_pull_behavior: ImagePullBehavior,
    /// Seconds for which stopped containers are kept on the engine.
    pub container_cleanup_wait_seconds: u64,
    /// How long running containers are kept whose task the server does not know.
    pub orphan_grace: Grace,
    /// Seconds for which stopped tasks stay listed, at least [`MIN_TASK_RETENTION_SECONDS`].
    pub task_retention_seconds: u64,
    /// Whether privileged containers and host mounts are allowed although nobody has to sign.
    pub allow_privileged_unauthenticated: bool,
    /// How log lines look.
    pub log_format: LogFormat,
    /// What is logged.
    pub log_level: String,
}

/// A mistake in the configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration file {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not a configuration.
    #[error("the configuration file {} is not valid: {reason}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong, with the line.
        reason: String,
    },
    /// No place for state can be found.
    #[error(
        "neither XDG_DATA_HOME nor HOME is set to an absolute path, so there is no default directory for state: give one with --data-dir"
    )]
    NoDataDir,
    /// Everybody could call without a signature.
    #[error(
        "{0} is not a loopback address, so anybody who reaches it could run containers here: give a file with access \
         keys (--credentials FILE), or listen on 127.0.0.1"
    )]
    OpenToTheNetwork(ListenAddress),
    /// Stopped tasks would vanish before their hour.
    #[error(
        "--task-retention-seconds is {0}, but stopped tasks stay listed for at least {MIN_TASK_RETENTION_SECONDS} seconds"
    )]
    RetentionTooShort(u64),
    /// A number in the file is zero that must not be.
    #[error("{0} must be at least 1")]
    Zero(&'static str),
}

impl Config {
    /// The configuration of these flags, with the file they name.
    ///
    /// # Errors
    /// The first mistake found.
    pub fn load(flags: ServeFlags) -> Result<Self, ConfigError> {
        let file = flags.config.as_deref().map(FileConfig::read).transpose()?.unwrap_or_default();
        Self::merge(flags, file, &|name| std::env::var_os(name))
    }

    /// The configuration of flags over a file; `environment` is asked only for the default data
    /// directory.
    ///
    /// # Errors
    /// The first mistake found.
    pub fn merge(
        flags: ServeFlags,
        file: FileConfig,
        environment: &dyn Fn(&str) -> Option<OsString>,
    ) -> Result<Self, ConfigError> {
        let default_listen = ListenAddress(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), DEFAULT_PORT));
        let listen = flags.listen.or(file.listen).unwrap_or(default_listen);
        let data_dir = match flags.data_dir.or(file.data_dir) {
            Some(path) => path,
            None => default_data_dir(environment).ok_or(ConfigError::NoDataDir)?,
        };
        let publish_address = flags.publish_address.or(file.publish_address);
        let store = flags.store.or(file.store).unwrap_or_default();
        let cleanup = flags.container_cleanup_wait_seconds.or(file.container_cleanup_wait_seconds);
        let retention = flags.task_retention_seconds.or(file.task_retention_seconds);
        let privileged = flags.allow_privileged_unauthenticated.or(file.allow_privileged_unauthenticated);
        let config = Self {
            listen,
            data_dir,
            store,
            engine: flags.engine.or(file.engine).unwrap_or_default(),
            builtin_node: flags.builtin_node.or(file.builtin_node).unwrap_or_default(),
            builtin_cpu: flags.builtin_cpu.or(file.builtin_cpu),
            builtin_memory: flags.builtin_memory.or(file.builtin_memory),
            credentials: flags.credentials.or(file.credentials),
            stop_tasks_on_exit: flags.stop_tasks_on_exit.or(file.stop_tasks_on_exit).unwrap_or(false),
            publish_address: publish_address.unwrap_or_else(|| values::default_publish_address(listen)),
            image_pull_behavior: flags.image_pull_behavior.or(file.image_pull_behavior).unwrap_or_default(),
            container_cleanup_wait_seconds: cleanup.unwrap_or(3600),
            orphan_grace: flags.orphan_grace.or(file.orphan_grace).unwrap_or_else(|| Grace::of(store)),
            task_retention_seconds: retention.unwrap_or(MIN_TASK_RETENTION_SECONDS),
            allow_privileged_unauthenticated: privileged.unwrap_or(false),
            log_format: flags.log_format.or(file.log_format).unwrap_or_default(),
            log_level: flags.log_level.or(file.log_level).unwrap_or_else(|| "info".to_owned()),
        };
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), ConfigError> {
        if !self.listen.is_loopback() && self.credentials.is_none() {
            return Err(ConfigError::OpenToTheNetwork(self.listen));
        }
        if self.task_retention_seconds < MIN_TASK_RETENTION_SECONDS {
            return Err(ConfigError::RetentionTooShort(self.task_retention_seconds));
        }
        let zeros = [
            (self.builtin_cpu == Some(0), "builtin_cpu"),
            (self.builtin_memory == Some(0), "builtin_memory"),
            (self.container_cleanup_wait_seconds == 0, "container_cleanup_wait_seconds"),
        ];
        zeros.into_iter().find(|(is_zero, _)| *is_zero).map_or(Ok(()), |(_, name)| Err(ConfigError::Zero(name)))
    }
}

/// The data directory of a command that is given at most `data_dir`.
///
/// # Errors
/// None is given, and the environment has no place for one.
pub fn data_dir_or_default(data_dir: Option<PathBuf>) -> Result<PathBuf, ConfigError> {
    data_dir.or_else(|| default_data_dir(&|name| std::env::var_os(name))).ok_or(ConfigError::NoDataDir)
}

fn default_data_dir(environment: &dyn Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let absolute = |name| environment(name).map(PathBuf::from).filter(|path: &PathBuf| path.is_absolute());
    let share = || absolute("HOME").map(|home| home.join(Path::new(".local/share")));
    absolute("XDG_DATA_HOME").or_else(share).map(|directory| directory.join("longshore"))
}

#[cfg(test)]
mod tests;
