//! Operations on task definitions.

pub mod delete_task_definitions;
pub mod deregister_task_definition;
pub mod describe_task_definition;
pub mod list_task_definition_families;
pub mod list_task_definitions;
pub mod register_task_definition;
pub mod render;
