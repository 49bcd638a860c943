//! `longshore demo`: a server of its own for a minute, three tasks, one page of ListTasks.

use clap::Args;

use crate::config::{EngineKind, LogFormat};
use crate::demo;
use crate::failure::Failure;
use crate::logs;

/// Flags of `longshore demo`.
#[derive(Debug, Clone, Args)]
pub struct DemoFlags {
    /// What runs containers: auto, docker or simulated. Default: auto
    #[arg(long, value_name = "KIND", env = "LONGSHORE_ENGINE")]
    pub engine: Option<EngineKind>,

    /// What is logged to the standard error. Default: error
    #[arg(long, value_name = "FILTER", env = "LONGSHORE_LOG_LEVEL")]
    pub log_level: Option<String>,
}

/// Runs the command to its end.
///
/// # Errors
/// No container engine, or a task that does not run.
pub fn run(flags: &DemoFlags) -> Result<(), Failure> {
    logs::init(LogFormat::Text, flags.log_level.as_deref().unwrap_or("error"))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Trouble(format!("cannot start threads: {error}")))?;
    runtime.block_on(demo::run(flags.engine.unwrap_or_default()))
}
