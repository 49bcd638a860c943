//! The controllers of this server, started and stopped together.

use std::sync::Arc;
use std::time::Duration;

use longshore_api::Clock as _;
use longshore_controllers::{Driver, DriverOptions, Now, Reaper, TaskRetention};
use longshore_domain::node::NodeRecord;
use longshore_store::Store;

use super::node_record::NodeRecordKeeper;
use super::system::SystemClock;
use crate::failure::Failure;

/// The running controllers.
pub struct Controllers {
    drivers: Vec<Driver>,
}

impl Controllers {
    /// Stops them, each after the run under way.
    pub async fn stop(self) {
        for driver in self.drivers {
            driver.stop().await;
        }
    }
}

/// Starts them. `builtin_node` is the record of this server's own node, if it has one.
///
/// # Errors
/// A retention that is too short.
pub fn start(store: &Store, retention: Duration, builtin_node: Option<NodeRecord>) -> Result<Controllers, Failure> {
    let retention = TaskRetention::new(retention).map_err(|error| Failure::Usage(error.to_string()))?;
    let now: Now = Arc::new(|| SystemClock.now());
    let reaper = Reaper::new(store.clone(), retention, Arc::clone(&now));
    let reaper = Driver::start(reaper, store.clone(), Reaper::driver_options(), Arc::clone(&now));
    let keeper = NodeRecordKeeper::new(store.clone(), builtin_node);
    let keeper = Driver::start(keeper, store.clone(), DriverOptions::default(), now);
    Ok(Controllers { drivers: vec![reaper, keeper] })
}
