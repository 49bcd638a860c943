//! Gauges of the store and of the built-in node, read when they are asked for.

use std::sync::Arc;

use longshore_domain::task::LaunchType;
use longshore_node::runner::Node;
use longshore_store::Store;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
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
        let done = self.store.writer_counts();
        let counters = [
            ("store_batches", "Batches made durable", done.batches),
            ("store_batch_updates", "Updates in them", done.updates),
            ("store_batch_rows", "Rows they wrote", done.rows),
            ("store_failed_batches", "Batches that could not be made durable", done.failed),
            ("store_updates_turned_away", "Updates refused because too many were waiting", done.turned_away),
        ];
        for (name, help, value) in counters {
            let counter = ConstCounter::new(value);
            counter.encode(encoder.encode_descriptor(name, help, None, counter.metric_type())?)?;
        }
        Ok(())
    }
}

/// Adds the built-in node's gauges to a registry.
pub fn register_node(registry: &mut Registry, node: Arc<Node>) {
    registry.register_collector(Box::new(NodeGauges { node }));
}

struct NodeGauges {
    node: Arc<Node>,
}

impl std::fmt::Debug for NodeGauges {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NodeGauges")
    }
}

impl Collector for NodeGauges {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let containers = self.node.orphans().iter().map(|orphan| orphan.containers.len() as u64).sum::<u64>();
        let gauge = ConstGauge::new(containers);
        let help = "Containers of tasks that the server does not know, kept for --orphan-grace";
        gauge.encode(encoder.encode_descriptor("orphan_containers", help, None, gauge.metric_type())?)
    }
}
