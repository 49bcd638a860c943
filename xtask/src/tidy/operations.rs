//! Every operation of the model is either built or listed as not built, never both.

use std::collections::{BTreeMap, BTreeSet};

use super::files::Tree;
use crate::codegen::snake_case;

const TABLE: &str = "crates/ecs-wire/src/operations/table.rs";
const UNSUPPORTED: &str = "docs/unsupported-operations.txt";
const API: &str = "crates/api/src/";

/// The problems of the tree: an operation in neither place or in both, and a listed name that is
/// no operation or is listed twice.
///
/// # Errors
/// The generated table is missing or holds no operation.
pub fn problems(tree: &Tree) -> Result<Vec<String>, String> {
    let table = tree.get(TABLE).map_or("", String::as_str);
    let operations = operations(table);
    if operations.is_empty() {
        return Err(format!("{TABLE} holds no operation; run `cargo xtask codegen`"));
    }
    let Some(listed) = tree.get(UNSUPPORTED) else {
        return Ok(vec![format!("{UNSUPPORTED}: the file is missing")]);
    };
    let built: BTreeMap<&str, &str> = tree
        .keys()
        .filter(|path| path.starts_with(API))
        .filter_map(|path| Some((path.rsplit('/').next()?.strip_suffix(".rs")?, path.as_str())))
        .collect();
    let mut found = Vec::new();
    let mut unsupported = BTreeSet::new();
    for (number, line) in (1..).zip(listed.lines()) {
        let name = line.split('#').next().unwrap_or_default().trim();
        if name.is_empty() {
            continue;
        }
        if !operations.contains(name) {
            found.push(format!("{UNSUPPORTED}:{number}: {name} is no operation"));
        }
        if !unsupported.insert(name) {
            found.push(format!("{UNSUPPORTED}:{number}: {name} is listed twice"));
        }
    }
    for name in operations {
        match (built.get(snake_case(name).as_str()), unsupported.contains(name)) {
            (None, false) => found.push(format!(
                "{name} has neither a file {}.rs below {API} nor a line in {UNSUPPORTED}",
                snake_case(name)
            )),
            (Some(path), true) => {
                found.push(format!("{path}: {name} is built and stands in {UNSUPPORTED}"));
            }
            _ => {}
        }
    }
    Ok(found)
}

/// The variants of `enum Operation` in the generated table.
fn operations(table: &str) -> BTreeSet<&str> {
    table
        .lines()
        .skip_while(|line| *line != "pub enum Operation {")
        .skip(1)
        .take_while(|line| *line != "}")
        .filter_map(|line| line.trim().strip_suffix(','))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(listed: &str, files: &[&str]) -> Tree {
        let table = "pub enum Operation {\n    /// `A`.\n    GetBox,\n    /// `B`.\n    PutBox,\n}\n";
        let mut tree = Tree::from([(TABLE.to_owned(), table.to_owned()), (UNSUPPORTED.to_owned(), listed.to_owned())]);
        tree.extend(files.iter().map(|path| ((*path).to_owned(), String::new())));
        tree
    }

    #[test]
    fn built_or_listed_is_fine() {
        let tree = tree("# later\nPutBox  # with shelves\n", &["crates/api/src/box/get_box.rs"]);
        assert_eq!(problems(&tree), Ok(vec![]));
    }

    #[test]
    fn neither_both_and_nonsense_are_reported() {
        let tree = tree("GetBox\nGetBox\nGetTree\n", &["crates/api/src/get_box.rs"]);
        assert_eq!(
            problems(&tree).unwrap(),
            [
                "docs/unsupported-operations.txt:2: GetBox is listed twice",
                "docs/unsupported-operations.txt:3: GetTree is no operation",
                "crates/api/src/get_box.rs: GetBox is built and stands in docs/unsupported-operations.txt",
                "PutBox has neither a file put_box.rs below crates/api/src/ nor a line in docs/unsupported-operations.txt",
            ]
        );
    }

    #[test]
    fn an_empty_table_is_no_success() {
        assert!(problems(&Tree::new()).is_err());
    }
}
