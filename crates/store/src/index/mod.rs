//! The copy-on-write structures behind ListTasks.
//!
//! A task has a *position*: its cluster's sequence number, never reused. [`PositionSet`] holds the positions of the
//! tasks that share one indexed value, [`page`] intersects up to four of them, [`Rows`] leads from a position to the
//! task's id and record, [`IdMap`] from an id to its position.
//!
//! All of them are persistent: a clone costs a few reference counts and never sees a later write. What no clone
//! shares is edited in place; a write copies only the path to what it changes. Nothing here locks, and nothing
//! here knows a task's fields.

mod candidates;
mod id_map;
mod intersection;
mod leaf;
mod packed;
mod position_set;
mod radix;
mod rows;
mod run;

pub use id_map::IdMap;
pub use intersection::{Page, Work, page};
pub use position_set::{Iter, PositionSet};
pub use rows::Rows;
