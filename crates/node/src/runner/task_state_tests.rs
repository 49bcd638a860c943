//! How outcomes change what is known, as tables.

use super::*;
use crate::engine::{ContainerSpec, PortBinding, Protocol};
use crate::runner::plan::{Plan, plan};
use crate::runner::task_spec::{ContainerTemplate, Refusal};

pub(in crate::runner) const ARN: &str = "arn:aws:ecs:us-east-1:000000000000:task/default/t";
const CLEANUP: i64 = 1000;

pub(in crate::runner) fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + millis)
}

/// Containers `c0`, `c1`, …; which of them are essential.
pub(in crate::runner) fn spec(essential: &[bool]) -> TaskSpec {
    let template = |(index, essential): (usize, &bool)| ContainerTemplate {
        name: format!("c{index}"),
        essential: *essential,
        spec: ContainerSpec { name: format!("ecs-f-1-c{index}-x"), ..ContainerSpec::default() },
        host_ports: vec![],
        reported_id: None,
    };
    TaskSpec {
        arn: ARN.into(),
        cluster: "default".into(),
        containers: essential.iter().enumerate().map(template).collect(),
        refusal: None,
    }
}

pub(in crate::runner) fn observed(index: usize, phase: ContainerPhase, exit_code: Option<i32>) -> Observed {
    Observed {
        runtime_id: format!("id{index}"),
        name: format!("ecs-f-1-c{index}-x"),
        labels: [(CONTAINER_NAME_LABEL.to_owned(), format!("c{index}"))].into(),
        image: "web:1".into(),
        phase,
        exit_code,
        oom_killed: false,
        error: None,
        started_at: None,
        finished_at: (phase == ContainerPhase::Exited).then(|| at(500)),
        ports: vec![],
        ipv4_address: None,
    }
}

fn fresh(essential: &[bool]) -> TaskState {
    TaskState::new(spec(essential), DesiredStatus::Running, &[], at(0))
}

fn steps(state: &TaskState, now: i64) -> Vec<Step> {
    plan(state, CLEANUP, at(now)).steps
}

fn pulled(index: usize) -> Outcome {
    Outcome::Pulled { index, started: at(0), result: Ok(Some("sha256:d".into())) }
}

/// Begins the step that the plan wants, which must be the only one, and takes in its outcome.
fn go(state: &mut TaskState, step: Step, outcome: Outcome, now: i64) {
    assert_eq!(steps(state, now), std::slice::from_ref(&step));
    state.begin(&step);
    state.apply(outcome, at(now));
}

fn report(state: &mut TaskState, now: i64) -> Report {
    let Plan { steps, .. } = plan(state, CLEANUP, at(now));
    let report = steps.iter().find_map(|step| match step {
        Step::Report(report) => Some((**report).clone()),
        _ => None,
    });
    let report = report.unwrap_or_else(|| panic!("no report in {steps:?}"));
    state.begin(&Step::Report(Box::new(report.clone())));
    state.apply(Outcome::Reported { reported: report.reported.clone(), settled: true }, at(now));
    report
}

use crate::runner::report::Report;

fn running(essential: &[bool]) -> TaskState {
    let mut state = fresh(essential);
    for index in 0..essential.len() {
        state.apply(pulled(index), at(1));
        state.apply(Outcome::Created(index, Ok(format!("id{index}"))), at(2));
        state.apply(Outcome::Started(index, Ok(())), at(3));
        state.begin(&Step::Inspect(index));
        state.apply(Outcome::Inspected(index, Ok(observed(index, ContainerPhase::Running, None))), at(4));
    }
    assert_eq!(report(&mut state, 5).reported.status, TaskStatus::Running);
    state
}

fn refused(text: &str) -> EngineError {
    EngineError::Refused(text.into())
}

#[test]
fn the_straight_way_makes_each_call_once() {
    let mut state = fresh(&[true]);
    go(&mut state, Step::Pull(0), pulled(0), 1);
    go(&mut state, Step::Create(0), Outcome::Created(0, Ok("id0".into())), 2);
    go(&mut state, Step::Start(0), Outcome::Started(0, Ok(())), 3);
    assert_eq!(state.status(), TaskStatus::Pending, "nobody has looked yet");
    let mut seen = observed(0, ContainerPhase::Running, None);
    let port =
        |ip: &str| PortBinding { bind_ip: ip.into(), container_port: 80, host_port: 49153, protocol: Protocol::Tcp };
    seen.ports = vec![port("0.0.0.0"), port("::")];
    go(&mut state, Step::Inspect(0), Outcome::Inspected(0, Ok(seen)), 4);
    let request = report(&mut state, 5).request;
    assert_eq!(request.status.as_deref(), Some("RUNNING"));
    assert_eq!((request.cluster.as_deref(), request.task.as_deref()), (Some("default"), Some(ARN)));
    assert_eq!((request.pull_started_at, request.pull_stopped_at), (Some(at(0)), Some(at(1))));
    assert_eq!(request.reason, None);
    let container = &request.containers.expect("containers")[0];
    assert_eq!(container.status.as_deref(), Some("RUNNING"));
    assert_eq!((container.runtime_id.as_deref(), container.image_digest.as_deref()), (Some("id0"), Some("sha256:d")));
    let bindings = container.network_bindings.as_ref().expect("bindings");
    assert_eq!(bindings.len(), 1, "IPv4 only");
    assert_eq!((bindings[0].host_port, bindings[0].bind_ip.as_deref()), (Some(49153), Some("0.0.0.0")));
    assert_eq!(plan(&state, CLEANUP, at(6)), Plan::default(), "nothing to do while it runs");
}

#[test]
fn an_essential_end_stops_the_others_and_is_told_at_once() {
    let mut state = running(&[true, true]);
    state.apply(Outcome::Changed(0), at(10));
    go(&mut state, Step::Inspect(0), Outcome::Inspected(0, Ok(observed(0, ContainerPhase::Exited, Some(3)))), 11);
    let told = report(&mut state, 12);
    assert_eq!(told.reported.status, TaskStatus::Running);
    assert_eq!(told.reported.containers, [TaskStatus::Stopped, TaskStatus::Running]);
    assert_eq!(told.request.execution_stopped_at, Some(at(500)));
    go(&mut state, Step::Stop(1), Outcome::Stopped(1, Ok(())), 13);
    go(&mut state, Step::Inspect(1), Outcome::Inspected(1, Ok(observed(1, ContainerPhase::Exited, Some(143)))), 14);
    let request = report(&mut state, 15).request;
    assert_eq!((request.status.as_deref(), request.reason), (Some("STOPPED"), None));
    let codes: Vec<_> = request.containers.expect("containers").iter().map(|container| container.exit_code).collect();
    assert_eq!(codes, [Some(3), Some(143)]);
}

#[test]
fn a_non_essential_end_is_told_and_changes_nothing_else() {
    let mut state = running(&[true, false]);
    state.apply(Outcome::Seen(1, observed(1, ContainerPhase::Exited, Some(0))), at(10));
    let told = report(&mut state, 11);
    assert_eq!(told.reported.status, TaskStatus::Running);
    assert_eq!(steps(&state, 12), []);
    assert_eq!(state.desired, DesiredStatus::Running);
}

#[test]
fn a_finished_non_essential_container_does_not_keep_the_task_from_running() {
    let mut state = fresh(&[true, false]);
    state.apply(Outcome::Seen(1, observed(1, ContainerPhase::Exited, Some(0))), at(1));
    state.apply(Outcome::Seen(0, observed(0, ContainerPhase::Running, None)), at(2));
    assert_eq!(state.status(), TaskStatus::Running);
}

#[test]
fn a_task_of_non_essential_containers_ends_with_the_last() {
    let mut state = running(&[false, false]);
    state.apply(Outcome::Seen(0, observed(0, ContainerPhase::Exited, Some(0))), at(10));
    assert_eq!(state.status(), TaskStatus::Running);
    state.apply(Outcome::Seen(1, observed(1, ContainerPhase::Exited, Some(0))), at(11));
    assert_eq!(state.status(), TaskStatus::Stopped);
}

#[test]
fn out_of_memory_and_the_engines_words_become_reasons() {
    let mut killed = observed(0, ContainerPhase::Exited, Some(137));
    killed.oom_killed = true;
    let mut state = running(&[true]);
    state.apply(Outcome::Seen(0, killed), at(10));
    let request = report(&mut state, 11).request;
    assert_eq!(request.reason, None, "the server says why the task stopped");
    let container = &request.containers.expect("containers")[0];
    assert_eq!(container.exit_code, Some(137));
    assert_eq!(container.reason.as_deref(), Some("OutOfMemoryError: Container killed due to memory usage"));
    let mut failed = observed(0, ContainerPhase::Exited, Some(128));
    failed.error = Some("no space".into());
    let mut state = running(&[true]);
    state.apply(Outcome::Seen(0, failed), at(10));
    assert_eq!(state.containers[0].reason.as_deref(), Some("DockerStateError: no space"));
}

#[test]
fn failures_to_start_are_the_reason_of_container_and_task() {
    let deadline = || EngineError::Deadline { call: "create", seconds: 240 };
    let cases: [(Outcome, &str); 5] = [
        (
            Outcome::Pulled { index: 0, started: at(0), result: Err("CannotPullContainerError: x".into()) },
            "CannotPullContainerError: x",
        ),
        (Outcome::Created(0, Err(refused("x"))), "CannotCreateContainerError: x"),
        (
            Outcome::Created(0, Err(deadline())),
            "DockerTimeoutError: Could not transition to created; timed out after waiting 4m0s",
        ),
        (Outcome::Started(0, Err(refused("x"))), "CannotStartContainerError: x"),
        (
            Outcome::Started(0, Err(EngineError::NotFound("x".into()))),
            "ContainerVanishedError: No container matching saved ID found",
        ),
    ];
    for (outcome, reason) in cases {
        let mut state = fresh(&[true]);
        state.containers[0].busy = Some(Call::Start);
        state.apply(outcome, at(9));
        let request = report(&mut state, 10).request;
        assert_eq!(request.status.as_deref(), Some("STOPPED"));
        assert_eq!(request.reason.as_deref(), Some(reason));
        assert_eq!(request.execution_stopped_at, Some(at(9)));
        let container = &request.containers.expect("containers")[0];
        assert_eq!((container.reason.as_deref(), container.exit_code), (Some(reason), None));
    }
}

#[test]
fn one_container_that_cannot_start_stops_the_others() {
    let mut state = fresh(&[true, true]);
    state.apply(Outcome::Seen(0, observed(0, ContainerPhase::Running, None)), at(1));
    state.apply(Outcome::Pulled { index: 1, started: at(0), result: Err("CannotPullContainerError: x".into()) }, at(2));
    go(&mut state, Step::Stop(0), Outcome::Stopped(0, Ok(())), 3);
    go(&mut state, Step::Inspect(0), Outcome::Inspected(0, Ok(observed(0, ContainerPhase::Exited, Some(137)))), 4);
    let request = report(&mut state, 5).request;
    assert_eq!(
        (request.status.as_deref(), request.reason.as_deref()),
        (Some("STOPPED"), Some("CannotPullContainerError: x"))
    );
}

#[test]
fn a_non_essential_container_that_cannot_start_does_not() {
    let mut state = fresh(&[true, false]);
    state.apply(Outcome::Seen(0, observed(0, ContainerPhase::Running, None)), at(1));
    state.apply(Outcome::Created(1, Err(refused("x"))), at(2));
    let told = report(&mut state, 3);
    assert_eq!((told.reported.status, told.request.reason), (TaskStatus::Running, None));
}

#[test]
fn a_stop_before_the_image_is_there() {
    let mut state = fresh(&[true]);
    state.begin(&Step::Pull(0));
    state.apply(Outcome::StopWanted { reason: None }, at(1));
    assert_eq!(steps(&state, 2), [], "the pull is being cancelled");
    state.apply(Outcome::PullCancelled { index: 0 }, at(3));
    let request = report(&mut state, 4).request;
    assert_eq!((request.status.as_deref(), request.reason), (Some("STOPPED"), None));
    let reason = format!("TaskStoppedBeforePullBeginError: Task stopped before image pull could begin for task: {ARN}");
    assert_eq!(request.containers.expect("containers")[0].reason.as_deref(), Some(reason.as_str()));
    assert!(plan(&state, CLEANUP, at(5)).finished);
}

#[test]
fn a_stop_between_create_and_start_starts_nothing() {
    let mut state = fresh(&[true]);
    state.apply(pulled(0), at(1));
    state.begin(&Step::Create(0));
    state.apply(Outcome::StopWanted { reason: None }, at(2));
    state.apply(Outcome::Created(0, Ok("id0".into())), at(3));
    assert_eq!(report(&mut state, 4).reported.status, TaskStatus::Stopped);
    assert_eq!(steps(&state, 5), []);
    assert_eq!(steps(&state, 5 + CLEANUP), [Step::Remove(0)]);
}

#[test]
fn a_stop_that_does_not_stop_is_repeated() {
    let mut state = running(&[true]);
    state.apply(Outcome::StopWanted { reason: None }, at(10));
    go(&mut state, Step::Stop(0), Outcome::Stopped(0, Ok(())), 10);
    go(&mut state, Step::Inspect(0), Outcome::Inspected(0, Ok(observed(0, ContainerPhase::Running, None))), 11);
    assert_eq!(plan(&state, CLEANUP, at(12)).look_again, Some(at(1010)));
    go(&mut state, Step::Stop(0), Outcome::Stopped(0, Err(EngineError::Unreachable("x".into()))), 1010);
    assert_eq!(state.status(), TaskStatus::Running, "what was seen running must be seen stopped");
    assert_eq!(plan(&state, CLEANUP, at(1011)).look_again, Some(at(3010)));
}

#[test]
fn a_stop_goes_on_while_looks_fail() {
    let mut state = running(&[true]);
    state.apply(Outcome::StopWanted { reason: None }, at(10));
    go(&mut state, Step::Stop(0), Outcome::Stopped(0, Ok(())), 10);
    go(&mut state, Step::Inspect(0), Outcome::Inspected(0, Err(EngineError::Unreachable("x".into()))), 11);
    assert_eq!(plan(&state, CLEANUP, at(12)).look_again, Some(at(511)));
    go(&mut state, Step::Inspect(0), Outcome::Inspected(0, Ok(observed(0, ContainerPhase::Exited, Some(0)))), 511);
    assert_eq!(state.status(), TaskStatus::Stopped);
}

#[test]
fn a_start_whose_answer_was_lost_is_undone_and_not_waited_for_for_ever() {
    let mut state = fresh(&[true]);
    state.apply(pulled(0), at(0));
    state.apply(Outcome::Created(0, Ok("id0".into())), at(0));
    state.apply(Outcome::Started(0, Err(EngineError::Unreachable("gone".into()))), at(0));
    let mut now = 0;
    for _ in 0..3 {
        assert_eq!(state.status(), TaskStatus::Pending);
        now += 10_000;
        go(&mut state, Step::Stop(0), Outcome::Stopped(0, Err(EngineError::Unreachable("gone".into()))), now);
    }
    let request = report(&mut state, now).request;
    assert_eq!(request.reason.as_deref(), Some("CannotStartContainerError: the engine cannot be reached: gone"));
    // It is still being stopped.
    now += 10_000;
    assert!(steps(&state, now).contains(&Step::Stop(0)));
}

#[test]
fn a_create_whose_answer_was_lost_leaves_something_to_look_for() {
    let mut state = fresh(&[true]);
    state.apply(pulled(0), at(0));
    state.apply(Outcome::Created(0, Err(EngineError::Unreachable("gone".into()))), at(0));
    assert_eq!(report(&mut state, 1).reported.status, TaskStatus::Stopped);
    assert!(!plan(&state, CLEANUP, at(2)).finished);
    go(&mut state, Step::Remove(0), Outcome::Removed(0, Ok(())), CLEANUP);
    assert!(plan(&state, CLEANUP, at(CLEANUP)).finished);
}

#[test]
fn a_container_that_vanished_while_nobody_looked_is_not_made_again() {
    let mut spec = spec(&[true]);
    spec.containers[0].reported_id = Some("id0".into());
    let mut state = TaskState::new(spec, DesiredStatus::Running, &[], at(1));
    go(&mut state, Step::Inspect(0), Outcome::Inspected(0, Err(EngineError::NotFound("x".into()))), 3);
    assert_eq!(
        state.containers[0].reason.as_deref(),
        Some("ContainerVanishedError: No container matching saved ID found")
    );
    assert_eq!(state.desired, DesiredStatus::Stopped);
    assert!(!plan(&state, CLEANUP, at(4)).steps.contains(&Step::Create(0)));
}

#[test]
fn a_container_that_vanishes_ends_its_task() {
    let mut state = running(&[true]);
    state.apply(Outcome::Changed(0), at(10));
    go(&mut state, Step::Inspect(0), Outcome::Inspected(0, Err(EngineError::NotFound("x".into()))), 11);
    let request = report(&mut state, 12).request;
    assert_eq!((request.status.as_deref(), request.reason), (Some("STOPPED"), None));
    let reason = request.containers.expect("containers")[0].reason.clone();
    assert_eq!(reason.as_deref(), Some("ContainerVanishedError: No container matching saved ID found"));
    assert!(plan(&state, CLEANUP, at(13)).finished);
}

#[test]
fn looks_that_fail_are_repeated_and_a_container_never_seen_is_given_up() {
    let mut state = fresh(&[true]);
    state.apply(pulled(0), at(0));
    state.apply(Outcome::Created(0, Ok("id0".into())), at(0));
    state.apply(Outcome::Started(0, Ok(())), at(0));
    let mut now = 0;
    for _ in 0..6 {
        assert_eq!(state.desired, DesiredStatus::Running);
        now += 20_000;
        go(&mut state, Step::Inspect(0), Outcome::Inspected(0, Err(refused("x"))), now);
    }
    assert_eq!(state.failure.as_deref(), Some("CannotInspectContainerError: x"));
    assert_eq!(state.desired, DesiredStatus::Stopped);
    let mut state = running(&[true]);
    for _ in 0..20 {
        state.apply(Outcome::Inspected(0, Err(refused("x"))), at(0));
    }
    assert_eq!(state.desired, DesiredStatus::Running, "one that was seen running is not given up");
}

#[test]
fn old_news_do_not_bring_a_container_back() {
    let mut state = running(&[true]);
    state.apply(Outcome::Seen(0, observed(0, ContainerPhase::Exited, Some(0))), at(10));
    state.apply(Outcome::Seen(0, observed(0, ContainerPhase::Running, None)), at(11));
    assert_eq!(state.containers[0].phase, Phase::Stopped);
    assert_eq!(state.containers[0].exit_code, Some(0));
    // If it really runs, it is stopped.
    assert!(steps(&state, 12).contains(&Step::Stop(0)));
}

#[test]
fn reports_are_repeated_with_growing_pauses_and_replaced_by_newer_ones() {
    let mut state = running(&[true]);
    state.apply(Outcome::Seen(0, observed(0, ContainerPhase::Exited, Some(0))), at(0));
    let mut pauses = Vec::new();
    let mut now = 0;
    for _ in 0..16 {
        let step = steps(&state, now).into_iter().next().expect("a report");
        let Step::Report(report) = &step else { panic!("{step:?}") };
        state.begin(&step);
        assert_eq!(steps(&state, now), [], "one at a time");
        state.apply(Outcome::Reported { reported: report.reported.clone(), settled: false }, at(now));
        let next = plan(&state, CLEANUP, at(now)).look_again.expect("a time");
        pauses.push(next.millis_since(at(now)));
        now += pauses[pauses.len() - 1];
    }
    assert_eq!(pauses[..4], [1000, 1300, 1690, 2197]);
    assert_eq!(pauses[14..], [30_000, 30_000]);
    assert!(
        steps(&state, now).iter().all(|step| matches!(step, Step::Report(_))),
        "nothing is removed before the server knows"
    );
}

#[test]
fn removal_waits_for_report_and_time_and_is_repeated() {
    let mut state = running(&[true]);
    state.apply(Outcome::Seen(0, observed(0, ContainerPhase::Exited, Some(0))), at(600));
    report(&mut state, 601);
    assert_eq!(plan(&state, CLEANUP, at(700)).look_again, Some(at(500 + CLEANUP)), "counted from the container's end");
    go(&mut state, Step::Remove(0), Outcome::Removed(0, Err(refused("busy"))), 500 + CLEANUP);
    assert_eq!(plan(&state, CLEANUP, at(1600)).look_again, Some(at(11_500)));
    go(&mut state, Step::Remove(0), Outcome::Removed(0, Ok(())), 11_500);
    assert!(plan(&state, CLEANUP, at(11_501)).finished);
}

#[test]
fn adoption() {
    let adopt = |essential: &[bool], found: &[Observed]| {
        TaskState::new(spec(essential), DesiredStatus::Running, found, at(600))
    };
    let mut state = adopt(&[true], &[observed(0, ContainerPhase::Running, None)]);
    assert_eq!(report(&mut state, 601).reported.status, TaskStatus::Running);
    assert_eq!(steps(&state, 602), [Step::Inspect(0)], "it may have ended since it was listed");

    let mut state = adopt(&[true], &[observed(0, ContainerPhase::Exited, Some(7))]);
    let request = report(&mut state, 601).request;
    assert_eq!((request.status.as_deref(), request.execution_stopped_at), (Some("STOPPED"), Some(at(500))));
    assert_eq!(request.containers.expect("containers")[0].exit_code, Some(7));
    assert_eq!(steps(&state, 602), [], "never restarted");

    let state = adopt(&[true, true], &[observed(0, ContainerPhase::Created, None)]);
    assert_eq!(steps(&state, 601), [Step::Inspect(0), Step::Pull(1)], "the rest is made");

    let state = adopt(
        &[true, true],
        &[observed(0, ContainerPhase::Exited, Some(0)), observed(1, ContainerPhase::Running, None)],
    );
    assert_eq!(steps(&state, 601), [Step::Inspect(1)]);
    assert_eq!(state.desired, DesiredStatus::Stopped);
}

#[test]
fn a_refused_task_stops_at_once_with_the_reason_on_its_container() {
    let mut spec = spec(&[true, true]);
    spec.refusal =
        Some(Refusal { container: Some(1), reason: "this node does not support links yet (container 'c1')".into() });
    let mut state = TaskState::new(spec, DesiredStatus::Running, &[], at(0));
    let request = report(&mut state, 1).request;
    assert_eq!(request.reason.as_deref(), Some("this node does not support links yet (container 'c1')"));
    let reasons: Vec<_> =
        request.containers.expect("containers").into_iter().map(|container| container.reason).collect();
    assert_eq!(reasons, [None, Some("this node does not support links yet (container 'c1')".into())]);
    assert!(plan(&state, CLEANUP, at(2)).finished);
}

#[test]
fn a_stop_for_a_task_never_heard_of() {
    let mut state = TaskState::new(spec(&[]), DesiredStatus::Stopped, &[], at(0));
    let request = report(&mut state, 1).request;
    assert_eq!(request.status.as_deref(), Some("STOPPED"));
    assert_eq!(request.reason.as_deref(), Some("TaskStateError: Agent could not progress task's state to stopped"));
}
