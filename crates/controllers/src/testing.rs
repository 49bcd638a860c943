//! Records and a clock for the tests of this crate.
//!
//! Time stands still unless a test advances it: a blocking task keeps the paused clock from running ahead while the
//! store's writer, which is a thread of its own, works. The same task ends a test that hangs.

use std::convert::Infallible;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use longshore_domain::cluster::{ClusterRecord, ClusterStatus};
use longshore_domain::idempotency::ClientTokenRecord;
use longshore_domain::task::{ContainerRecord, DesiredStatus, LaunchType, TaskKey, TaskRecord, TaskStatus};
use longshore_domain::task_definition::{TaskDefinitionRecord, TaskDefinitionStatus};
use longshore_domain::{EcsId, Resources, Scope, Timestamp};
use longshore_store::{Backend, Options, Record, Store, Tx, Write};
use tokio::sync::watch;

use crate::Now;

/// The clock's first moment.
pub(crate) const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);
/// Real time a test may take.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn hours(count: i64) -> Timestamp {
    START.plus_seconds(count * 3600)
}

pub(crate) fn scope() -> Scope {
    Scope::new("000000000000", "us-east-1")
}

pub(crate) fn cluster(incarnation: u64, name: &str, status: ClusterStatus) -> ClusterRecord {
    ClusterRecord { status, ..ClusterRecord::new(scope(), name, incarnation, START) }
}

pub(crate) fn definition(revision: u32, status: TaskDefinitionStatus) -> TaskDefinitionRecord {
    TaskDefinitionRecord {
        scope: scope(),
        family: "web".into(),
        revision,
        status,
        registered_at: START,
        registered_by: "test".into(),
        deregistered_at: None,
        delete_requested_at: None,
        definition: serde_json::from_str("{}").expect("an empty definition"),
        tags: vec![],
    }
}

pub(crate) fn key(cluster: u64, number: u64) -> TaskKey {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&number.to_be_bytes());
    TaskKey { cluster, id: EcsId(id) }
}

/// A task of `web:1`, running unless it stopped at some time.
pub(crate) fn task(cluster: u64, number: u64, stopped_at: Option<Timestamp>) -> TaskRecord {
    let stopped = stopped_at.is_some();
    TaskRecord {
        cluster,
        id: key(cluster, number).id,
        sequence: number,
        family: "web".into(),
        revision: 1,
        group: "family:web".into(),
        started_by: None,
        launch_type: LaunchType::Ec2,
        capacity_provider: None,
        node: None,
        container_instance: None,
        resources: Resources::default(),
        desired_status: if stopped { DesiredStatus::Stopped } else { DesiredStatus::Running },
        last_status: if stopped { TaskStatus::Stopped } else { TaskStatus::Running },
        version: 1,
        created_at: START,
        connectivity_at: None,
        pull_started_at: None,
        pull_stopped_at: None,
        started_at: None,
        stopping_at: None,
        execution_stopped_at: None,
        stopped_at,
        stop_code: None,
        stopped_reason: None,
        containers: vec![ContainerRecord::default()],
        overrides: None,
        network_configuration: None,
        platform_version: None,
        enable_execute_command: false,
        tags: vec![],
    }
}

pub(crate) fn client_token(cluster: u64, token: &str, created_at: Timestamp, tasks: &[u64]) -> ClientTokenRecord {
    ClientTokenRecord {
        cluster,
        token: token.into(),
        digest: "d".into(),
        created_at,
        tasks: tasks.iter().map(|number| key(cluster, *number).id).collect(),
        failures: vec![],
    }
}

pub(crate) fn memory_store() -> Store {
    Store::open(Options::new(Backend::Memory)).expect("a store in memory")
}

pub(crate) fn write<I>(at: Timestamp, input: I) -> Write<I> {
    Write { scope: scope(), principal: "test".into(), at, seed: EcsId([0; 16]), input }
}

fn put_all(tx: &mut Tx<'_>, write: &Write<Vec<Record>>) -> Result<(), Infallible> {
    write.input.iter().for_each(|record| tx.put(record.clone()));
    Ok(())
}

/// Writes records in one transaction.
pub(crate) async fn put(store: &Store, records: impl IntoIterator<Item = Record>) {
    store.update(write(START, records.into_iter().collect()), put_all).await.expect("a write");
}

/// A clock that follows tokio's.
pub(crate) fn now() -> Now {
    let began = tokio::time::Instant::now();
    Arc::new(move || {
        let passed = i64::try_from(began.elapsed().as_millis()).expect("not that long");
        START.plus_millis(passed)
    })
}

/// Keeps the paused clock still, and the test from hanging.
pub(crate) struct Guard {
    expired: watch::Receiver<bool>,
    _stop: mpsc::Sender<()>,
}

impl Guard {
    pub(crate) fn new() -> Self {
        let (stop, stopped) = mpsc::channel();
        let (expire, expired) = watch::channel(false);
        tokio::task::spawn_blocking(move || {
            if stopped.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout) {
                expire.send_replace(true);
            }
        });
        Self { expired, _stop: stop }
    }

    /// Waits until something holds.
    pub(crate) async fn until(&self, what: &str, holds: impl Fn() -> bool) {
        while !holds() {
            assert!(!*self.expired.borrow(), "never came true: {what}");
            tokio::task::yield_now().await;
        }
    }
}
