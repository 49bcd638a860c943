//! What a benchmark has to say: ratios, tables, numbers; and the files that hold them all.
//!
//! `docs/benchmarks/results.md` and `results.json` are written anew by each run of everything. Single benchmarks print.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use super::machine;
use crate::workspace;

/// What a figure should be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Aim {
    /// Not above this.
    AtMost(f64),
    /// Not below this.
    AtLeast(f64),
    /// It stands for itself.
    None,
}

/// A figure of the first table.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// What it is, with its unit.
    pub what: String,
    /// The figure.
    pub value: f64,
    /// What it should be.
    pub aim: Aim,
}

/// A benchmark's report.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The benchmark's name on the command line.
    pub name: &'static str,
    /// Ratios first.
    pub figures: Vec<Figure>,
    /// How it was measured this time, and the tables behind the figures; Markdown.
    pub details: String,
    /// Every number that the tables were made of.
    pub numbers: Value,
}

impl Figure {
    /// A figure and what it should be.
    pub fn new(what: impl Into<String>, value: f64, aim: Aim) -> Self {
        Self { what: what.into(), value, aim }
    }

    fn row(&self) -> String {
        let (aim, met) = match self.aim {
            Aim::AtMost(most) => (format!("at most {most}"), if self.value <= most { "yes" } else { "no" }),
            Aim::AtLeast(least) => (format!("at least {least}"), if self.value >= least { "yes" } else { "no" }),
            Aim::None => (String::new(), ""),
        };
        format!("| {} | **{}** | {aim} | {met} |\n", self.what, shown(self.value))
    }

    fn json(&self) -> Value {
        let mut object = json!({ "what": self.what, "value": rounded(self.value) });
        match self.aim {
            Aim::AtMost(most) => object["atMost"] = json!(most),
            Aim::AtLeast(least) => object["atLeast"] = json!(least),
            Aim::None => {}
        }
        object
    }
}

impl Report {
    /// The report alone, as it is printed.
    pub fn text(&self) -> String {
        format!("{}\n\n{}\n{}", machine::description(), figures_table(&self.figures), self.details.trim_end())
    }
}

/// Writes the reports into the two files.
///
/// # Errors
/// The disk.
pub fn write_files(reports: &[Report]) -> Result<(), String> {
    let folder = workspace::root().join("docs/benchmarks");
    let files = [("results.md", markdown(reports)), ("results.json", json_text(reports))];
    for (name, text) in files {
        let path = folder.join(name);
        fs::create_dir_all(&folder)
            .and_then(|()| fs::write(&path, text))
            .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    }
    Ok(())
}

fn markdown(reports: &[Report]) -> String {
    let mut text = format!(
        "# Benchmarks\n\nWritten by `cargo xtask bench`; how: [performance](../performance.md). {}, commit {}, {}.\n\n{}.\n",
        today(),
        commit(),
        compiler(),
        machine::description(),
    );
    let all: Vec<Figure> = reports.iter().flat_map(|report| report.figures.iter().cloned()).collect();
    text += &format!("\n## Against the aims\n\n{}", figures_table(&all));
    for report in reports {
        text += &format!("\n## {}\n\n{}\n", report.name, report.details.trim_end());
    }
    text
}

fn json_text(reports: &[Report]) -> String {
    let benchmarks: Vec<Value> = reports
        .iter()
        .map(|report| {
            let figures: Vec<Value> = report.figures.iter().map(Figure::json).collect();
            json!({ "name": report.name, "figures": figures, "numbers": report.numbers })
        })
        .collect();
    let all = json!({
        "date": today(), "commit": commit(), "compiler": compiler(), "machine": machine::description(),
        "benchmarks": benchmarks,
    });
    let text = serde_json::to_string_pretty(&all).expect("JSON values are text");
    compact_arrays(&text) + "\n"
}

/// Puts arrays of plain numbers on one line.
fn compact_arrays(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut open: Option<Vec<String>> = None;
    for line in text.lines() {
        match &mut open {
            Some(parts) => {
                let trimmed = line.trim();
                let ends = trimmed.starts_with(']');
                let plain = trimmed.trim_end_matches(',').parse::<f64>().is_ok();
                parts.push(if ends || plain { trimmed.to_owned() } else { line.to_owned() });
                if ends {
                    lines.push(parts.concat().replace(',', ", ").trim_end().to_owned());
                    open = None;
                } else if !plain {
                    lines.append(parts);
                    open = line.ends_with('[').then(|| lines.pop().into_iter().collect());
                }
            }
            None if line.ends_with('[') => open = Some(vec![line.to_owned()]),
            None => lines.push(line.to_owned()),
        }
    }
    lines.join("\n")
}

fn figures_table(figures: &[Figure]) -> String {
    let rows: String = figures.iter().map(Figure::row).collect();
    format!("| | measured | aim | met |\n|---|---:|---|---|\n{rows}")
}

/// Three digits that count, or whole numbers.
pub fn shown(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// For JSON: three digits after the point.
pub fn rounded(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}

fn today() -> String {
    said("date", &["-u", "+%F"])
}

fn commit() -> String {
    let dirty = if said("git", &["status", "--porcelain", "--", "crates"]).is_empty() { "" } else { " with changes" };
    said("git", &["rev-parse", "--short=12", "HEAD"]) + dirty
}

fn compiler() -> String {
    said("rustc", &["--version"])
}

/// What a program prints, or nothing.
fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).current_dir(workspace::root()).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_set_beside_their_aims() {
        let row = |value, aim| Figure::new("x", value, aim).row();
        assert_eq!(row(1.234, Aim::AtMost(1.1)), "| x | **1.23** | at most 1.1 | no |\n");
        assert_eq!(row(512.0, Aim::AtMost(512.0)), "| x | **512** | at most 512 | yes |\n");
        assert_eq!(row(0.71, Aim::AtLeast(0.7)), "| x | **0.71** | at least 0.7 | yes |\n");
        assert_eq!(row(0.69, Aim::AtLeast(0.7)), "| x | **0.69** | at least 0.7 | no |\n");
        assert_eq!(row(12.34, Aim::None), "| x | **12.3** |  |  |\n");
    }

    #[test]
    fn arrays_of_numbers_take_one_line_and_stay_the_same() {
        let value = json!({ "a": [1, 2.5], "b": [{ "c": [3] }, { "d": [[4, 5], []] }], "e": "x" });
        let text = compact_arrays(&serde_json::to_string_pretty(&value).unwrap());
        assert!(text.contains("\"a\": [1, 2.5],\n"), "{text}");
        assert!(text.contains("\"c\": [3]\n"), "{text}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value, "{text}");
    }
}
