//! Why a command ends without having done its work.
//!
//! A mistake the user can correct has exit code 2, like clap's own; trouble with the machine has 1.
//! The text goes to the standard error as it is, so it says what to do.

use crate::auth::credentials_file::CredentialsError;
use crate::config::ConfigError;

/// The end of a command.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The command line, the environment or a file says something that cannot be.
    #[error("{0}")]
    Usage(String),
    /// The machine or another program stands in the way.
    #[error("{0}")]
    Trouble(String),
}

impl Failure {
    /// The process's exit code.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Trouble(_) => 1,
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::Usage(error.to_string())
    }
}

impl From<CredentialsError> for Failure {
    fn from(error: CredentialsError) -> Self {
        Self::Usage(error.to_string())
    }
}
