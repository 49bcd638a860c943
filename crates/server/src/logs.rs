//! Logging: `tracing` to the standard error, as lines for people or as JSON.
//!
//! Requests are logged at `debug` with id, operation, status and microseconds; bodies, credentials
//! and signatures never.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::config::LogFormat;
use crate::failure::Failure;

/// Starts logging for the whole process.
///
/// # Errors
/// When the filter cannot be read, or logging was started already.
pub fn init(format: LogFormat, level: &str) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(level)
        .map_err(|error| Failure::Usage(format!("--log-level '{level}' cannot be read: {error}")))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    let started = match format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
    started.map_err(|error| Failure::Trouble(format!("cannot start logging: {error}")))
}
