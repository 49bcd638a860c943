//! `cargo xtask sim`: builds the simulation and runs it.

use crate::drivers;

/// Passes its words on: `--seeds N` runs so many seeds, `--seed S` says with which to begin, `--bug NAME` plants a bug
/// first, `--bugs` looks whether every planted bug is found, `--log` prints the events.
///
/// # Errors
/// It cannot be built, or a seed went wrong; what and how to run it again was printed.
pub fn run(words: &[&str]) -> Result<String, String> {
    drivers::build()?;
    let status = drivers::simulation().args(words).status();
    match status.map_err(|error| format!("the simulation does not start: {error}"))?.success() {
        true => Ok("the simulation found nothing wrong".into()),
        false => Err("the simulation failed".into()),
    }
}
