//! The texts of the workspace.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Texts by their path below the workspace, with `/` between the parts.
pub type Tree = BTreeMap<String, String>;

/// Folders that hold nothing anybody wrote.
const SKIPPED: &[&str] = &["target", ".git", ".venv", "__pycache__", "node_modules", ".pytest_cache"];

/// What is read; other files have no rules.
const ENDINGS: &[&str] = &["rs", "toml", "md", "py", "sh", "txt", "yml", "yaml", "json"];
const NAMES: &[&str] = &["Makefile", "run", "Dockerfile"];

/// Reads every text below `root`.
///
/// # Errors
/// A folder or a file cannot be read, or a file is not UTF-8.
pub fn read(root: &Path) -> Result<Tree, String> {
    let mut tree = Tree::new();
    let mut open = vec![(root.to_path_buf(), String::new())];
    while let Some((folder, prefix)) = open.pop() {
        let problem = |error: std::io::Error| format!("cannot read {}: {error}", folder.display());
        for entry in fs::read_dir(&folder).map_err(problem)? {
            let entry = entry.map_err(problem)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = format!("{prefix}{name}");
            let kind = entry.file_type().map_err(problem)?;
            if kind.is_dir() && !SKIPPED.contains(&name.as_str()) {
                open.push((entry.path(), format!("{path}/")));
            } else if kind.is_file() && is_text(&name) {
                let text = fs::read_to_string(entry.path()).map_err(|error| format!("cannot read {path}: {error}"))?;
                tree.insert(path, text);
            }
        }
    }
    Ok(tree)
}

fn is_text(name: &str) -> bool {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending);
    NAMES.contains(&name) || ending.is_some_and(|ending| ENDINGS.contains(&ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_known_by_name() {
        for (name, text) in [("a.rs", true), ("Makefile", true), ("a.png", false), ("rs", false)] {
            assert_eq!(is_text(name), text, "{name}");
        }
    }

    #[test]
    fn build_output_is_not_read() {
        let root = std::env::temp_dir().join(format!("longshore-tidy-{}", std::process::id()));
        fs::create_dir_all(root.join("src")).unwrap();
        fs::create_dir_all(root.join("target")).unwrap();
        for path in ["src/a.rs", "target/b.rs", "c.bin"] {
            fs::write(root.join(path), "x").unwrap();
        }
        let tree = read(&root).unwrap();
        fs::remove_dir_all(root).unwrap();
        assert_eq!(tree, Tree::from([("src/a.rs".into(), "x".into())]));
    }
}
