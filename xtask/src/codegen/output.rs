//! Formats rendered files in the build folder and compares them with the crate's sources.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::process;

/// Rendered texts by their path below the crate's `src`.
pub type Files = BTreeMap<String, String>;

/// The folders that belong to the generator alone: what it did not render there is deleted.
const OWN_FOLDERS: &[&str] = &["operations", "shapes"];

const FORMAT_DEADLINE: Duration = Duration::from_secs(120);

/// How a source differs from what was rendered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// It is not there.
    Missing,
    /// Its text is another.
    Changed,
    /// Nothing renders it any more.
    Stale,
}

/// The files as rustfmt leaves them under the workspace's settings; `folder` is emptied and used for
/// that.
///
/// # Errors
/// The folder cannot be written, or rustfmt is missing or refuses a file.
pub fn formatted(files: &Files, folder: &Path, settings: &Path) -> Result<Files, String> {
    let problem = |error: std::io::Error| format!("cannot use {}: {error}", folder.display());
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(problem)?;
    }
    for (path, text) in files {
        write(&folder.join(path), text)?;
    }
    let mut rustfmt = Command::new("rustfmt");
    rustfmt.args(["--edition", "2024"]);
    if settings.is_file() {
        rustfmt.arg("--config-path").arg(settings);
    }
    for own in OWN_FOLDERS {
        rustfmt.arg(folder.join(own).join("mod.rs"));
    }
    process::run(&mut rustfmt, FORMAT_DEADLINE)?;
    let read = |path: &String| fs::read_to_string(folder.join(path)).map_err(problem);
    files.keys().map(|path| Ok((path.clone(), read(path)?))).collect()
}

/// Where `source` differs from `files`, by path.
///
/// # Errors
/// A folder of the sources cannot be read.
pub fn differences(files: &Files, source: &Path) -> Result<BTreeMap<String, Difference>, String> {
    let mut found = BTreeMap::new();
    for (path, text) in files {
        match fs::read(source.join(path)) {
            Ok(present) if present == text.as_bytes() => {}
            Ok(_) => drop(found.insert(path.clone(), Difference::Changed)),
            Err(_) => drop(found.insert(path.clone(), Difference::Missing)),
        }
    }
    for own in OWN_FOLDERS {
        let folder = source.join(own);
        if !folder.is_dir() {
            continue;
        }
        let problem = |error: std::io::Error| format!("cannot list {}: {error}", folder.display());
        for entry in fs::read_dir(&folder).map_err(problem)? {
            let name = entry.map_err(problem)?.file_name();
            let path = format!("{own}/{}", name.to_string_lossy());
            if !files.contains_key(&path) {
                found.insert(path, Difference::Stale);
            }
        }
    }
    Ok(found)
}

/// Makes the sources equal to `files` where they differ.
///
/// # Errors
/// A file cannot be written or deleted.
pub fn apply(files: &Files, differences: &BTreeMap<String, Difference>, source: &Path) -> Result<(), String> {
    for path in differences.keys() {
        let target = source.join(path);
        match files.get(path) {
            Some(text) => write(&target, text)?,
            None => fs::remove_file(&target).map_err(|error| format!("cannot delete {}: {error}", target.display()))?,
        }
    }
    Ok(())
}

/// The text that says which files differ and what to do.
pub fn report(differences: &BTreeMap<String, Difference>, source: &Path) -> String {
    let mut text = format!("codegen: {} files differ from the model:\n", differences.len());
    for (path, difference) in differences {
        let how = match difference {
            Difference::Missing => "missing",
            Difference::Changed => "changed",
            Difference::Stale => "stale",
        };
        text.push_str(&format!("  {how}  {}\n", source.join(path).display()));
    }
    text.push_str("run `cargo xtask codegen` and commit what it writes");
    text
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    let problem = |error: std::io::Error| format!("cannot write {}: {error}", path.display());
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(problem)?;
    }
    fs::write(path, text).map_err(problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_difference_is_found_and_mended() {
        let source = std::env::temp_dir().join(format!("longshore-codegen-{}", std::process::id()));
        let files: Files = [("operations/a.rs", "a"), ("operations/b.rs", "b"), ("shapes/c.rs", "c")]
            .map(|(path, text)| (path.to_owned(), text.to_owned()))
            .into();
        for (path, text) in [("operations/a.rs", "a"), ("operations/b.rs", "x"), ("shapes/d.rs", "")] {
            write(&source.join(path), text).unwrap();
        }
        let found = differences(&files, &source).unwrap();
        let expected = [
            ("operations/b.rs", Difference::Changed),
            ("shapes/c.rs", Difference::Missing),
            ("shapes/d.rs", Difference::Stale),
        ];
        assert_eq!(found, expected.map(|(path, kind)| (path.to_owned(), kind)).into());
        assert!(report(&found, Path::new("src")).contains("  stale  src/shapes/d.rs\n"));
        apply(&files, &found, &source).unwrap();
        assert_eq!(differences(&files, &source), Ok(BTreeMap::new()));
        fs::remove_dir_all(source).unwrap();
    }
}
