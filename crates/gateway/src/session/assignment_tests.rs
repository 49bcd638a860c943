//! What a node is told, when, and how often.

use std::time::Duration;

use longshore_domain::EcsId;
use longshore_domain::task::{ContainerStatus, DesiredStatus, TaskRecord, TaskStatus};
use longshore_ecs_wire::agent::{Frame, NackRequest};
use tokio::time::advance;

use super::SessionOptions;
use crate::testing::{Guard, Rig, START, furnish, instance, key, memory_store, options, put, task, task_arn, with};

const ACK_DEADLINE: Duration = Duration::from_secs(60);

fn running(number: u64) -> (String, &'static str) {
    (task_arn(number), "RUNNING")
}

fn stopped(number: u64) -> (String, &'static str) {
    (task_arn(number), "STOPPED")
}

fn stop(task: &TaskRecord) -> TaskRecord {
    with(task.clone(), DesiredStatus::Stopped, task.last_status)
}

#[tokio::test(start_paused = true)]
async fn a_fresh_session_tells_of_every_task_that_has_not_stopped() {
    let other_node = TaskRecord { node: Some(EcsId([8; 16])), ..task(1, 6) };
    let mut rig = Rig::start([
        with(task(1, 1), DesiredStatus::Running, TaskStatus::Provisioning),
        with(task(1, 2), DesiredStatus::Running, TaskStatus::Pending),
        with(task(1, 3), DesiredStatus::Running, TaskStatus::Running),
        with(task(1, 4), DesiredStatus::Stopped, TaskStatus::Running),
        with(task(1, 5), DesiredStatus::Stopped, TaskStatus::Stopped),
        other_node,
    ])
    .await;
    let manifest = rig.manifest().await;
    let listed: Vec<_> = manifest.tasks.iter().map(|task| task.task_arn.clone()).collect();
    assert_eq!(listed, [task_arn(1), task_arn(2), task_arn(3)]);
    assert_eq!(manifest.timeline, i64::try_from(rig.store.view().version()).unwrap());
    assert_eq!(manifest.generated_at, Some(START.millis()));
    let payload = rig.payload().await;
    assert_eq!(payload.seq_num, Some(manifest.timeline));
    assert!(!payload.message_id.is_empty() && payload.message_id != manifest.message_id);
    assert!(payload.cluster_arn.ends_with("cluster/c"));
    let told: Vec<_> =
        payload.tasks.iter().map(|task| (task.arn.clone(), crate::testing::desired(task.desired_status))).collect();
    assert_eq!(told, [stopped(4), running(1), running(2), running(3)]);
    assert_eq!(payload.tasks[0].containers, []);
    assert_eq!(payload.tasks[1].containers[0].image, "busybox");
    rig.is_quiet().await;
}

#[tokio::test(start_paused = true)]
async fn a_payload_holds_ten_tasks() {
    let mut rig = Rig::start((1..=23).map(|number| task(1, number))).await;
    assert_eq!(rig.manifest().await.tasks.len(), 23);
    let mut told = Vec::new();
    for size in [10, 10, 3] {
        let (_, tasks) = rig.assignment().await;
        assert_eq!(tasks.len(), size);
        told.extend(tasks);
    }
    assert_eq!(told, (1..=23).map(running).collect::<Vec<_>>());
    rig.is_quiet().await;
}

#[tokio::test(start_paused = true)]
async fn only_what_changes_what_is_wanted_is_told() {
    let mut rig = Rig::start([]).await;
    rig.manifest().await;
    rig.put([task(1, 1)]).await;
    let (id, told) = rig.assignment().await;
    assert_eq!(told, [running(1)]);
    rig.ack(&id).await;
    rig.put([TaskRecord { started_by: Some("x".into()), ..task(1, 1) }]).await;
    rig.put([TaskRecord { node: Some(EcsId([8; 16])), ..task(1, 2) }]).await;
    put(&rig.store, [instance()]).await;
    rig.is_quiet().await;
    rig.put([stop(&task(1, 1))]).await;
    let (id, told) = rig.assignment().await;
    assert_eq!(told, [stopped(1)]);
    rig.ack(&id).await;
    rig.put([with(task(1, 1), DesiredStatus::Stopped, TaskStatus::Stopped)]).await;
    advance(10 * ACK_DEADLINE).await;
    rig.is_quiet().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_not_acknowledged_is_sent_again_until_it_is() {
    let mut rig = Rig::start([task(1, 1)]).await;
    rig.manifest().await;
    let (first, told) = rig.assignment().await;
    assert_eq!(told, [running(1)]);
    for _ in 0..3 {
        advance(ACK_DEADLINE - Duration::from_millis(1)).await;
        rig.is_quiet().await;
        advance(Duration::from_millis(1)).await;
        let (id, told) = rig.assignment().await;
        assert_eq!(told, [running(1)]);
        assert_ne!(id, first);
    }
    advance(ACK_DEADLINE).await;
    let (last, _) = rig.assignment().await;
    rig.ack(&last).await;
    advance(10 * ACK_DEADLINE).await;
    rig.is_quiet().await;
}

#[tokio::test(start_paused = true)]
async fn an_acknowledgement_that_comes_late_counts() {
    let mut rig = Rig::start([task(1, 1)]).await;
    rig.manifest().await;
    let (first, _) = rig.assignment().await;
    advance(ACK_DEADLINE).await;
    rig.assignment().await;
    rig.ack(&first).await;
    advance(10 * ACK_DEADLINE).await;
    rig.is_quiet().await;
}

#[tokio::test(start_paused = true)]
async fn an_acknowledgement_takes_back_what_waits_to_be_sent_again() {
    let (store, guard) = (memory_store(), Guard::new());
    furnish(&store).await;
    put(&store, [task(1, 1)]).await;
    let mut rig = Rig::on(store, options(), 1, guard);
    rig.manifest().await;
    let (first, _) = rig.assignment().await;
    // The second payload fills the stream, so that what is overdue can only wait.
    rig.put([task(1, 2)]).await;
    rig.settle().await;
    advance(ACK_DEADLINE).await;
    rig.settle().await;
    rig.ack(&first).await;
    rig.settle().await;
    assert_eq!(rig.assignment().await.1, [running(2)]);
    assert_eq!(rig.assignment().await.1, [running(2)]);
    rig.is_quiet().await;
}

#[tokio::test(start_paused = true)]
async fn acknowledgements_twice_and_of_nothing_do_nothing() {
    let mut rig = Rig::start([task(1, 1), task(1, 2)]).await;
    rig.manifest().await;
    let (id, _) = rig.assignment().await;
    for id in [&id[..], &id[..], "nonsense", "", &format!("{id}0")] {
        rig.ack(id).await;
    }
    rig.send(Frame::Unknown("Surprise".into())).await;
    rig.send(Frame::Nack(NackRequest { message_id: id.clone(), ..NackRequest::default() })).await;
    advance(10 * ACK_DEADLINE).await;
    rig.is_quiet().await;
    rig.put([stop(&task(1, 2))]).await;
    assert_eq!(rig.assignment().await.1, [stopped(2)]);
}

#[tokio::test(start_paused = true)]
async fn a_report_is_as_good_as_an_acknowledgement_of_a_start() {
    let reports: [fn(&mut TaskRecord); 3] = [
        |task| task.last_status = TaskStatus::Running,
        |task| task.pull_started_at = Some(START),
        |task| task.containers[0].last_status = ContainerStatus::Running,
    ];
    for report in reports {
        let mut rig = Rig::start([task(1, 1)]).await;
        rig.manifest().await;
        rig.assignment().await;
        let mut reported = task(1, 1);
        report(&mut reported);
        rig.put([reported.clone()]).await;
        rig.is_quiet().await;
        advance(10 * ACK_DEADLINE).await;
        rig.is_quiet().await;
        // A stop needs an acknowledgement, or the report that the task has stopped.
        rig.put([stop(&reported)]).await;
        assert_eq!(rig.assignment().await.1, [stopped(1)]);
        let mut ran = stop(&reported);
        ran.containers[0].runtime_id = Some("x".into());
        rig.put([ran]).await;
        advance(ACK_DEADLINE).await;
        assert_eq!(rig.assignment().await.1, [stopped(1)]);
        rig.put([with(reported, DesiredStatus::Stopped, TaskStatus::Stopped)]).await;
        advance(10 * ACK_DEADLINE).await;
        rig.is_quiet().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_stop_does_not_wait_for_the_start_and_is_not_acknowledged_by_it() {
    let mut rig = Rig::start([task(1, 1)]).await;
    rig.manifest().await;
    let (start, _) = rig.assignment().await;
    rig.put([stop(&task(1, 1))]).await;
    assert_eq!(rig.assignment().await.1, [stopped(1)]);
    rig.ack(&start).await;
    rig.is_quiet().await;
    advance(ACK_DEADLINE).await;
    let (id, told) = rig.assignment().await;
    assert_eq!(told, [stopped(1)]);
    rig.ack(&id).await;
    advance(10 * ACK_DEADLINE).await;
    rig.is_quiet().await;
}

#[tokio::test(start_paused = true)]
async fn a_task_that_changes_while_the_node_is_slow_is_told_once() {
    let (store, guard) = (memory_store(), Guard::new());
    furnish(&store).await;
    let mut rig = Rig::on(store, options(), 1, guard);
    // The manifest fills the stream.
    rig.until("connected", |_| rig.connected.lock().unwrap().len() == 1).await;
    rig.put([task(1, 1), task(1, 2)]).await;
    rig.put([TaskRecord { started_by: Some("again".into()), ..task(1, 1) }]).await;
    rig.put([stop(&task(1, 1))]).await;
    rig.put([with(task(1, 2), DesiredStatus::Running, TaskStatus::Running)]).await;
    rig.put([with(task(1, 2), DesiredStatus::Stopped, TaskStatus::Stopped)]).await;
    rig.settle().await;
    rig.manifest().await;
    assert_eq!(rig.assignment().await.1, [stopped(1)]);
    rig.is_quiet().await;
}

#[tokio::test(start_paused = true)]
async fn a_task_taken_over_leaves_provisioning() {
    let provisioning = with(task(1, 1), DesiredStatus::Running, TaskStatus::Provisioning);
    let running_task = with(task(1, 2), DesiredStatus::Running, TaskStatus::Running);
    let mut rig = Rig::start([provisioning.clone(), running_task]).await;
    rig.manifest().await;
    let (id, _) = rig.assignment().await;
    advance(Duration::from_millis(1500)).await;
    rig.is_quiet().await;
    assert_eq!(rig.task(1).last_status, TaskStatus::Provisioning);
    let before = rig.task(2);
    rig.ack(&id).await;
    rig.until("PENDING", |state| state.task(key(1, 1)).unwrap().last_status == TaskStatus::Pending).await;
    let taken = rig.task(1);
    assert_eq!(taken.connectivity_at, Some(START.plus_millis(1500)));
    assert_eq!(taken.version, provisioning.version + 1);
    assert_eq!(rig.task(2), before);
    rig.is_quiet().await;
}

#[tokio::test(start_paused = true)]
async fn starts_wait_for_a_window_and_stops_do_not() {
    let (store, guard) = (memory_store(), Guard::new());
    furnish(&store).await;
    put(&store, (1..=5).map(|number| task(1, number))).await;
    let options = SessionOptions { tasks_per_payload: 1, payload_window: 2, ..options() };
    let mut rig = Rig::on(store, options, 64, guard);
    rig.manifest().await;
    let (first, told) = rig.assignment().await;
    assert_eq!(told, [running(1)]);
    assert_eq!(rig.assignment().await.1, [running(2)]);
    rig.is_quiet().await;
    rig.put([stop(&task(1, 5))]).await;
    let (stop_id, told) = rig.assignment().await;
    assert_eq!(told, [stopped(5)]);
    rig.is_quiet().await;
    rig.ack(&stop_id).await;
    rig.is_quiet().await;
    rig.ack(&first).await;
    assert_eq!(rig.assignment().await.1, [running(3)]);
    rig.is_quiet().await;
    // A report makes room, too.
    rig.put([with(task(1, 2), DesiredStatus::Running, TaskStatus::Running)]).await;
    assert_eq!(rig.assignment().await.1, [running(4)]);
    rig.is_quiet().await;
}

#[tokio::test(start_paused = true)]
async fn what_a_payload_had_beside_an_invalid_task_is_sent_again_without_it() {
    let mut rig = Rig::start([task(1, 1), task(1, 2)]).await;
    rig.manifest().await;
    assert_eq!(rig.assignment().await.1, [running(1), running(2)]);
    rig.put([with(task(1, 1), DesiredStatus::Stopped, TaskStatus::Stopped)]).await;
    advance(ACK_DEADLINE).await;
    let (id, told) = rig.assignment().await;
    assert_eq!(told, [running(2)]);
    rig.ack(&id).await;
    advance(10 * ACK_DEADLINE).await;
    rig.is_quiet().await;
}

#[tokio::test(start_paused = true)]
async fn a_window_full_of_payloads_that_nobody_answers_opens_again() {
    let (store, guard) = (memory_store(), Guard::new());
    furnish(&store).await;
    put(&store, (1..=3).map(|number| task(1, number))).await;
    let options = SessionOptions { tasks_per_payload: 1, payload_window: 1, ..options() };
    let mut rig = Rig::on(store, options, 64, guard);
    rig.manifest().await;
    let mut told = Vec::new();
    for _ in 0..6 {
        told.extend(rig.assignment().await.1);
        rig.is_quiet().await;
        advance(ACK_DEADLINE).await;
    }
    let expected: Vec<_> = [1, 2, 3, 1, 2, 3].into_iter().map(running).collect();
    assert_eq!(told, expected);
}

#[tokio::test(start_paused = true)]
async fn thousands_of_tasks_are_each_told_once() {
    const COUNT: u64 = 2_500;
    let (store, guard) = (memory_store(), Guard::new());
    furnish(&store).await;
    let numbers: Vec<u64> = (1..=COUNT).collect();
    for some in numbers.chunks(90) {
        put(&store, some.iter().map(|number| task(1, *number))).await;
    }
    let mut rig = Rig::on(store, options(), 64, guard);
    assert_eq!(rig.manifest().await.tasks.len(), numbers.len());
    let mut told = Vec::new();
    while told.len() < numbers.len() {
        let (id, tasks) = rig.assignment().await;
        told.extend(tasks);
        rig.ack(&id).await;
    }
    assert_eq!(told, numbers.into_iter().map(running).collect::<Vec<_>>());
    advance(10 * ACK_DEADLINE).await;
    rig.is_quiet().await;
}

#[tokio::test(start_paused = true)]
async fn a_start_that_was_overtaken_by_its_stop_makes_room() {
    let (store, guard) = (memory_store(), Guard::new());
    furnish(&store).await;
    put(&store, [task(1, 1), task(1, 2)]).await;
    let options = SessionOptions { tasks_per_payload: 1, payload_window: 1, ..options() };
    let mut rig = Rig::on(store, options, 64, guard);
    rig.manifest().await;
    assert_eq!(rig.assignment().await.1, [running(1)]);
    rig.put([stop(&task(1, 1))]).await;
    let (id, told) = rig.assignment().await;
    assert_eq!(told, [stopped(1)]);
    rig.is_quiet().await;
    rig.ack(&id).await;
    assert_eq!(rig.assignment().await.1, [running(2)]);
}
