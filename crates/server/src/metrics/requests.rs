//! Requests by operation and status, and how long they took.
//!
//! Counting happens on the hot path, so every operation has its own atomics in every lane from the
//! start: one look-up by name and three relaxed additions a request, no lock, and no memory that
//! another core writes. The lanes are added up when somebody asks.

use std::array::from_fn;
use std::collections::HashMap;
use std::fmt::Error;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::registry::Unit;

use crate::lane::PerLane;

/// The name under which requests for no known operation are counted.
const UNKNOWN: &str = "Unknown";

/// Operations of other services that are served on the same endpoint.
const COMPANIONS: [&str; 1] = ["GetCallerIdentity"];

/// The statuses that are told apart; any other counts under the last entry.
const CODES: [(u16, &str); 9] = [
    (200, "200"),
    (400, "400"),
    (403, "403"),
    (404, "404"),
    (408, "408"),
    (413, "413"),
    (500, "500"),
    (503, "503"),
    (0, "other"),
];

/// Upper bounds of the latency buckets in nanoseconds; the last bucket has none.
const BOUNDS: [u64; 14] = [
    25_000,
    50_000,
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    50_000_000,
    100_000_000,
    500_000_000,
    1_000_000_000,
    5_000_000_000,
];

#[derive(Debug, Default)]
struct OperationMetrics {
    codes: [AtomicU64; CODES.len()],
    buckets: [AtomicU64; BOUNDS.len() + 1],
    nanos: AtomicU64,
}

/// The same counters, added up over the lanes.
struct Totals {
    codes: [u64; CODES.len()],
    buckets: [u64; BOUNDS.len() + 1],
    nanos: u64,
}

/// Counters of all operations.
#[derive(Debug)]
pub struct RequestMetrics {
    index: HashMap<&'static str, usize>,
    /// The operations' names, and [`UNKNOWN`] as the last.
    names: Vec<&'static str>,
    lanes: PerLane<Vec<OperationMetrics>>,
}

impl RequestMetrics {
    /// Counters at zero for these operations and `sts:GetCallerIdentity`.
    pub fn new(operations: &[&'static str]) -> Self {
        let names: Vec<&'static str> = operations.iter().copied().chain(COMPANIONS).chain([UNKNOWN]).collect();
        Self {
            index: names.iter().enumerate().map(|(index, name)| (*name, index)).collect(),
            lanes: PerLane::new(|| names.iter().map(|_| OperationMetrics::default()).collect()),
            names,
        }
    }

    /// Counts one answered request.
    pub fn observe(&self, operation: Option<&str>, status: u16, elapsed: Duration) {
        let index = operation.and_then(|name| self.index.get(name)).copied();
        let lane = self.lanes.mine();
        let Some(metrics) = lane.get(index.unwrap_or(self.names.len() - 1)) else { return };
        let nanos = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
        let code = CODES.iter().position(|(code, _)| *code == status).unwrap_or(CODES.len() - 1);
        let bucket = BOUNDS.iter().position(|bound| nanos <= *bound).unwrap_or(BOUNDS.len());
        for counter in [metrics.codes.get(code), metrics.buckets.get(bucket)].into_iter().flatten() {
            counter.fetch_add(1, Ordering::Relaxed);
        }
        metrics.nanos.fetch_add(nanos, Ordering::Relaxed);
    }

    fn all(&self) -> impl Iterator<Item = (&'static str, Totals)> {
        self.names.iter().enumerate().map(|(index, name)| (*name, self.total(index)))
    }

    fn total(&self, index: usize) -> Totals {
        let sum = |of: &dyn Fn(&OperationMetrics) -> &AtomicU64| {
            self.lanes
                .iter()
                .filter_map(|lane| lane.get(index))
                .map(|metrics| of(metrics).load(Ordering::Relaxed))
                .sum()
        };
        Totals {
            codes: from_fn(|code| sum(&|metrics| &metrics.codes[code])),
            buckets: from_fn(|bucket| sum(&|metrics| &metrics.buckets[bucket])),
            nanos: sum(&|metrics| &metrics.nanos),
        }
    }
}

impl Totals {
    /// Requests in each bucket, and their sum.
    fn latencies(&self) -> (Vec<(f64, u64)>, u64) {
        let bounds = BOUNDS.iter().map(|nanos| *nanos as f64 / 1e9).chain([f64::INFINITY]);
        let buckets: Vec<_> = bounds.zip(self.buckets).collect();
        let total = buckets.iter().map(|(_, count)| count).sum();
        (buckets, total)
    }
}

impl Collector for RequestMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        let mut counters = encoder.encode_descriptor("requests", "Answered API requests", None, MetricType::Counter)?;
        for (name, metrics) in self.all() {
            for ((_, code), count) in CODES.iter().zip(metrics.codes) {
                if count > 0 {
                    let labels = [("operation", name), ("code", *code)];
                    ConstCounter::new(count).encode(counters.encode_family(&labels)?)?;
                }
            }
        }
        let mut histograms = encoder.encode_descriptor(
            "request_duration",
            "Time from a request's head to its answer",
            Some(&Unit::Seconds),
            MetricType::Histogram,
        )?;
        for (name, metrics) in self.all() {
            let (buckets, total) = metrics.latencies();
            if total > 0 {
                let seconds = metrics.nanos as f64 / 1e9;
                let labels = [("operation", name)];
                histograms
                    .encode_family(&labels)?
                    .encode_histogram::<[(&str, &str); 0]>(seconds, total, &buckets, None)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Metrics, registry};

    #[test]
    fn what_several_threads_count_is_added_up() {
        let metrics = Metrics::new(registry(), &["ListTasks"]);
        std::thread::scope(|scope| {
            for _ in 0..20 {
                scope.spawn(|| metrics.requests.observe(Some("ListTasks"), 200, Duration::from_millis(250)));
            }
        });
        let text = metrics.text();
        for line in [
            "longshore_requests_total{operation=\"ListTasks\",code=\"200\"} 20",
            "longshore_request_duration_seconds_bucket{le=\"0.5\",operation=\"ListTasks\"} 20",
            "longshore_request_duration_seconds_sum{operation=\"ListTasks\"} 5.0",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is missing in\n{text}");
        }
    }

    #[test]
    fn requests_are_counted_by_operation_and_code() {
        let metrics = Metrics::new(registry(), &["ListTasks", "RunTask"]);
        let micros = Duration::from_micros;
        metrics.requests.observe(Some("ListTasks"), 200, micros(30));
        metrics.requests.observe(Some("ListTasks"), 200, micros(40));
        metrics.requests.observe(Some("ListTasks"), 400, Duration::from_secs(60));
        metrics.requests.observe(Some("NoSuchThing"), 400, micros(1));
        metrics.requests.observe(None, 418, micros(1));
        let text = metrics.text();
        for line in [
            "longshore_requests_total{operation=\"ListTasks\",code=\"200\"} 2",
            "longshore_requests_total{operation=\"ListTasks\",code=\"400\"} 1",
            "longshore_requests_total{operation=\"Unknown\",code=\"400\"} 1",
            "longshore_requests_total{operation=\"Unknown\",code=\"other\"} 1",
            "longshore_request_duration_seconds_bucket{le=\"0.000025\",operation=\"ListTasks\"} 0",
            "longshore_request_duration_seconds_bucket{le=\"0.00005\",operation=\"ListTasks\"} 2",
            "longshore_request_duration_seconds_bucket{le=\"5.0\",operation=\"ListTasks\"} 2",
            "longshore_request_duration_seconds_bucket{le=\"+Inf\",operation=\"ListTasks\"} 3",
            "longshore_request_duration_seconds_count{operation=\"ListTasks\"} 3",
            "# EOF",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is missing in\n{text}");
        }
        assert!(!text.contains("RunTask"), "an operation without requests has no lines");
        assert!(!text.contains("NoSuchThing"), "a caller cannot invent labels");
    }
}
