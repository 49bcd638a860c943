//! Gauges of the store, read when they are asked for.

use longshore_domain::task::LaunchType;
use longshore_store::Store;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::gauge::ConstGauge;

use crate::metrics::Registry;

/// Adds the store's gauges to a registry.
pub fn register(registry: &mut Registry, store: &Store) {
    registry.register_collector(Box::new(StoreGauges { store: store.clone() }));
}

struct StoreGauges {
    store: Store,
}

impl std::fmt::Debug for StoreGauges {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StoreGauges")
    }
}

impl Collector for StoreGauges {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let view = self.store.view();
        let (mut clusters, mut running, mut pending, mut stopped) = (0, 0, 0, 0);
        for cluster in view.all_clusters() {
            clusters += u64::from(cluster.is_active());
            for launch_type in LaunchType::ALL {
                let counts = cluster.tasks.counts(launch_type);
                running += counts.running as u64;
                pending += counts.pending as u64;
            }
            stopped += (cluster.tasks.len() - cluster.tasks.unstopped()) as u64;
        }
        let gauges = [
            ("store_version", "Number of the last durable transaction", view.version()),
            ("clusters", "ACTIVE clusters", clusters),
            ("tasks_running", "Tasks whose last status is RUNNING", running),
            ("tasks_pending", "Tasks that do not run yet", pending),
            ("tasks_stopped", "Stopped tasks that are still listed", stopped),
        ];
        for (name, help, value) in gauges {
            let gauge = ConstGauge::new(value);
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        Ok(())
    }
}
