//! What `/metrics` shows: Prometheus' text format, names beginning with `longshore_`.
//!
//! The parts of the program register their gauges in a [`Registry`] while the server is put
//! together; requests are counted by [`requests`], whose counters are plain atomics.

pub mod requests;

use std::fmt;
use std::sync::Arc;

use prometheus_client::encoding::text::encode;
pub use prometheus_client::registry::Registry;

pub use requests::RequestMetrics;

/// The registry to start with; hand it to whoever has something to count.
pub fn registry() -> Registry {
    Registry::with_prefix("longshore")
}

/// Everything that is counted.
pub struct Metrics {
    /// The requests of the API.
    pub requests: Arc<RequestMetrics>,
    registry: Registry,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Metrics {
    /// Closes a registry and adds the request counters for these operations to it. Requests for
    /// other names are counted together as `Unknown`.
    pub fn new(mut registry: Registry, operations: &[&'static str]) -> Self {
        let requests = Arc::new(RequestMetrics::new(operations));
        registry.register_collector(Box::new(Arc::clone(&requests)));
        Self { requests, registry }
    }

    /// The text of `/metrics`.
    pub fn text(&self) -> String {
        let mut text = String::new();
        match encode(&mut text, &self.registry) {
            Ok(()) => text,
            Err(error) => {
                tracing::error!(%error, "metrics cannot be written");
                "# EOF\n".to_owned()
            }
        }
    }
}
