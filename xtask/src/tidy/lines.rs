//! Rules about single lines and about a file's length.

use crate::codegen::GENERATED_MARK;

const MAX_FILE_LINES: usize = 600;

/// Words that promise later work; allowed with a name: `WORD(name)`.
const PROMISES: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME")];

/// Folders of a particular machine.
const MACHINE_FOLDERS: &[&str] = &[concat!("/wo", "rk/"), concat!("/ro", "ot/")];

/// A pause in a test is allowed where it is the step of a wait for a condition, said so on its
/// line: `// poll: the server answers`.
const POLL: &str = "// poll: ";

/// A pause that costs no time, because the test's clock is tokio's paused one, says so on its
/// line: `// paused: the pull takes this long`. A file whose tests all start paused needs no mark.
const PAUSED: &str = "// paused: ";
const STARTS_PAUSED: &str = "start_paused = true";

/// The problems of one file.
pub fn problems(path: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let rust = path.ends_with(".rs");
    let count = text.lines().count();
    if rust && count > MAX_FILE_LINES && !text.starts_with(GENERATED_MARK) {
        found.push(format!("{path}: {count} lines, more than {MAX_FILE_LINES}"));
    }
    let mut in_tests = rust && is_test_file(path);
    let paused = text.contains(STARTS_PAUSED);
    for (number, line) in (1..).zip(text.lines()) {
        in_tests |= rust && line.trim() == "#[cfg(test)]";
        let mut report = |problem: String| found.push(format!("{path}:{number}: {problem}"));
        if let Some(word) = unnamed_promise(line) {
            report(format!("{word} without a name"));
        }
        if let Some(folder) = machine_folder(line) {
            report(format!("a path of one machine: {folder}"));
        }
        if in_tests && !paused && calls_sleep(line) && !line.contains(POLL) && !line.contains(PAUSED) {
            report("a test sleeps; wait for a condition with a deadline".to_owned());
        }
    }
    found
}

fn is_test_file(path: &str) -> bool {
    let mut parts = path.split('/').rev();
    let file = parts.next().unwrap_or_default();
    file == "tests.rs" || file.ends_with("_tests.rs") || parts.any(|folder| folder == "tests")
}

fn unnamed_promise(line: &str) -> Option<&'static str> {
    PROMISES.iter().copied().find(|word| {
        line.match_indices(word).any(|(start, _)| {
            let after = line[start + word.len()..].chars().next();
            let whole = !continues_a_word(line, start) && !after.is_some_and(is_word);
            whole && after != Some('(')
        })
    })
}

fn machine_folder(line: &str) -> Option<&'static str> {
    MACHINE_FOLDERS.iter().copied().find(|folder| {
        line.match_indices(folder).any(|(start, _)| {
            let before = line[..start].chars().next_back();
            !before.is_some_and(|letter| is_word(letter) || ".-}$)".contains(letter))
        })
    })
}

fn calls_sleep(line: &str) -> bool {
    !line.trim_start().starts_with("//")
        && line.match_indices("sleep(").any(|(start, _)| !continues_a_word(line, start))
}

fn continues_a_word(line: &str, start: usize) -> bool {
    line[..start].chars().next_back().is_some_and(is_word)
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_files_are_reported_unless_generated() {
        let long = "x\n".repeat(MAX_FILE_LINES + 1);
        assert_eq!(problems("a.rs", &long), ["a.rs: 601 lines, more than 600"]);
        assert!(problems("a.rs", &"x\n".repeat(MAX_FILE_LINES)).is_empty());
        assert!(problems("a.rs", &format!("{GENERATED_MARK}\n{long}")).is_empty());
        assert!(problems("a.md", &long).is_empty());
    }

    #[test]
    fn promises_need_a_name() {
        let word = PROMISES[0];
        assert_eq!(problems("a.rs", &format!("x\n// {word}: later")), [format!("a.rs:2: {word} without a name")]);
        assert!(problems("a.rs", &format!("// {word}(ada): later")).is_empty());
        assert!(problems("a.rs", &format!("MAS{word} {word}S")).is_empty());
    }

    #[test]
    fn paths_of_a_machine_are_reported() {
        let folder = MACHINE_FOLDERS[0];
        assert_eq!(
            problems("a.md", &format!("see {folder}main")),
            [format!("a.md:1: a path of one machine: {folder}")]
        );
        assert!(problems("a.md", &format!("see src{folder}main")).is_empty());
    }

    #[test]
    fn tests_do_not_sleep() {
        let call = concat!("    std::thread::sl", "eep(STEP);");
        let reported = ["a test sleeps; wait for a condition with a deadline"];
        let of = |path: &str, text: &str| -> Vec<String> {
            let found = problems(path, text);
            found.iter().filter_map(|p| p.split_once(": ").map(|(_, text)| text.to_owned())).collect()
        };
        assert_eq!(of("crates/a/tests/it/main.rs", call), reported);
        assert_eq!(of("crates/a/src/b/tests.rs", call), reported);
        assert_eq!(of("crates/a/src/b_tests.rs", call), reported);
        assert_eq!(of("crates/a/src/b.rs", &format!("#[cfg(test)]\n{call}")), reported);
        assert!(of("crates/a/src/b.rs", call).is_empty());
        assert!(of("crates/a/tests/it/main.rs", &format!("{call} // poll: it is up")).is_empty());
        assert!(of("crates/a/tests/it/main.rs", &format!("{call} // paused: a pull")).is_empty());
        let paused = format!("#[tokio::test(start_paused = true)]\n{call}");
        assert!(of("crates/a/tests/it/main.rs", &paused).is_empty());
        assert!(of("crates/a/tests/it/main.rs", "does_not_sleep();").is_empty());
    }
}
