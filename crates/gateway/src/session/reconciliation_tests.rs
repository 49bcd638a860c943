//! Manifests and their verification, watches that overflow, heartbeats, and how sessions end.

use std::sync::Arc;
use std::time::Duration;

use longshore_domain::task::{DesiredStatus, TaskRecord, TaskStatus};
use longshore_domain::{EcsId, arn};
use longshore_ecs_wire::agent::{Frame, TaskIdentifier, TaskStopVerificationMessage};
use longshore_store::Store;
use tokio::time::advance;

use super::{SessionEnd, SessionOptions};
use crate::testing::{Guard, Rig, cluster, furnish, key, memory_store, options, put, scope, task, task_arn, with};

const BEAT: Duration = Duration::from_secs(30);

#[tokio::test(start_paused = true)]
async fn only_what_is_not_wanted_is_confirmed_to_be_stopped() {
    let mut rig = Rig::start([
        task(1, 1),
        with(task(1, 2), DesiredStatus::Stopped, TaskStatus::Running),
        with(task(1, 3), DesiredStatus::Stopped, TaskStatus::Stopped),
        TaskRecord { node: Some(EcsId([8; 16])), ..task(1, 4) },
    ])
    .await;
    rig.manifest().await;
    rig.assignment().await;
    // Wanted since the manifest was made.
    rig.put([task(1, 5)]).await;
    rig.assignment().await;
    let unknown = arn::task(&scope(), "no-such-cluster", key(1, 1).id);
    let nonsense = "arn:aws:ecs:us-east-1:000000000000:task/c/nonsense".to_owned();
    let other_region = task_arn(1).replace("us-east-1", "eu-west-1");
    let asked: Vec<_> = (1..=6).map(task_arn).chain([unknown, nonsense, other_region, "x".into()]).collect();
    let confirmed = rig.verify(&asked).await;
    assert_eq!(
        confirmed,
        [task_arn(2), task_arn(3), task_arn(4)],
        "what is not known is for the node to keep for a while"
    );
}

#[tokio::test(start_paused = true)]
async fn a_verification_of_another_manifest_is_ignored() {
    let mut rig = Rig::start([]).await;
    rig.manifest().await;
    let stop_candidates = vec![TaskIdentifier { task_arn: task_arn(1), ..TaskIdentifier::default() }];
    for message_id in ["", "another"] {
        let message_id = message_id.into();
        let stop_candidates = stop_candidates.clone();
        rig.send(Frame::TaskStopVerification(TaskStopVerificationMessage { message_id, stop_candidates })).await;
    }
    rig.is_quiet().await;
}

#[tokio::test(start_paused = true)]
async fn a_session_serves_the_tasks_of_all_clusters_and_scopes() {
    let (store, guard) = (memory_store(), Guard::new());
    furnish(&store).await;
    let far = longshore_domain::Scope::new("111111111111", "eu-west-1");
    let mut definition = crate::testing::plain_definition();
    definition.scope = far.clone();
    let mut elsewhere = cluster(2, "d");
    elsewhere.scope = far.clone();
    put(&store, [longshore_store::Record::from(definition), elsewhere.into()]).await;
    put(&store, [task(1, 1), task(2, 2)]).await;
    let mut rig = Rig::on(store, options(), 64, guard);
    let far_arn = arn::task(&far, "d", key(2, 2).id);
    let manifest = rig.manifest().await;
    let listed: Vec<_> = manifest.tasks.iter().map(|task| (&task.task_arn[..], &task.task_cluster_arn[..])).collect();
    let (near_cluster, far_cluster) = (arn::cluster(&scope(), "c"), arn::cluster(&far, "d"));
    assert_eq!(listed, [(&task_arn(1)[..], &near_cluster[..]), (&far_arn[..], &far_cluster[..])]);
    let payload = rig.payload().await;
    assert_eq!(payload.tasks[1].arn, far_arn);
    assert_eq!(payload.tasks[1].task_cluster_arn.as_deref(), Some(&far_cluster[..]));
    assert_eq!(payload.tasks[1].task_definition_account_id.as_deref(), Some("111111111111"));
    assert_eq!(rig.verify(&[far_arn]).await, [""; 0]);
}

/// Changes tasks 3 to 99 more often than a watch holds, and then these, while the session's thread does nothing else.
fn overflow_the_watch(store: &Store, last: Vec<TaskRecord>) {
    let store = store.clone();
    let write = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            for version in 0..100 {
                put(&store, (3..=99).map(|n| TaskRecord { version, ..task(1, n) })).await;
            }
            put(&store, last).await;
        });
    };
    std::thread::spawn(write).join().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_overflows_is_begun_again_without_telling_anything_twice() {
    let mut rig = Rig::start((1..=99).map(|number| task(1, number))).await;
    rig.manifest().await;
    for _ in 0..10 {
        let (id, _) = rig.assignment().await;
        rig.ack(&id).await;
    }
    rig.is_quiet().await;
    let first_manifest = rig.manifest.clone();
    let stopping = with(task(1, 1), DesiredStatus::Stopped, TaskStatus::Running);
    let gone = with(task(1, 2), DesiredStatus::Stopped, TaskStatus::Stopped);
    overflow_the_watch(&rig.store, vec![stopping, gone, task(1, 100)]);
    let mut told = Vec::new();
    let mut again = None;
    while again.is_none() || told.len() < 2 {
        match rig.next().await {
            Some(Frame::TaskManifest(manifest)) => again = Some(manifest),
            Some(Frame::Payload(payload)) => told.extend(payload.tasks),
            other => panic!("{other:?}"),
        }
    }
    let again = again.unwrap();
    assert_ne!(again.message_id, first_manifest);
    assert_eq!(again.timeline, i64::try_from(rig.store.view().version()).unwrap());
    assert_eq!(again.tasks.len(), 98);
    let told: Vec<_> =
        told.iter().map(|task| (task.arn.clone(), crate::testing::desired(task.desired_status))).collect();
    assert_eq!(told, [(task_arn(1), "STOPPED"), (task_arn(100), "RUNNING")]);
    rig.manifest = again.message_id;
    rig.is_quiet().await;
    // The new watch works.
    rig.put([with(task(1, 50), DesiredStatus::Stopped, TaskStatus::Running)]).await;
    assert_eq!(rig.assignment().await.1, [(task_arn(50), "STOPPED")]);
}

#[tokio::test(start_paused = true)]
async fn what_went_away_behind_an_overflow_is_not_waited_for() {
    let (store, guard) = (memory_store(), Guard::new());
    furnish(&store).await;
    put(&store, (1..=99).map(|number| task(1, number))).await;
    let options = SessionOptions { tasks_per_payload: 1, payload_window: 1, ..options() };
    let mut rig = Rig::on(store, options, 64, guard);
    rig.manifest().await;
    assert_eq!(rig.assignment().await.1, [(task_arn(1), "RUNNING")]);
    rig.is_quiet().await;
    overflow_the_watch(&rig.store, vec![with(task(1, 1), DesiredStatus::Stopped, TaskStatus::Stopped)]);
    rig.manifest().await;
    assert_eq!(rig.assignment().await.1, [(task_arn(2), "RUNNING")]);
    rig.is_quiet().await;
}

fn beating() -> SessionOptions {
    SessionOptions { heartbeat_every: BEAT, heartbeat_deadline: 3 * BEAT, ..SessionOptions::default() }
}

async fn beating_rig() -> Rig {
    let (store, guard) = (memory_store(), Guard::new());
    furnish(&store).await;
    let mut rig = Rig::on(store, beating(), 64, guard);
    rig.manifest().await;
    rig
}

#[tokio::test(start_paused = true)]
async fn a_node_that_answers_heartbeats_stays() {
    let mut rig = beating_rig().await;
    for _ in 0..20 {
        advance(BEAT - Duration::from_millis(1)).await;
        rig.is_quiet().await;
        advance(Duration::from_millis(1)).await;
        let id = rig.heartbeat().await;
        rig.answer_heartbeat(&id).await;
    }
    // The last answer stands for the ones before it.
    for _ in 0..20 {
        advance(BEAT).await;
        rig.heartbeat().await;
        advance(BEAT).await;
        let id = rig.heartbeat().await;
        rig.answer_heartbeat(&id).await;
        rig.is_quiet().await;
    }
    assert!(!rig.session.is_finished());
}

#[tokio::test(start_paused = true)]
async fn a_node_that_does_not_answer_heartbeats_is_let_go() {
    let mut rig = beating_rig().await;
    for _ in 0..3 {
        advance(BEAT).await;
        let id = rig.heartbeat().await;
        // Neither other messages nor answers to other heartbeats are signs of life.
        rig.ack(&id).await;
        rig.answer_heartbeat("another").await;
        rig.is_quiet().await;
    }
    advance(BEAT - Duration::from_millis(1)).await;
    rig.is_quiet().await;
    advance(Duration::from_millis(1)).await;
    assert!(rig.next().await.is_none());
    assert_eq!((&mut rig.session).await.unwrap(), SessionEnd::HeartbeatsMissed);
    assert_eq!(*rig.connected.lock().unwrap(), [true, false]);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_reads_nothing_is_let_go() {
    let (store, guard) = (memory_store(), Guard::new());
    furnish(&store).await;
    let mut rig = Rig::on(store, beating(), 1, guard);
    rig.until("connected", |_| rig.connected.lock().unwrap().len() == 1).await;
    for _ in 0..4 {
        advance(BEAT).await;
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
    }
    assert_eq!((&mut rig.session).await.unwrap(), SessionEnd::HeartbeatsMissed);
}

#[tokio::test(start_paused = true)]
async fn a_session_ends_with_its_node_and_says_so() {
    let mut rig = beating_rig().await;
    assert_eq!(*rig.connected.lock().unwrap(), [true]);
    rig.close();
    assert!(rig.next().await.is_none());
    assert_eq!((&mut rig.session).await.unwrap(), SessionEnd::ClosedByNode);
    assert_eq!(*rig.connected.lock().unwrap(), [true, false]);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_is_dropped_says_so_too() {
    let rig = beating_rig().await;
    let connected = Arc::clone(&rig.connected);
    rig.session.abort();
    rig.until("told of the end", |_| connected.lock().unwrap().len() == 2).await;
    assert_eq!(*connected.lock().unwrap(), [true, false]);
}
