//! The programs that judge the product without being measured: the simulation and the crash driver.
//!
//! One build makes both, with a profile that optimises but does not link for minutes. They are no part of the product:
//! virtual time and the planted bugs, which the simulation turns on, must be in no other binary.

use std::path::PathBuf;
use std::process::Command;

use crate::workspace;

/// Where the profile puts its programs.
fn folder() -> PathBuf {
    workspace::target().join("driver")
}

/// The crash driver, once it is built.
pub fn driver() -> Command {
    Command::new(folder().join("xtask"))
}

/// The simulation, once it is built.
pub fn simulation() -> Command {
    Command::new(folder().join("examples/simulate"))
}

/// Builds both.
///
/// # Errors
/// Cargo does not start, or the build failed.
pub fn build() -> Result<(), String> {
    cargo_build(&[
        "--profile",
        "driver",
        "--package",
        "xtask",
        "--package",
        "longshore-sim",
        "--features",
        "xtask/crash,longshore-sim/planted-bugs",
        "--bin",
        "xtask",
        "--example",
        "simulate",
    ])
}

/// `cargo build --locked` with these words.
///
/// # Errors
/// Cargo does not start, or the build failed.
pub fn cargo_build(words: &[&str]) -> Result<(), String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.current_dir(workspace::root()).args(["build", "--locked"]).args(words);
    match build.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("the build failed ({status})")),
        Err(error) => Err(format!("cannot start cargo: {error}")),
    }
}
