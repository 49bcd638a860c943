//! Where the workspace and its build folder lie.

use std::path::PathBuf;

/// The folder that holds the root manifest.
///
/// Cargo tells a command it runs where the command's own manifest is; outside cargo the current
/// folder is taken.
pub fn root() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR")
        .map(PathBuf::from)
        .and_then(|xtask| xtask.parent().map(PathBuf::from))
        .unwrap_or_else(|| PathBuf::from("."))
}

/// Cargo's build folder, which nothing in the repository depends on.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}
