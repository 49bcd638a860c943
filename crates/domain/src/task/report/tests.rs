//! Whatever a node reports, in whatever order and by whatever clock, a task stays a task.

use proptest::prelude::*;

use super::*;
use crate::task::stop::stop;
use crate::task::{LaunchType, TaskKey};
use crate::{EcsId, Resources};

const NAMES: [&str; 2] = ["app", "sidecar"];
const START: i64 = 1_700_000_000_000;

fn task(last_status: TaskStatus) -> TaskRecord {
    let at = Timestamp::from_millis(START);
    TaskRecord {
        cluster: 1,
        id: EcsId([1; 16]),
        sequence: 1,
        family: "f".into(),
        revision: 1,
        group: "family:f".into(),
        started_by: None,
        launch_type: LaunchType::Ec2,
        capacity_provider: None,
        node: None,
        container_instance: None,
        resources: Resources::default(),
        desired_status: DesiredStatus::Running,
        last_status,
        version: 1,
        created_at: at,
        connectivity_at: (last_status == TaskStatus::Pending).then_some(at),
        pull_started_at: None,
        pull_stopped_at: None,
        started_at: None,
        stopping_at: None,
        execution_stopped_at: None,
        stopped_at: None,
        stop_code: None,
        stopped_reason: None,
        containers: vec![ContainerRecord::default(); NAMES.len()],
        overrides: None,
        network_configuration: None,
        platform_version: None,
        enable_execute_command: false,
        tags: vec![],
    }
}

/// What is true of every task at `now`.
fn assert_sound(task: &TaskRecord, now: Timestamp) -> Result<(), TestCaseError> {
    let life = [task.connectivity_at, task.pull_started_at, task.pull_stopped_at];
    let run = [task.started_at, task.execution_stopped_at, task.stopped_at];
    // A task may start after it was asked to stop.
    let end = [None, task.stopping_at, task.stopped_at];
    for times in [life, run, end] {
        let given: Vec<Timestamp> = [Some(task.created_at)].into_iter().chain(times).flatten().collect();
        prop_assert!(given.is_sorted(), "times out of order: {:?}", task);
        prop_assert!(given.iter().all(|at| *at <= now), "a time in the future: {:?}", task);
    }
    let (stopping, stopped) = (task.desired_status == DesiredStatus::Stopped, task.last_status == TaskStatus::Stopped);
    prop_assert!(stopping || !stopped, "a stopped task that should run");
    prop_assert_eq!(stopping, task.stopping_at.is_some());
    prop_assert_eq!(stopping, task.stop_code.is_some() && task.stopped_reason.is_some());
    prop_assert_eq!(stopped, task.stopped_at.is_some() && task.execution_stopped_at.is_some());
    let ended = task.containers.iter().all(|container| container.last_status == ContainerStatus::Stopped);
    prop_assert!(ended || !stopped, "a container of a stopped task that runs");
    prop_assert_eq!(task.last_status == TaskStatus::Running, task.started_at.is_some() && !stopped);
    Ok(())
}

fn change() -> impl Strategy<Value = ContainerStateChange> {
    let names = prop::sample::select(vec![None, Some("app"), Some("sidecar"), Some("nobody")]);
    let statuses = prop::sample::select(vec![None, Some("PENDING"), Some("RUNNING"), Some("STOPPED"), Some("?")]);
    (names, statuses, prop::option::of(0..3_i32), prop::option::of("[a-z]{0,3}")).prop_map(
        |(name, status, exit_code, reason)| ContainerStateChange {
            container_name: name.map(Into::into),
            status: status.map(Into::into),
            exit_code,
            reason,
            ..ContainerStateChange::default()
        },
    )
}

fn report() -> impl Strategy<Value = Report> {
    let statuses = vec![None, Some(TaskStatus::Pending), Some(TaskStatus::Running), Some(TaskStatus::Stopped)];
    let time = || prop::option::of((START - 100_000..START + 100_000).prop_map(Timestamp::from_millis));
    (
        prop::sample::select(statuses),
        prop::option::of("[a-z]{0,3}"),
        prop::collection::vec(change(), 0..4),
        time(),
        time(),
        time(),
    )
        .prop_map(|(status, reason, containers, pull_started_at, pull_stopped_at, execution_stopped_at)| Report {
            status,
            reason,
            containers,
            pull_started_at,
            pull_stopped_at,
            execution_stopped_at,
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_report_leaves_a_sound_task(
        provisioning: bool,
        steps in prop::collection::vec((0..20_000_i64, prop::option::weighted(0.8, report())), 1..12),
    ) {
        let mut task = task(if provisioning { TaskStatus::Provisioning } else { TaskStatus::Pending });
        let mut now = START;
        for (millis, step) in steps {
            now += millis;
            let at = Timestamp::from_millis(now);
            let next = match &step {
                Some(report) => apply(&task, &NAMES, report, at),
                None => stop(&task, StopCode::UserInitiated, None, at),
            };
            let Some(next) = next else { continue };
            prop_assert_eq!(next.version, task.version + 1);
            prop_assert!(next.last_status >= task.last_status && next.desired_status >= task.desired_status);
            for (new, old) in next.containers.iter().zip(&task.containers) {
                prop_assert!(new.last_status >= old.last_status);
            }
            prop_assert!(task.last_status != TaskStatus::Stopped, "a stopped task changed");
            assert_sound(&next, at)?;
            prop_assert_eq!(next.key(), TaskKey { cluster: 1, id: task.id });
            if let Some(report) = &step {
                prop_assert_eq!(apply(&next, &NAMES, report, at), None, "a doubled report is no news");
            }
            task = next;
        }
    }
}

fn running(statuses: [ContainerStatus; 2]) -> TaskRecord {
    let mut task = task(TaskStatus::Running);
    task.started_at = Some(task.created_at);
    for (container, status) in task.containers.iter_mut().zip(statuses) {
        container.last_status = status;
    }
    task
}

#[test]
fn a_task_begins_to_stop_when_an_essential_container_has_ended() {
    use ContainerStatus::{Running, Stopped};
    let now = Timestamp::from_millis(START + 1);
    assert_eq!(begin_stopping(&running([Running, Stopped]), &[true, false], now), None);
    let next = begin_stopping(&running([Stopped, Running]), &[true, false], now).expect("it stops");
    assert_eq!((next.desired_status, next.last_status), (DesiredStatus::Stopped, TaskStatus::Running));
    assert_eq!((next.stop_code, next.stopping_at), (Some(StopCode::EssentialContainerExited), Some(now)));
    assert_eq!(begin_stopping(&next, &[true, false], now), None);
}

fn ended(task: &TaskRecord, reason: Option<&str>, exit_codes: [Option<i32>; 2]) -> TaskRecord {
    let change = |(name, exit_code): (&&str, Option<i32>)| ContainerStateChange {
        container_name: Some((*name).into()),
        status: Some("STOPPED".into()),
        exit_code,
        ..ContainerStateChange::default()
    };
    let report = Report {
        status: Some(TaskStatus::Stopped),
        reason: reason.map(Into::into),
        containers: NAMES.iter().zip(exit_codes).map(change).collect(),
        ..Report::default()
    };
    apply(task, &NAMES, &report, Timestamp::from_millis(START + 2)).expect("news")
}

#[test]
fn what_ran_too_briefly_for_a_report_in_between_has_started_all_the_same() {
    let task = ended(&task(TaskStatus::Pending), None, [Some(0), Some(1)]);
    assert_eq!((task.stop_code, task.started_at.is_some()), (Some(StopCode::EssentialContainerExited), true));
    let failed = ended(&super::tests::task(TaskStatus::Pending), Some("CannotStartContainerError: x"), [Some(0), None]);
    assert_eq!((failed.stop_code, failed.started_at), (Some(StopCode::TaskFailedToStart), None));
    assert_eq!(failed.stopped_reason.as_deref(), Some("CannotStartContainerError: x"));
}

#[test]
fn a_node_that_stops_a_task_by_itself_says_why() {
    let running = running([ContainerStatus::Running; 2]);
    let task = ended(&running, Some("the node was shut down"), [Some(143), Some(143)]);
    assert_eq!(task.stop_code, Some(StopCode::TerminationNotice));
    assert_eq!(task.stopped_reason.as_deref(), Some("the node was shut down"));
}
