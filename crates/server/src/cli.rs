//! The command line: one subcommand, one file in [`crate::commands`].
//!
//! Data goes to the standard output, everything else to the standard error.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::commands;
use crate::commands::backup::BackupFlags;
use crate::commands::demo::DemoFlags;
use crate::commands::orphans::OrphansFlags;
use crate::commands::restore::RestoreFlags;
use crate::config::ServeFlags;
use crate::failure::Failure;

/// A self-hosted Amazon ECS: serves the ECS API and runs the tasks as containers.
#[derive(Debug, Parser)]
#[command(name = "longshore", version)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the ECS API until SIGTERM or SIGINT
    Serve(ServeFlags),
    /// Start a server, run three tasks, list them, clean up
    Demo(DemoFlags),
    /// Copy the state to a file, while a server runs or while none does
    Backup(BackupFlags),
    /// Put a backup in place of the state, while a server runs or while none does
    Restore(RestoreFlags),
    /// List running containers whose task the server does not know
    Orphans(OrphansFlags),
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("longshore: {failure}");
            ExitCode::from(failure.exit_code())
        }
    }
}

fn run(cli: Cli) -> Result<(), Failure> {
    match cli.command {
        Command::Serve(flags) => commands::serve::run(flags),
        Command::Demo(flags) => commands::demo::run(&flags),
        Command::Backup(flags) => commands::backup::run(&flags),
        Command::Restore(flags) => commands::restore::run(&flags),
        Command::Orphans(flags) => commands::orphans::run(&flags),
    }
}
