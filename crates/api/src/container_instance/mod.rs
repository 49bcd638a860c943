//! Operations on container instances.

pub mod describe_container_instances;
pub mod list_container_instances;
pub mod render;
