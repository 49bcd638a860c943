//! Every failure at every call to the engine, and failures of reports.

use std::time::Duration;

use longshore_node::engine::{ContainerPhase, EngineError};
use longshore_node::runner::EngineHealth;
use tokio::time::Instant;

use super::fake_engine::Fate;
use super::rig::{Rig, arn, stop_of, task, until};

fn refused() -> EngineError {
    EngineError::Refused("the engine says no".into())
}

fn unreachable() -> EngineError {
    EngineError::Unreachable("the socket is gone".into())
}

/// Runs a task of two containers of which one meets `fate` at `call`; the reason that is reported, of the task and of
/// the container that failed.
async fn fails(call: &str, fate: Fate) -> (Rig, String) {
    let mut rig = Rig::new();
    rig.cleanup_wait = Duration::from_secs(60);
    let mut node = rig.start().await;
    rig.engine.next(call, fate);
    node.payload(vec![task("t", 2)]).await;
    let stopped = rig.reported("t", "STOPPED").await;
    let reason = stopped.reason.expect("a task that fails to start has a reason");
    let of_containers: Vec<_> =
        stopped.containers.expect("containers").into_iter().filter_map(|container| container.reason).collect();
    assert!(of_containers.contains(&reason), "{reason} is none of {of_containers:?}");
    assert_eq!(rig.api.statuses(&arn("t")), ["STOPPED"]);
    rig.gone("t").await;
    assert!(!rig.engine.of_task(&arn("t")).values().any(|c| c.observed.phase == ContainerPhase::Running));
    // The engine works: the next task runs.
    node.payload(vec![task("u", 1)]).await;
    rig.reported("u", "RUNNING").await;
    (rig, reason)
}

#[tokio::test(start_paused = true)]
async fn a_create_that_is_refused() {
    let (_, reason) = fails("create c1", Fate::Fails(refused())).await;
    assert_eq!(reason, "CannotCreateContainerError: the engine says no");
}

#[tokio::test(start_paused = true)]
async fn a_create_that_is_not_supported() {
    let (_, reason) = fails("create c1", Fate::Fails(EngineError::Unsupported("systemControls".into()))).await;
    assert_eq!(reason, "CannotCreateContainerError: this engine does not support systemControls");
}

#[tokio::test(start_paused = true)]
async fn a_create_whose_answer_is_lost_leaves_nothing_behind() {
    let (rig, reason) = fails("create c1", Fate::DoneButFails(unreachable())).await;
    assert_eq!(reason, "CannotCreateContainerError: the engine cannot be reached: the socket is gone");
    assert_eq!(rig.engine.count("start"), 2, "c0 of t, c0 of u; what was not known to be there was not started");
}

#[tokio::test(start_paused = true)]
async fn a_create_that_hangs() {
    let (_, reason) = fails("create c1", Fate::Hangs).await;
    assert_eq!(reason, "DockerTimeoutError: Could not transition to created; timed out after waiting 4m0s");
}

#[tokio::test(start_paused = true)]
async fn a_network_that_cannot_be_made() {
    let (_, reason) = fails("network", Fate::Fails(refused())).await;
    assert_eq!(reason, "CannotCreateContainerError: the engine says no");
}

#[tokio::test(start_paused = true)]
async fn a_start_that_is_refused() {
    let (_, reason) = fails("start", Fate::Fails(EngineError::PortTaken("port 80 is already allocated".into()))).await;
    assert_eq!(reason, "CannotStartContainerError: port 80 is already allocated");
}

#[tokio::test(start_paused = true)]
async fn a_start_that_hangs() {
    let (_, reason) = fails("start", Fate::Hangs).await;
    assert_eq!(reason, "DockerTimeoutError: Could not transition to started; timed out after waiting 3m0s");
}

#[tokio::test(start_paused = true)]
async fn a_start_whose_answer_is_lost_is_undone() {
    let (rig, reason) = fails("start", Fate::DoneButFails(unreachable())).await;
    assert_eq!(reason, "CannotStartContainerError: the engine cannot be reached: the socket is gone");
    assert!(rig.engine.count("stop") >= 1);
}

#[tokio::test(start_paused = true)]
async fn a_container_that_vanishes_before_its_start() {
    let rig = Rig::new();
    let mut node = rig.start().await;
    for _ in 0..2 {
        rig.engine.next("start", Fate::Fails(EngineError::NotFound("no such container".into())));
    }
    node.payload(vec![task("t", 1)]).await;
    let stopped = rig.reported("t", "STOPPED").await;
    assert_eq!(stopped.reason.as_deref(), Some("ContainerVanishedError: No container matching saved ID found"));
    assert_eq!(rig.engine.count("network"), 2, "it might have been the network that was not found");
}

#[tokio::test(start_paused = true)]
async fn a_network_that_somebody_removed_is_made_again() {
    let rig = Rig::new();
    let mut node = rig.start().await;
    node.payload(vec![task("t", 1)]).await;
    rig.reported("t", "RUNNING").await;
    rig.engine.lock().networks.clear();
    node.payload(vec![task("u", 1)]).await;
    rig.reported("u", "RUNNING").await;
    assert_eq!(rig.engine.count("network"), 2);
}

#[tokio::test(start_paused = true)]
async fn looks_that_fail_are_repeated() {
    let rig = Rig::new();
    let mut node = rig.start().await;
    rig.engine.next("inspect", Fate::Fails(unreachable()));
    rig.engine.next("inspect", Fate::Fails(refused()));
    rig.engine.next("inspect", Fate::Hangs);
    node.payload(vec![task("t", 1)]).await;
    rig.reported("t", "RUNNING").await;
    assert_eq!(rig.engine.count("start"), 1);
}

#[tokio::test(start_paused = true)]
async fn stops_that_fail_are_repeated_until_the_container_has_ended() {
    let rig = Rig::new();
    let mut node = rig.start().await;
    node.payload(vec![task("t", 1)]).await;
    rig.reported("t", "RUNNING").await;
    for fate in [Fate::Fails(refused()), Fate::Hangs, Fate::Fails(unreachable())] {
        rig.engine.next("stop", fate);
    }
    node.payload(vec![stop_of("t")]).await;
    let stopped = rig.reported("t", "STOPPED").await;
    assert_eq!(stopped.containers.expect("containers")[0].exit_code, Some(143));
    assert_eq!(rig.container("t", "c0").observed.phase, ContainerPhase::Exited);
    assert_eq!(rig.engine.count("stop"), 4);
}

#[tokio::test(start_paused = true)]
async fn removals_that_fail_are_repeated() {
    let mut rig = Rig::new();
    rig.cleanup_wait = Duration::ZERO;
    let mut node = rig.start().await;
    rig.engine.next("remove", Fate::Fails(refused()));
    rig.engine.next("remove", Fate::Hangs);
    node.payload(vec![task("t", 1)]).await;
    rig.reported("t", "RUNNING").await;
    rig.exit("t", "c0", 0);
    rig.gone("t").await;
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_is_not_there_fails_tasks_and_hangs_none() {
    let rig = Rig::new();
    rig.engine.lock().unreachable = true;
    let mut node = rig.start().await;
    let begun = Instant::now();
    node.payload(vec![task("t", 2)]).await;
    let stopped = rig.reported("t", "STOPPED").await;
    assert!(begun.elapsed() < Duration::from_secs(40), "{:?}", begun.elapsed());
    let reason = stopped.reason.expect("a reason");
    assert!(reason.starts_with("CannotPullContainerError: "), "{reason}");
    assert!(reason.ends_with("the engine cannot be reached: the socket is not there"), "{reason}");
    until("the health says so", || node.node.engine_health() != EngineHealth::Good).await;
    rig.engine.lock().unreachable = false;
    until("the health says so", || node.node.engine_health() == EngineHealth::Good).await;
    node.payload(vec![task("u", 1)]).await;
    rig.reported("u", "RUNNING").await;
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_comes_late_is_waited_for() {
    let rig = Rig::new();
    rig.engine.lock().unreachable = true;
    let mut node = rig.start().await;
    node.payload(vec![task("t", 1)]).await;
    until("some lists have failed", || rig.engine.count("list") > 3).await;
    rig.engine.lock().unreachable = false;
    rig.reported("t", "RUNNING").await;
}

#[tokio::test(start_paused = true)]
async fn running_tasks_outlive_an_engine_that_goes_away_for_a_while() {
    let rig = Rig::new();
    let mut node = rig.start().await;
    node.payload(vec![task("t", 1)]).await;
    rig.reported("t", "RUNNING").await;
    rig.engine.lock().unreachable = true;
    rig.engine.resync();
    let before = rig.engine.count("list");
    until("lists fail", || rig.engine.count("list") > before + 3).await;
    rig.engine.lock().unreachable = false;
    rig.exit("t", "c0", 5);
    let stopped = rig.reported("t", "STOPPED").await;
    assert_eq!(stopped.containers.expect("containers")[0].exit_code, Some(5));
}

#[tokio::test(start_paused = true)]
async fn reports_are_repeated_for_ever_and_replaced_by_newer_ones() {
    let rig = Rig::new();
    let mut node = rig.start().await;
    rig.api.fail(&["ClientException"; 20]);
    node.payload(vec![task("t", 1)]).await;
    until("RUNNING is tried", || !rig.api.attempts.lock().expect("unpoisoned").is_empty()).await;
    rig.exit("t", "c0", 0);
    rig.reported("t", "STOPPED").await;
    assert_eq!(rig.api.statuses(&arn("t")), ["STOPPED"]);
    let attempts = rig.api.attempts.lock().expect("unpoisoned");
    assert_eq!(attempts.len(), 21);
    let pauses: Vec<f64> = attempts.windows(2).map(|pair| pair[1].0.duration_since(pair[0].0).as_secs_f64()).collect();
    assert!(pauses.iter().all(|pause| (0.9..31.0).contains(pause)), "{pauses:?}");
    assert!(pauses[19] > 29.0, "{pauses:?}");
}

#[tokio::test(start_paused = true)]
async fn a_report_that_can_never_be_right_is_dropped() {
    let rig = Rig::new();
    let mut node = rig.start().await;
    rig.api.fail(&["InvalidParameterException"]);
    node.payload(vec![task("t", 1)]).await;
    until("RUNNING is tried", || !rig.api.attempts.lock().expect("unpoisoned").is_empty()).await;
    rig.exit("t", "c0", 0);
    rig.reported("t", "STOPPED").await;
    let attempts = rig.api.attempts.lock().expect("unpoisoned");
    let statuses: Vec<_> = attempts.iter().filter_map(|(_, report)| report.status.clone()).collect();
    assert_eq!(statuses, ["RUNNING", "STOPPED"]);
}

#[tokio::test(start_paused = true)]
async fn at_most_ten_tasks_report_at_once_and_eight_start_at_once() {
    let rig = Rig::new();
    *rig.api.time.lock().expect("unpoisoned") = Duration::from_secs(1);
    let mut node = rig.start().await;
    let ids: Vec<String> = (0..40).map(|number| format!("t{number}")).collect();
    node.payload(ids.iter().map(|id| task(id, 1)).collect()).await;
    for id in &ids {
        rig.reported(id, "RUNNING").await;
    }
    assert_eq!(rig.api.at_once.lock().expect("unpoisoned").1, 10);
    assert_eq!(rig.engine.lock().starting.1, 8);
    assert_eq!(rig.engine.count("pull"), 1, "one image, one pull");
}
