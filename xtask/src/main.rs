//! The project's own commands: `cargo xtask <command>`.
//!
//! One file or folder per command. A command prints what it did to standard output, its errors to
//! standard error, and ends with status 1 when something is wrong.

mod bench;
mod codegen;
mod process;
mod tidy;
mod workspace;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask <command>

  codegen           write the generated sources of crates/ecs-wire from botocore's model
  codegen --check   fail when the committed sources differ from what the model gives
  tidy              check the style rules that neither rustfmt nor clippy knows
  bench             list the benchmarks";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["codegen"] => codegen::run(codegen::Mode::Write),
        ["codegen", "--check"] => codegen::run(codegen::Mode::Check),
        ["tidy"] => tidy::run(),
        ["bench", words @ ..] => bench::run(words),
        _ => Err(USAGE.to_owned()),
    };
    match outcome {
        Ok(summary) => {
            println!("{summary}");
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}
