//! The `longshore` binary; everything is in the library of the same crate.

fn main() -> std::process::ExitCode {
    longshore_server::cli::main()
}
