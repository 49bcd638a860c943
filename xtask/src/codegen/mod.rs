//! `cargo xtask codegen`: the sources of `ecs-wire` that follow from Amazon's service model.
//!
//! The model comes out of the botocore wheel of the version that `tests/blackbox/requirements.txt`
//! pins, so the wire types and the client that tests them never drift apart. Names, types, required
//! members and bounds are taken; no sentence of the model's documentation is.
//! The sources are rendered into the build folder, formatted there, and then compared or copied, so
//! unchanged files keep their time stamps.

mod fetch;
mod model;
mod names;
mod ordered;
mod output;
mod render_enum;
mod render_operation;
mod render_rules;
mod render_structure;
mod render_table;
mod source;
mod usage;

use std::path::Path;

pub use names::snake_case;
pub use source::MARK as GENERATED_MARK;

use crate::workspace;
use model::Model;
use output::Files;

/// What to do with the rendered sources.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Make the crate's sources equal to them.
    Write,
    /// Only compare.
    Check,
}

/// The pin that names the model's version.
const REQUIREMENTS: &str = "tests/blackbox/requirements.txt";

/// Runs the command and returns its one-line summary.
///
/// # Errors
/// The pin, the wheel or the model cannot be read, or, in [`Mode::Check`], files differ.
pub fn run(mode: Mode) -> Result<String, String> {
    let root = workspace::root();
    let build = workspace::target().join("codegen");
    let version = fetch::pinned_version(&root.join(REQUIREMENTS))?;
    let model = Model::parse(&fetch::service_model(&root, &build, &version)?)?;
    let rendered = output::formatted(&render(&model)?, &build.join("rendered"), &root.join("rustfmt.toml"))?;
    let differences = output::differences(&rendered, &root.join("crates/ecs-wire/src"))?;
    let count = rendered.len();
    match mode {
        Mode::Write => {
            output::apply(&rendered, &differences, &root.join("crates/ecs-wire/src"))?;
            Ok(format!("codegen: {count} files from botocore {version}, {} changed", differences.len()))
        }
        Mode::Check if differences.is_empty() => Ok(format!("codegen: {count} files agree with botocore {version}")),
        Mode::Check => Err(output::report(&differences, Path::new("crates/ecs-wire/src"))),
    }
}

/// Every generated file, by its path below the crate's `src`.
fn render(model: &Model) -> Result<Files, String> {
    let usage = usage::Usage::of(model);
    let mut files = Files::new();
    for name in model.operations.keys() {
        let path = format!("operations/{}.rs", snake_case(name));
        files.insert(path, render_operation::file(model, &usage, name)?);
    }
    for name in usage.shared() {
        let path = format!("shapes/{}.rs", snake_case(name));
        files.insert(path, render_operation::shared_file(model, &usage, name)?);
    }
    files.insert("operations/table.rs".into(), render_table::table(model));
    files.insert("operations/mod.rs".into(), render_table::operations(model, &usage));
    files.insert("shapes/mod.rs".into(), render_table::shapes(model, &usage));
    files.insert("shapes/sensitive.rs".into(), render_table::sensitive(model, &usage));
    Ok(files)
}
