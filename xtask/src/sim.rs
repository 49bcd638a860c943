//! `cargo xtask sim`: builds the simulation and runs it.
//!
//! It is built apart, since it turns on virtual time and the planted bugs, which no other binary may have.

use std::process::Command;

/// Passes its words on: `--seeds N` runs so many seeds, `--seed S` says with which to begin, `--bug NAME` plants a bug
/// first, `--bugs` looks whether every planted bug is found, `--log` prints the events.
///
/// # Errors
/// It cannot be built, or a seed went wrong; what and how to run it again was printed.
pub fn run(words: &[&str]) -> Result<String, String> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let build = ["run", "--locked", "--release", "--quiet", "--package", "longshore-sim"];
    let what = ["--features", "planted-bugs", "--example", "simulate", "--"];
    let status = Command::new(cargo).args(build).args(what).args(words).status();
    match status.map_err(|error| format!("cargo does not start: {error}"))?.success() {
        true => Ok("the simulation found nothing wrong".into()),
        false => Err("the simulation failed".into()),
    }
}
