//! Tasks that must not be sent, and writes that fail.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use longshore_domain::task::{DesiredStatus, StopCode, TaskRecord, TaskStatus};
use longshore_ecs_wire::shapes::TaskOverride;
use longshore_store::backend::memory::Memory;
use longshore_store::backend::{Batch, Durable};
use longshore_store::{Record, Store, StoreError};
use serde_json::json;
use tokio::time::advance;

use crate::testing::{Guard, Rig, definition, furnish, key, memory_store, options, put, task, task_arn, with};

fn with_role(task: TaskRecord) -> TaskRecord {
    let task_role_arn = Some("arn:aws:iam::000000000000:role/r".into());
    TaskRecord { overrides: Some(Arc::new(TaskOverride { task_role_arn, ..TaskOverride::default() })), ..task }
}

#[tokio::test(start_paused = true)]
async fn a_task_that_cannot_be_sent_stops_with_the_reason() {
    let mut rig = Rig::start([with_role(task(1, 1)), task(1, 2)]).await;
    assert_eq!(rig.manifest().await.tasks.len(), 2);
    let (id, told) = rig.assignment().await;
    assert_eq!(told, [(task_arn(2), "RUNNING")]);
    rig.ack(&id).await;
    rig.until("STOPPED", |state| state.task(key(1, 1)).unwrap().last_status == TaskStatus::Stopped).await;
    let refused = rig.task(1);
    assert_eq!(refused.desired_status, DesiredStatus::Stopped);
    assert_eq!(refused.stop_code, Some(StopCode::TaskFailedToStart));
    assert_eq!(refused.stopped_reason.as_deref(), Some("this server does not support taskRoleArn yet"));
    assert!(refused.stopped_at.is_some());
    advance(Duration::from_secs(600)).await;
    rig.is_quiet().await;
    // One that comes during the session fares no better.
    rig.put([with_role(task(1, 3))]).await;
    rig.until("STOPPED", |state| state.task(key(1, 3)).unwrap().last_status == TaskStatus::Stopped).await;
    rig.is_quiet().await;
}

#[tokio::test(start_paused = true)]
async fn a_task_for_another_architecture_stops() {
    let (store, guard) = (memory_store(), Guard::new());
    furnish(&store).await;
    let arm = definition(json!({
        "containerDefinitions": [{"name": "app", "image": "busybox", "memory": 64}],
        "runtimePlatform": {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"}
    }));
    put(&store, [Record::from(arm), task(1, 1).into()]).await;
    let mut rig = Rig::on(store, options(), 64, guard);
    rig.manifest().await;
    rig.until("STOPPED", |state| state.task(key(1, 1)).unwrap().last_status == TaskStatus::Stopped).await;
    let reason = rig.task(1).stopped_reason.clone();
    assert_eq!(reason.as_deref(), Some("runtimePlatform.cpuArchitecture is ARM64, but the node's is x86_64"));
    rig.is_quiet().await;
}

#[tokio::test(start_paused = true)]
async fn a_task_that_runs_already_is_not_refused() {
    let mut rig = Rig::start([with(with_role(task(1, 1)), DesiredStatus::Running, TaskStatus::Running)]).await;
    rig.manifest().await;
    assert_eq!(rig.assignment().await.1, [(task_arn(1), "RUNNING")]);
    assert_eq!(rig.task(1).last_status, TaskStatus::Running);
}

/// A disk that can be full.
#[derive(Clone, Default)]
struct Space {
    full: Arc<AtomicBool>,
    /// Writes that failed for want of space.
    failed: Arc<AtomicUsize>,
}

/// Rows in memory, on such a disk.
struct Disk {
    rows: Memory,
    space: Space,
}

impl Durable for Disk {
    fn load(&mut self, insert: &mut dyn FnMut(Record)) -> Result<u64, StoreError> {
        self.rows.load(insert)
    }

    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
        if self.space.full.load(Ordering::SeqCst) {
            self.space.failed.fetch_add(1, Ordering::SeqCst);
            return Err(StoreError::Commit("no space left".into()));
        }
        self.rows.commit(batch)
    }

    fn version(&mut self) -> Result<u64, StoreError> {
        self.rows.version()
    }
}

async fn on_a_full_disk(tasks: impl IntoIterator<Item = TaskRecord>) -> (Rig, Space) {
    let space = Space::default();
    let store = Store::on(Box::new(Disk { rows: Memory::default(), space: space.clone() })).unwrap();
    let guard = Guard::new();
    furnish(&store).await;
    put(&store, tasks).await;
    space.full.store(true, Ordering::SeqCst);
    (Rig::on(store, options(), 64, guard), space)
}

/// Lets seconds pass until something holds.
async fn in_time(rig: &mut Rig, holds: impl Fn(&Rig) -> bool) {
    while !holds(rig) {
        advance(Duration::from_secs(1)).await;
        rig.is_quiet().await;
    }
}

#[tokio::test(start_paused = true)]
async fn writes_that_fail_are_made_again() {
    let provisioning = with(task(1, 1), DesiredStatus::Running, TaskStatus::Provisioning);
    let (mut rig, space) = on_a_full_disk([provisioning, with_role(task(1, 2))]).await;
    rig.manifest().await;
    let (id, _) = rig.assignment().await;
    rig.ack(&id).await;
    in_time(&mut rig, |_| space.failed.load(Ordering::SeqCst) >= 4).await;
    assert_eq!(rig.task(1).last_status, TaskStatus::Provisioning);
    assert_eq!(rig.task(2).last_status, TaskStatus::Pending);
    space.full.store(false, Ordering::SeqCst);
    in_time(&mut rig, |rig| rig.task(1).last_status == TaskStatus::Pending).await;
    in_time(&mut rig, |rig| rig.task(2).last_status == TaskStatus::Stopped).await;
}

#[tokio::test(start_paused = true)]
async fn a_task_that_is_stopped_before_its_refusal_is_written_is_left_to_the_node() {
    let (mut rig, space) = on_a_full_disk([with_role(task(1, 1))]).await;
    rig.manifest().await;
    rig.until("a failed write", |_| space.failed.load(Ordering::SeqCst) > 0).await;
    space.full.store(false, Ordering::SeqCst);
    rig.put([with(with_role(task(1, 1)), DesiredStatus::Stopped, TaskStatus::Pending), with_role(task(1, 2))]).await;
    let (id, told) = rig.assignment().await;
    assert_eq!(told, [(task_arn(1), "STOPPED")]);
    rig.ack(&id).await;
    // The second one's refusal is not written before the first one's is tried again.
    in_time(&mut rig, |rig| rig.task(2).last_status == TaskStatus::Stopped).await;
    assert_eq!(rig.task(1).last_status, TaskStatus::Pending);
}
