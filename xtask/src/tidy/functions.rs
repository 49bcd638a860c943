//! No function that somebody wrote is longer than a screen.
//!
//! The rule reads rustfmt's layout: a function ends at the first line that is its own indentation
//! and a closing brace.

use crate::codegen::GENERATED_MARK;

const MAX_FUNCTION_LINES: usize = 70;

/// Words that may stand before `fn`.
const BEFORE_FN: &[&str] = &["pub", "pub(crate)", "pub(super)", "const", "async", "unsafe", "extern", "default"];

/// The problems of one Rust file.
pub fn problems(path: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    if text.starts_with(GENERATED_MARK) {
        return found;
    }
    let lines: Vec<&str> = text.lines().collect();
    for (index, line) in lines.iter().enumerate() {
        let Some(name) = function_name(line) else {
            continue;
        };
        let count = length(lines.get(index..).unwrap_or_default());
        if count > MAX_FUNCTION_LINES {
            found.push(format!(
                "{path}:{}: function {name} has {count} lines, more than {MAX_FUNCTION_LINES}",
                index + 1
            ));
        }
    }
    found
}

/// The name of the function whose signature starts on this line.
fn function_name(line: &str) -> Option<&str> {
    let (before, after) = line.trim_start().split_once("fn ")?;
    if !before.split_whitespace().all(|word| BEFORE_FN.contains(&word)) {
        return None;
    }
    let end = after.find(|letter: char| !letter.is_alphanumeric() && letter != '_')?;
    after.get(..end).filter(|name| !name.is_empty())
}

/// Lines of the function that starts on the first one, the signature included; 1 for a body on
/// the signature's line, and the signature's lines where there is no body.
fn length(lines: &[&str]) -> usize {
    let signature = lines.iter().position(|line| line.ends_with(['{', '}', ';']));
    let Some(signature) = signature else {
        return lines.len();
    };
    if !lines.get(signature).is_some_and(|line| line.ends_with('{')) {
        return signature + 1;
    }
    let indentation = lines.first().map_or(0, |line| line.len() - line.trim_start().len());
    let closing = format!("{}}}", " ".repeat(indentation));
    let end = lines.iter().position(|line| **line == closing);
    end.map_or(lines.len(), |end| end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function(lines: usize) -> String {
        let body = "        step();\n".repeat(lines - 2);
        format!("impl X {{\n    pub(crate) async fn run(&self) {{\n{body}    }}\n}}\n")
    }

    #[test]
    fn long_functions_are_reported_where_they_start() {
        assert!(problems("a.rs", &function(70)).is_empty());
        assert_eq!(problems("a.rs", &function(71)), ["a.rs:2: function run has 71 lines, more than 70"]);
        let generated = format!("{GENERATED_MARK}\n{}", function(71));
        assert!(problems("a.rs", &generated).is_empty());
    }

    #[test]
    fn signatures_without_body_end_at_once() {
        let text = format!("trait X {{\n    fn a(&self);\n    fn b() {{}}\n{}}}\n", "\n".repeat(90));
        assert!(problems("a.rs", &text).is_empty());
    }

    #[test]
    fn signatures_over_several_lines_are_counted() {
        let body = "    step();\n".repeat(66);
        let text = format!("fn a(\n    b: B,\n) -> C\nwhere\n    B: D,\n{{\n{body}}}\n");
        assert_eq!(problems("a.rs", &text), ["a.rs:1: function a has 73 lines, more than 70"]);
    }

    #[test]
    fn only_definitions_count() {
        for line in ["    let f: fn (u8) = g;", "// the fn run(x)", "    call(fn run)", "fn "] {
            assert_eq!(function_name(line), None, "{line}");
        }
        assert_eq!(function_name("pub const fn name<T>(x: T) {"), Some("name"));
    }
}
