//! Tasks: the record, its life cycle, and what starts, reports and stops do to it.

pub mod capacity;
pub mod lifecycle;
pub mod record;
pub mod report;
pub mod run;
pub mod stop;
pub mod tags;

pub use lifecycle::{Actor, DesiredStatus, TaskStatus};
pub use record::{ContainerRecord, ContainerStatus, LaunchType, StopCode, TaskKey, TaskRecord};
