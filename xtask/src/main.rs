//! The project's own commands: `cargo xtask <command>`.
//!
//! One file or folder per command. A command prints what it did to standard output, its errors to
//! standard error, and ends with status 1 when something is wrong.

mod bench;
mod client;
mod codegen;
mod crash;
mod drivers;
mod process;
mod sim;
mod tidy;
mod workspace;

use std::process::ExitCode;

/// The product's own, so that what is measured beside it differs in nothing but what it does.
#[cfg(feature = "bench")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const USAGE: &str = "\
usage: cargo xtask <command>

  codegen           write the generated sources of crates/ecs-wire from botocore's model
  codegen --check   fail when the committed sources differ from what the model gives
  tidy              check the style rules that neither rustfmt nor clippy knows
  sim --seeds N     run so many seeds of the simulation (--seed S: from S on; --bug NAME: with a planted bug;
                    --bugs: look whether every planted bug is found; --log: print the events)
  bench             measure; cargo xtask bench help lists the benchmarks
  crash             kill the server at random moments under load, and look for what is lost";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["codegen"] => codegen::run(codegen::Mode::Write),
        ["codegen", "--check"] => codegen::run(codegen::Mode::Check),
        ["tidy"] => tidy::run(),
        ["sim", words @ ..] => sim::run(words),
        ["bench", words @ ..] => bench::run(words),
        ["crash", words @ ..] => crash::run(words),
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
