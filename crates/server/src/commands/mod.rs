//! The subcommands, one file each: the file turns flags into a call and owns the runtime.

pub mod demo;
pub mod serve;
