//! Which data directory a command is about: the flag or variable, else the configuration file's, else the default one.

use std::path::PathBuf;

use clap::Args;

use crate::config::{FileConfig, data_dir_or_default};
use crate::failure::Failure;

/// Flags of the commands that work on a data directory.
#[derive(Debug, Clone, Default, Args)]
pub struct DataDirFlags {
    /// Configuration file of the server (TOML), for its data_dir. Default: none
    #[arg(long, value_name = "FILE", env = "LONGSHORE_CONFIG")]
    pub config: Option<PathBuf>,

    /// The server's directory for state. Default: $XDG_DATA_HOME/longshore, else ~/.local/share/longshore
    #[arg(long, value_name = "DIR", env = "LONGSHORE_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
}

impl DataDirFlags {
    /// The directory; it may not exist.
    ///
    /// # Errors
    /// The configuration file is wrong, or there is no default.
    pub fn resolve(&self) -> Result<PathBuf, Failure> {
        let file = self.config.as_deref().map(FileConfig::read).transpose()?.unwrap_or_default();
        Ok(data_dir_or_default(self.data_dir.clone().or(file.data_dir))?)
    }
}
