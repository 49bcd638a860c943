//! The task runner against an engine that does what the test says, in virtual time.

mod adoption;
mod crash;
mod docker;
mod failures;
mod fake_api;
mod fake_engine;
mod fake_handle;
mod images;
mod life_cycle;
mod orphans;
mod rig;
mod session;
mod shutdown;
