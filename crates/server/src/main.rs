//! The `longshore` binary; everything is in the library of the same crate.

/// Keeps freed memory at hand, where the system's allocator gives it back and faults it in again; see ADR 0004.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    longshore_server::cli::main()
}
