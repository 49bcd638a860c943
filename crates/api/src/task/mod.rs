//! Operations on tasks.

pub mod capacity;
pub mod client_token;
pub mod describe_tasks;
pub mod list_tasks;
pub mod new_task;
pub mod place;
pub mod render;
pub mod run_task;
pub mod stop_task;
pub mod submit_task_state_change;
