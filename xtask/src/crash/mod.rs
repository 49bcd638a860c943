//! `cargo xtask crash`: the real server, killed at random moments under load, and judged by the driver's own log.
//!
//! Several clients call; the server is killed and started again on the same data; what it then shows is compared with
//! everything it ever answered. The rules stand in `docs/design/crash-driver.md`. Server and driver are built apart,
//! so that the server has no library's feature that only the driver wants.

mod call;
mod client;
mod driver;
mod gate;
mod history;
mod judge;
#[cfg(feature = "crash")]
mod model;
mod options;
mod random;
mod report;
mod server;
mod traffic;
mod verify;
mod wire;

use std::os::unix::process::CommandExt;

use crate::{drivers, workspace};
use options::Options;

/// The words that `cargo xtask crash` takes.
pub const USAGE: &str = "\
usage: cargo xtask crash [--kills 200] [--seed N] [--seconds S] [--clients 8] [--kills-per-directory 100]
                         [--server FILE]

Kills the server so often, or until so many seconds have passed, and fails when anything that it acknowledged is lost,
anything half done can be seen, or a history is not linearizable. The seed decides what is done and when it is killed;
what meets by chance is not repeated by it. Data and log of a failure are kept in target/crash.";

/// Runs the driver and returns its summary.
///
/// # Errors
/// A broken rule with its evidence, or what kept the driver from working.
pub fn run(words: &[&str]) -> Result<String, String> {
    let options = Options::read(words).map_err(|mistake| format!("{mistake}\n\n{USAGE}"))?;
    if cfg!(debug_assertions) || !cfg!(feature = "crash") {
        return Err(build_and_run(words, options.server.is_none()));
    }
    let release = workspace::target().join("release/longshore");
    let program = options.server.clone().unwrap_or(release);
    let scratch = workspace::target().join(format!("crash/{}", std::process::id()));
    eprintln!("seed {}", options.seed);
    let totals = driver::run(&options, &program, &scratch)?;
    std::fs::remove_dir_all(&scratch).map_err(|error| format!("{}: {error}", scratch.display()))?;
    Ok(totals.to_string())
}

/// Builds driver and server and becomes the driver. Returns only when that fails, with the reason.
fn build_and_run(words: &[&str], with_server: bool) -> String {
    let server = ["--release", "--package", "longshore-server"];
    let built = if with_server { drivers::cargo_build(&server) } else { Ok(()) };
    match built.and_then(|()| drivers::build()) {
        Ok(()) => format!("cannot start the driver: {}", drivers::driver().arg("crash").args(words).exec()),
        Err(problem) => problem,
    }
}
