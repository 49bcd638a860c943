//! A session whose store is restored from a backup under it.

use longshore_domain::task::{DesiredStatus, TaskRecord, TaskStatus};
use longshore_ecs_wire::agent::{Frame, RESTORE_STEP, TaskIdentifier, TaskStopVerificationMessage};
use longshore_store::backend::memory::Memory;
use longshore_store::backend::{Batch, Durable};
use longshore_store::record::Row;
use longshore_store::{Record, Store};

use crate::testing::{Guard, Rig, furnish, options, put, task, task_arn, with};

/// A session that has told its node to run these tasks, and the rows of its store.
async fn told(tasks: impl IntoIterator<Item = TaskRecord>) -> (Rig, Memory) {
    let (memory, guard) = (Memory::default(), Guard::new());
    let store = Store::on(Box::new(memory.clone())).unwrap();
    furnish(&store).await;
    put(&store, tasks).await;
    let mut rig = Rig::on(store, options(), 64, guard);
    rig.manifest().await;
    let (id, _) = rig.assignment().await;
    rig.ack(&id).await;
    rig.is_quiet().await;
    (rig, memory)
}

/// Makes the store hold these tasks and not those, as another process does that restores a backup.
fn restore(memory: &mut Memory, put: &[TaskRecord], delete: &[TaskRecord]) -> u64 {
    let previous = memory.version().unwrap();
    let version = previous + RESTORE_STEP;
    let row = |task: &TaskRecord, there: bool| {
        let record = Record::from(task.clone());
        let body = there.then(|| record.encode().unwrap());
        Row { kind: record.kind(), key: record.key(), version: 1, body }
    };
    let rows = put.iter().map(|task| row(task, true)).chain(delete.iter().map(|task| row(task, false)));
    memory.commit(&Batch { previous, version, rows: rows.collect() }).unwrap();
    version
}

/// Waits until the store has noticed, while the session's thread does nothing else.
fn until_noticed(store: &Store, version: u64) {
    let begun = std::time::Instant::now();
    while store.view().version() < version {
        assert!(begun.elapsed().as_secs() < 20, "the store has not noticed");
        std::thread::yield_now();
    }
}

#[tokio::test(start_paused = true)]
async fn everything_is_told_anew_after_a_restore() {
    let tasks = [task(1, 1), task(1, 2), task(1, 3)];
    let (mut rig, mut memory) = told(tasks.clone()).await;
    let stopped = with(task(1, 3), DesiredStatus::Stopped, TaskStatus::Running);
    let version = restore(&mut memory, &[stopped, task(1, 4)], &[task(1, 2)]);
    until_noticed(&rig.store, version);
    let manifest = rig.manifest().await;
    assert_eq!(manifest.timeline, i64::try_from(version).unwrap());
    let listed: Vec<_> = manifest.tasks.iter().map(|task| task.task_arn.clone()).collect();
    assert_eq!(listed, [task_arn(1), task_arn(4)]);
    let (_, mut again) = rig.assignment().await;
    again.sort();
    assert_eq!(again, [(task_arn(1), "RUNNING"), (task_arn(3), "STOPPED"), (task_arn(4), "RUNNING")]);
    // What the backup does not know is neither wanted nor confirmed to be stopped.
    assert_eq!(rig.verify(&[task_arn(1), task_arn(2), task_arn(3)]).await, [task_arn(3)]);
}

#[tokio::test(start_paused = true)]
async fn no_question_from_before_is_answered_from_the_restored_state() {
    let (mut rig, mut memory) = told([task(1, 1), task(1, 2)]).await;
    let version = restore(&mut memory, &[with(task(1, 1), DesiredStatus::Stopped, TaskStatus::Running)], &[]);
    let stop_candidates = vec![TaskIdentifier { task_arn: task_arn(1), ..TaskIdentifier::default() }];
    let message_id = rig.manifest.clone();
    // It waits for the session when the session learns of the restore.
    rig.send(Frame::TaskStopVerification(TaskStopVerificationMessage { message_id, stop_candidates })).await;
    until_noticed(&rig.store, version);
    let manifest = rig.manifest().await;
    assert_eq!(manifest.tasks.len(), 1);
    rig.assignment().await;
    rig.is_quiet().await;
}
