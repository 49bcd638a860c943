//! `cargo xtask tidy`: the style rules that neither rustfmt nor clippy knows.
//!
//! Every rule is a function from texts to problems, so that it can be tested without a tree. A
//! problem names its file and, where there is one, its line.

mod crates;
mod files;
mod functions;
mod lines;
mod operations;

use crate::workspace;

/// Runs all rules over the workspace and returns the summary.
///
/// # Errors
/// The list of problems, one per line, or what could not be read.
pub fn run() -> Result<String, String> {
    let tree = files::read(&workspace::root())?;
    let mut problems = Vec::new();
    for (path, text) in &tree {
        problems.extend(lines::problems(path, text));
        if path.ends_with(".rs") {
            problems.extend(functions::problems(path, text));
        }
    }
    problems.extend(operations::problems(&tree)?);
    problems.extend(crates::problems(&tree));
    if problems.is_empty() {
        return Ok(format!("tidy: {} files, no problem", tree.len()));
    }
    problems.sort();
    Err(format!("{}\ntidy: {} problems", problems.join("\n"), problems.len()))
}
