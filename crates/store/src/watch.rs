//! What changed since a version, without a gap.
//!
//! The writer hands every published change to the hub, which keeps the latest ones and passes each to the
//! subscriptions it concerns. A subscription that falls too far behind ends with [`TooOld`]: its owner takes a snapshot
//! and watches from there, which is also how it begins.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use longshore_domain::task::TaskKey;
use longshore_domain::{EcsId, Scope};
use tokio::sync::mpsc;

use crate::Kind;

/// How many changes the hub keeps for those who come back.
const KEPT: usize = 65_536;
/// How many changes wait for one subscription before it is too far behind.
const WAITING: usize = 8_192;

/// One changed record. It carries no body: the watcher looks at the state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Version of the transaction that made it.
    pub version: u64,
    /// Kind of the record.
    pub kind: Kind,
    /// Its key in its table.
    pub key: String,
    /// The task, if it is one.
    pub task: Option<TaskKey>,
    /// Scope of the record.
    pub scope: Option<Scope>,
    /// The machine it concerns.
    pub node: Option<EcsId>,
    /// Whether the record is gone.
    pub deleted: bool,
}

/// Which changes a watcher wants.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Interest {
    /// What concerns one machine.
    Node(EcsId),
    /// One kind of record.
    Kind(Kind),
}

impl Interest {
    fn wants(&self, change: &Change) -> bool {
        match self {
            Self::Node(node) => change.node == Some(*node),
            Self::Kind(kind) => change.kind == *kind,
        }
    }
}

/// The changes asked for are not all kept any more: take a snapshot and watch from its version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too old, take a snapshot")]
pub struct TooOld;

/// A running watch.
#[derive(Debug)]
pub struct Watch {
    receiver: mpsc::Receiver<Arc<Change>>,
}

impl Watch {
    /// The next change, as soon as there is one.
    ///
    /// # Errors
    /// [`TooOld`] when this watch fell too far behind, or the store was closed.
    pub async fn next(&mut self) -> Result<Arc<Change>, TooOld> {
        self.receiver.recv().await.ok_or(TooOld)
    }

    /// A change that waits already.
    pub fn try_next(&mut self) -> Option<Arc<Change>> {
        self.receiver.try_recv().ok()
    }
}

#[derive(Debug, Default)]
struct Hub {
    kept: VecDeque<Arc<Change>>,
    /// Changes up to this version are no longer kept in full.
    forgotten: u64,
    /// Version of the latest change, or of the state that it began from.
    latest: u64,
    subscriptions: HashMap<Interest, Vec<mpsc::Sender<Arc<Change>>>>,
}

/// Passes published changes on.
#[derive(Debug, Clone, Default)]
pub(crate) struct Watchers {
    hub: Arc<Mutex<Hub>>,
}

impl Watchers {
    /// A hub of a store that begins at `version`.
    pub(crate) fn starting_at(version: u64) -> Self {
        let watchers = Self::default();
        watchers.reset(version, || {});
        watchers
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Hub> {
        self.hub.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Publishes with `publish`, and passes on what changed by it. Whoever sees the new state finds its changes here.
    pub(crate) fn publish(&self, changes: Vec<Change>, publish: impl FnOnce()) {
        let mut hub = self.lock();
        publish();
        for change in changes {
            let change = Arc::new(change);
            let interests = [change.node.map(Interest::Node), Some(Interest::Kind(change.kind))];
            for interest in interests.into_iter().flatten() {
                if let Some(senders) = hub.subscriptions.get_mut(&interest) {
                    senders.retain(|sender| sender.try_send(Arc::clone(&change)).is_ok());
                    if senders.is_empty() {
                        hub.subscriptions.remove(&interest);
                    }
                }
            }
            hub.latest = change.version;
            hub.kept.push_back(change);
        }
        while hub.kept.len() > KEPT {
            if let Some(oldest) = hub.kept.pop_front() {
                hub.forgotten = oldest.version;
            }
        }
    }

    /// Publishes a state of which nobody knows how it came about. Every watcher hears [`TooOld`], and so does everybody
    /// who comes back with a version from before.
    pub(crate) fn reset(&self, version: u64, publish: impl FnOnce()) {
        let mut hub = self.lock();
        publish();
        *hub = Hub { forgotten: version, latest: version, ..Hub::default() };
    }

    /// Begins a watch with everything after `version`.
    pub(crate) fn watch_from(&self, version: u64, interest: Interest) -> Result<Watch, TooOld> {
        let mut hub = self.lock();
        // A later version than the latest is one of a state that is no more.
        if version < hub.forgotten || version > hub.latest {
            return Err(TooOld);
        }
        let (sender, receiver) = mpsc::channel(WAITING);
        let first = hub.kept.partition_point(|change| change.version <= version);
        for change in hub.kept.range(first..).filter(|change| interest.wants(change)) {
            sender.try_send(Arc::clone(change)).map_err(|_| TooOld)?;
        }
        hub.subscriptions.entry(interest).or_default().push(sender);
        Ok(Watch { receiver })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(version: u64, node: u8) -> Change {
        Change {
            version,
            kind: Kind::Task,
            key: String::new(),
            task: None,
            scope: None,
            node: Some(EcsId([node; 16])),
            deleted: false,
        }
    }

    fn versions(watch: &mut Watch) -> Vec<u64> {
        std::iter::from_fn(|| watch.try_next()).map(|change| change.version).collect()
    }

    #[test]
    fn a_watch_has_no_gap_and_only_what_concerns_it() {
        let watchers = Watchers::starting_at(5);
        watchers.publish(vec![change(6, 1), change(7, 2), change(8, 1)], || {});
        let mut watch = watchers.watch_from(6, Interest::Node(EcsId([1; 16]))).unwrap();
        watchers.publish(vec![change(9, 2), change(10, 1)], || {});
        assert_eq!(versions(&mut watch), [8, 10]);
        let mut all = watchers.watch_from(5, Interest::Kind(Kind::Task)).unwrap();
        assert_eq!(versions(&mut all), [6, 7, 8, 9, 10]);
        assert_eq!(watchers.watch_from(4, Interest::Kind(Kind::Task)).unwrap_err(), TooOld);
    }

    #[test]
    fn a_slow_watch_ends_instead_of_missing_something() {
        let watchers = Watchers::starting_at(0);
        let mut watch = watchers.watch_from(0, Interest::Node(EcsId([1; 16]))).unwrap();
        let count = WAITING as u64 + 2;
        watchers.publish((1..=count).map(|version| change(version, 1)).collect(), || {});
        assert_eq!(versions(&mut watch).len(), WAITING);
        watchers.publish(vec![change(count + 1, 1)], || {});
        assert_eq!(watch.try_next(), None);
        assert!(watch.receiver.is_closed());
    }

    #[test]
    fn after_a_reset_everybody_takes_a_snapshot() {
        let watchers = Watchers::starting_at(0);
        watchers.publish(vec![change(1, 1), change(2, 1)], || {});
        let interest = || Interest::Node(EcsId([1; 16]));
        let mut watch = watchers.watch_from(1, interest()).unwrap();
        assert_eq!(versions(&mut watch), [2]);
        let restored = 1 << 32;
        watchers.reset(restored, || {});
        assert!(watch.receiver.is_closed());
        assert_eq!(watchers.watch_from(2, interest()).unwrap_err(), TooOld);
        let mut watch = watchers.watch_from(restored, interest()).unwrap();
        watchers.publish(vec![change(restored + 1, 1)], || {});
        assert_eq!(versions(&mut watch), [restored + 1]);
        // Back to an older file: what was seen of the newer one is too old, too.
        watchers.reset(1, || {});
        assert_eq!(watchers.watch_from(restored + 1, interest()).unwrap_err(), TooOld);
    }

    #[test]
    fn what_is_forgotten_is_said() {
        let watchers = Watchers::starting_at(0);
        watchers.publish((1..=KEPT as u64 + 10).map(|version| change(version, 1)).collect(), || {});
        assert!(watchers.watch_from(9, Interest::Node(EcsId([2; 16]))).is_err());
        assert!(watchers.watch_from(10, Interest::Node(EcsId([2; 16]))).is_ok());
    }
}
