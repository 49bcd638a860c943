//! What a node finds on its engine when it starts, and what it leaves alone.

use std::time::Duration;

use longshore_node::engine::{ContainerPhase, EngineError};

use super::fake_engine::Fate;
use super::rig::{Rig, arn, stop_of, task};

/// A rig on which task `t` of two containers was started by a node that has died.
async fn left_running() -> Rig {
    let rig = Rig::new();
    let mut node = rig.start().await;
    node.payload(vec![task("t", 2)]).await;
    rig.reported("t", "RUNNING").await;
    node.kill().await;
    rig.api.accepted.lock().expect("unpoisoned").clear();
    rig
}

fn ids(rig: &Rig, id: &str) -> Vec<String> {
    rig.engine.of_task(&arn(id)).into_values().map(|container| container.observed.runtime_id).collect()
}

#[tokio::test(start_paused = true)]
async fn running_containers_are_adopted() {
    let rig = left_running().await;
    let before = ids(&rig, "t");
    let mut node = rig.start().await;
    node.manifest(1, &["t"]).await;
    node.payload(vec![task("t", 2)]).await;
    let running = rig.reported("t", "RUNNING").await;
    let told: Vec<_> =
        running.containers.expect("containers").into_iter().filter_map(|container| container.runtime_id).collect();
    assert_eq!(told, before);
    assert_eq!((rig.engine.count("create"), rig.engine.count("start")), (2, 2), "by the first node");
    rig.exit("t", "c1", 4);
    let stopped = rig.reported("t", "STOPPED").await;
    let codes: Vec<_> =
        stopped.containers.expect("containers").into_iter().map(|container| container.exit_code).collect();
    assert_eq!(codes, [Some(143), Some(4)]);
}

#[tokio::test(start_paused = true)]
async fn what_ended_meanwhile_is_told_with_its_exit_code_and_not_started_again() {
    let rig = left_running().await;
    rig.exit("t", "c0", 42);
    let ended = rig.container("t", "c0").observed.finished_at;
    let mut node = rig.start().await;
    node.payload(vec![task("t", 2)]).await;
    let stopped = rig.reported("t", "STOPPED").await;
    assert_eq!(stopped.execution_stopped_at, ended);
    let codes: Vec<_> =
        stopped.containers.expect("containers").into_iter().map(|container| container.exit_code).collect();
    assert_eq!(codes, [Some(42), Some(143)]);
    assert_eq!(rig.api.statuses(&arn("t")), ["STOPPED"]);
    assert_eq!((rig.engine.count("create"), rig.engine.count("start")), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn a_stop_after_a_restart_needs_only_the_arn() {
    let rig = left_running().await;
    rig.exit("t", "c0", 42);
    let mut node = rig.start().await;
    node.payload(vec![stop_of("t")]).await;
    let stopped = rig.reported("t", "STOPPED").await;
    let mut told: Vec<_> = stopped
        .containers
        .expect("containers")
        .into_iter()
        .map(|c| (c.container_name.expect("name"), c.exit_code))
        .collect();
    told.sort();
    assert_eq!(told, [("c0".to_owned(), Some(42)), ("c1".to_owned(), Some(143))]);
    assert_eq!(stopped.cluster.as_deref(), Some("default"));
}

#[tokio::test(start_paused = true)]
async fn what_the_server_does_not_want_is_stopped_and_removed_once_it_says_so() {
    let mut rig = left_running().await;
    rig.cleanup_wait = Duration::from_secs(100);
    let mut node = rig.start().await;
    let message = node.manifest(1, &[]).await;
    let candidates = node.verification().await.expect("asks").stop_candidates;
    assert_eq!(candidates.iter().map(|task| task.task_arn.clone()).collect::<Vec<_>>(), [arn("t")]);
    assert_eq!(candidates[0].task_cluster_arn, super::rig::CLUSTER);
    assert!(
        super::fake_handle::phases(rig.engine.of_task(&arn("t")).values())
            .iter()
            .all(|phase| *phase == ContainerPhase::Running)
    );
    node.confirm(&message, &["t"]).await;
    rig.reported("t", "STOPPED").await;
    rig.gone("t").await;
}

#[tokio::test(start_paused = true)]
async fn the_cleanup_wait_is_counted_from_the_containers_end_across_restarts() {
    let mut rig = left_running().await;
    rig.cleanup_wait = Duration::from_secs(1000);
    rig.exit("t", "c0", 0);
    rig.exit("t", "c1", 0);
    let ended = rig.engine.now();
    for _ in 0..3 {
        tokio::time::advance(Duration::from_secs(250)).await;
        let mut node = rig.start().await;
        let message = node.manifest(1, &[]).await;
        assert!(node.verification().await.is_some());
        node.confirm(&message, &["t"]).await;
        rig.reported("t", "STOPPED").await;
        assert_eq!(ids(&rig, "t").len(), 2);
        node.kill().await;
    }
    let mut node = rig.start().await;
    let message = node.manifest(1, &[]).await;
    node.confirm(&message, &["t"]).await;
    rig.gone("t").await;
    let waited = rig.engine.now().millis_since(ended);
    assert!((1_000_000..1_030_000).contains(&waited), "{waited}");
}

#[tokio::test(start_paused = true)]
async fn a_container_whose_name_is_taken_by_somebody_else_is_not_touched() {
    let rig = Rig::new();
    let mut node = rig.start().await;
    node.payload(vec![task("t", 1)]).await;
    rig.reported("t", "RUNNING").await;
    let name = rig.container("t", "c0").spec.name;

    let rig = Rig::new();
    let foreign = rig.engine.add_foreign(&name, &[("longshore.node", "ffffffffffffffffffffffffffffffff")]);
    let mut node = rig.start().await;
    node.payload(vec![task("t", 1)]).await;
    let stopped = rig.reported("t", "STOPPED").await;
    assert_eq!(stopped.reason, Some(format!("CannotCreateContainerError: the name {name} is in use")));
    assert_eq!(rig.engine.lock().containers[&foreign].observed.phase, ContainerPhase::Running);
}

#[tokio::test(start_paused = true)]
async fn nodes_on_one_engine_leave_each_other_and_everybody_else_alone() {
    let mut rig = Rig::new();
    rig.cleanup_wait = Duration::from_secs(10);
    let amazons = [
        ("com.amazonaws.ecs.task-arn", "arn:aws:ecs:us-east-1:000000000000:task/default/amazons"),
        ("com.amazonaws.ecs.container-name", "c0"),
    ];
    let foreign = rig.engine.add_foreign("ecs-web-1-c0-0123456789abcdef0123", &amazons);
    let mut one = rig.start().await;
    rig.node_id = "f".repeat(32);
    let mut other = rig.start().await;
    one.payload(vec![task("one", 2)]).await;
    other.payload(vec![task("other", 2)]).await;
    rig.reported("one", "RUNNING").await;
    rig.reported("other", "RUNNING").await;
    assert_eq!(rig.engine.lock().networks.len(), 2, "a network each");

    one.manifest(1, &[]).await;
    let candidates = one.verification().await.expect("asks").stop_candidates;
    assert_eq!(candidates.into_iter().map(|task| task.task_arn).collect::<Vec<_>>(), [arn("one")]);
    one.kill().await;
    rig.node_id = super::rig::NODE.into();
    let mut again = rig.start().await;
    let message = again.manifest(1, &[]).await;
    let candidates = again.verification().await.expect("asks").stop_candidates;
    assert_eq!(candidates.into_iter().map(|task| task.task_arn).collect::<Vec<_>>(), [arn("one")]);
    // Even a server that is wrong cannot make it touch what is not its own.
    again.confirm(&message, &["one", "other", "amazons"]).await;
    rig.reported("one", "STOPPED").await;
    rig.gone("one").await;
    again.node.shutdown(true).await;

    let running = |id: &str| super::fake_handle::phases(rig.engine.of_task(&arn(id)).values());
    assert_eq!(running("other"), [ContainerPhase::Running, ContainerPhase::Running]);
    assert_eq!(rig.engine.lock().containers[&foreign].observed.phase, ContainerPhase::Running);
    assert_eq!(rig.engine.lock().networks.len(), 1, "the other's network stays");
    assert_eq!(rig.api.statuses(&arn("other")), ["RUNNING"]);
    drop(other);
}

#[tokio::test(start_paused = true)]
async fn without_the_engines_list_containers_are_adopted_by_name() {
    let rig = left_running().await;
    let before = ids(&rig, "t");
    for _ in 0..50 {
        rig.engine.next("list", Fate::Fails(EngineError::Refused("not now".into())));
    }
    let mut node = rig.start().await;
    node.payload(vec![task("t", 2)]).await;
    let running = rig.reported("t", "RUNNING").await;
    let told = running.containers.expect("containers").into_iter().filter_map(|container| container.runtime_id);
    assert_eq!(told.collect::<Vec<_>>(), before);
    assert_eq!(rig.engine.lock().started.len(), 2, "by the first node");
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_taken_by_a_container_in_the_making_is_waited_for() {
    let rig = Rig::new();
    for _ in 0..3 {
        rig.engine.next("create", Fate::Fails(EngineError::NameTaken("in use".into())));
    }
    let mut node = rig.start().await;
    node.payload(vec![task("t", 1)]).await;
    rig.reported("t", "RUNNING").await;
    assert_eq!(rig.engine.count("create"), 4);
}

#[tokio::test(start_paused = true)]
async fn what_a_probe_left_behind_is_removed_at_the_start() {
    let rig = Rig::new();
    let node = super::rig::NODE;
    let left = rig.engine.add_foreign("longshore-probe-x", &[("longshore.node", node), ("longshore.probe", "true")]);
    let others =
        rig.engine.add_foreign("longshore-probe-y", &[("longshore.node", "other"), ("longshore.probe", "true")]);
    let _node = rig.start().await;
    super::rig::until("it is removed", || !rig.engine.lock().containers.contains_key(&left)).await;
    assert!(rig.engine.lock().containers.contains_key(&others));
}
