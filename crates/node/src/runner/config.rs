//! What a node is told when it starts.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use longshore_ecs_wire::Timestamp;

use crate::images::ImagePullBehavior;

/// The time of day, as a function, so that tests can run it.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self::from_fn(|| {
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
        })
    }

    /// A clock that asks `now`.
    pub fn from_fn(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        (self.0)()
    }
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clock")
    }
}

/// Settings of a node.
#[derive(Debug, Clone)]
pub struct NodeConfig {
    /// The node's id: [`crate::ownership::node_id`].
    pub node_id: String,
    /// Address of the host on which container ports are published.
    pub publish_address: IpAddr,
    /// When images are pulled.
    pub image_pull_behavior: ImagePullBehavior,
    /// How long a stopped container stays on the engine, from its end.
    pub container_cleanup_wait: Duration,
    /// How long the running containers of a task that the server does not know are kept: [`crate::orphans`].
    pub orphan_grace: Duration,
    /// Where the node keeps the list of its orphans; absent: a restart begins their grace anew.
    pub data_dir: Option<PathBuf>,
    /// How long [`crate::runner::Node::shutdown`] may take when it stops tasks.
    pub shutdown_deadline: Duration,
    /// How often all of the node's containers are looked at, in case the engine's events missed something.
    pub resync_interval: Duration,
    /// Whether a failing engine is proved to work again by really starting a container, or only asked.
    pub probe_with_container: bool,
    /// The time of day.
    pub clock: Clock,
}

impl NodeConfig {
    /// The defaults: pull behaviour `default`, cleanup after 1 h, orphans kept for 24 h and their list nowhere, 45 s to
    /// shut down, a look at everything each minute.
    pub fn new(node_id: String, publish_address: IpAddr) -> Self {
        Self {
            node_id,
            publish_address,
            image_pull_behavior: ImagePullBehavior::Default,
            container_cleanup_wait: Duration::from_secs(3600),
            orphan_grace: Duration::from_secs(24 * 3600),
            data_dir: None,
            shutdown_deadline: Duration::from_secs(45),
            resync_interval: Duration::from_secs(60),
            probe_with_container: true,
            clock: Clock::system(),
        }
    }
}
