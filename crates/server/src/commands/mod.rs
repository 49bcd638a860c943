//! The subcommands, one file each: the file turns flags into a call and owns the runtime.

pub mod backup;
pub mod data_dir;
pub mod demo;
pub mod orphans;
pub mod restore;
pub mod serve;
