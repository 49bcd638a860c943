//! Builds server and drivers for measuring, and goes on in the driver.

use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use crate::workspace;

/// Where the release profile puts a program.
pub fn program(name: &str) -> PathBuf {
    workspace::target().join("release").join(name)
}

/// Builds the server and the drivers in one go, so that both have the same libraries with the same
/// flags, and becomes the driver. Returns only when that fails, with the reason.
pub fn build_and_run(words: &[&str]) -> String {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.current_dir(workspace::root());
    build.args(["build", "--locked", "--release", "--package", "longshore-server", "--package", "xtask"]);
    build.args(["--features", "xtask/bench"]);
    match build.status() {
        Ok(status) if status.success() => {
            let error = Command::new(program("xtask")).arg("bench").args(words).exec();
            format!("cannot start the driver: {error}")
        }
        Ok(status) => format!("the release build failed ({status})"),
        Err(error) => format!("cannot start cargo: {error}"),
    }
}
