//! The configuration file: TOML, the flags' names with underscores, unknown keys refused.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::ConfigError;
use super::values::{BuiltinNode, EngineKind, Grace, ImagePullBehavior, ListenAddress, LogFormat, StoreKind};

/// What a configuration file says; meanings and units are those of [`super::flags::ServeFlags`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each key is explained at the flag of the same name and in the example file")]
pub struct FileConfig {
    pub listen: Option<ListenAddress>,
    pub data_dir: Option<PathBuf>,
    pub store: Option<StoreKind>,
    pub engine: Option<EngineKind>,
    pub builtin_node: Option<BuiltinNode>,
    pub builtin_cpu: Option<u32>,
    pub builtin_memory: Option<u32>,
    pub credentials: Option<PathBuf>,
    pub stop_tasks_on_exit: Option<bool>,
    pub publish_address: Option<IpAddr>,
    pub image_pull_behavior: Option<ImagePullBehavior>,
    pub container_cleanup_wait_seconds: Option<u64>,
    pub orphan_grace: Option<Grace>,
    pub task_retention_seconds: Option<u64>,
    pub allow_privileged_unauthenticated: Option<bool>,
    pub log_format: Option<LogFormat>,
    pub log_level: Option<String>,
}

impl FileConfig {
    /// Reads a file. Paths in it are taken from the file's own directory.
    ///
    /// # Errors
    /// When it cannot be read, is not TOML, or has a key or value that does not exist.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
        let mut file = Self::parse(&text)
            .map_err(|reason| ConfigError::Invalid { path: path.to_owned(), reason: reason.trim_end().to_owned() })?;
        let directory = path.parent().unwrap_or(Path::new(""));
        for member in [&mut file.data_dir, &mut file.credentials].into_iter().flatten() {
            *member = directory.join(&*member);
        }
        Ok(file)
    }

    /// Parses the text of a file.
    ///
    /// # Errors
    /// What is wrong, with the line.
    pub fn parse(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| error.to_string())
    }
}
