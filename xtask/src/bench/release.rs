//! Builds server and drivers for measuring, and goes on in the driver.

use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use crate::{drivers, workspace};

/// Where the release profile puts a program.
pub fn program(name: &str) -> PathBuf {
    workspace::target().join("release").join(name)
}

/// Builds the server and the drivers in one go, so that both have the same libraries with the same
/// flags, and becomes the driver. Returns only when that fails, with the reason.
pub fn build_and_run(words: &[&str]) -> String {
    let both = ["--release", "--package", "longshore-server", "--package", "xtask", "--features", "xtask/bench"];
    match drivers::cargo_build(&both) {
        Ok(()) => {
            let error = Command::new(program("xtask")).arg("bench").args(words).exec();
            format!("cannot start the driver: {error}")
        }
        Err(problem) => problem,
    }
}
