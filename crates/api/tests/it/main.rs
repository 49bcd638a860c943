//! The operations, driven through their functions over a store in memory.

mod cluster;
mod container_instance;
mod harness;
mod records;
mod sts;
mod tag;
mod task_definition;
