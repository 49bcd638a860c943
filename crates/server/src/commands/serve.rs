//! `longshore serve`: the API until a signal.

use std::collections::HashSet;

use clap::{Args, Command};

use crate::config::{Config, ServeFlags};
use crate::failure::Failure;
use crate::{logs, serve};

/// Runs the command to its end.
///
/// # Errors
/// When the configuration is wrong or the server cannot start.
pub fn run(flags: ServeFlags) -> Result<(), Failure> {
    let config = Config::load(flags)?;
    logs::init(config.log_format, &config.log_level)?;
    for name in unknown_variables(std::env::vars_os().filter_map(|(name, _)| name.into_string().ok())) {
        tracing::warn!(variable = name, "this environment variable is not known and has no effect");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Trouble(format!("cannot start threads: {error}")))?;
    runtime.block_on(serve::run(config))
}

/// Variables that look like ours but are none of the flags'.
fn unknown_variables(names: impl Iterator<Item = String>) -> Vec<String> {
    let command = ServeFlags::augment_args(Command::new("serve"));
    let known: HashSet<&str> = command.get_arguments().filter_map(|flag| flag.get_env()?.to_str()).collect();
    names.filter(|name| name.starts_with("LONGSHORE_") && !known.contains(name.as_str())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelled_variable_is_noticed() {
        let names = ["LONGSHORE_LISTEN", "LONGSHORE_LISTNE", "HOME"].map(str::to_owned);
        assert_eq!(unknown_variables(names.into_iter()), ["LONGSHORE_LISTNE"]);
    }
}
