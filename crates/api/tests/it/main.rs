//! The operations, driven through their functions over a store in memory.

mod client_token;
mod cluster;
mod container_instance;
mod dispatch;
mod harness;
mod list_tasks;
mod list_tasks_fleet;
mod list_tasks_oracle;
mod list_tasks_work;
mod members;
mod page_token_key;
mod records;
mod sts;
mod submit_task_state_change;
mod tag;
mod task_definition;
mod task_life;
mod task_placement;
mod task_run;
mod task_run_refusals;
mod task_stop;
mod task_world;
