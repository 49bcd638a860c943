//! The two ways to end a node.

use std::time::Duration;

use longshore_node::engine::ContainerPhase;
use tokio::time::Instant;

use super::rig::{Rig, arn, task, until};

#[tokio::test(start_paused = true)]
async fn containers_stay_for_adoption() {
    let rig = Rig::new();
    let mut node = rig.start().await;
    node.payload(vec![task("t", 1)]).await;
    rig.reported("t", "RUNNING").await;
    node.node.shutdown(false).await;
    assert_eq!(rig.container("t", "c0").observed.phase, ContainerPhase::Running);
    assert_eq!(rig.api.statuses(&arn("t")), ["RUNNING"]);
    let before = rig.engine.lock().calls.len();
    rig.exit("t", "c0", 0);
    tokio::time::advance(Duration::from_secs(600)).await;
    assert_eq!(rig.engine.lock().calls.len(), before, "the node does nothing any more");
}

#[tokio::test(start_paused = true)]
async fn tasks_are_stopped_and_reported_and_nothing_is_left() {
    let rig = Rig::new();
    let mut node = rig.start().await;
    rig.engine.lock().deaf.push("c1".into());
    let mut slow = task("slow", 2);
    slow.containers[1].stop_timeout = Some(10);
    node.payload(vec![task("t", 1), slow]).await;
    rig.reported("t", "RUNNING").await;
    rig.reported("slow", "RUNNING").await;
    node.node.shutdown(true).await;
    for id in ["t", "slow"] {
        assert_eq!(rig.api.statuses(&arn(id)), ["RUNNING", "STOPPED"]);
        let reason = rig.reported(id, "STOPPED").await.reason;
        assert_eq!(reason.as_deref(), Some("the node was shut down and told to stop its tasks"));
    }
    let machine = rig.engine.lock();
    assert!(machine.containers.is_empty());
    assert_eq!(machine.networks, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_keeps_its_deadline_and_removes_by_force() {
    let rig = Rig::new();
    rig.engine.lock().deaf.push("c0".into());
    let mut node = rig.start().await;
    let mut deaf = task("t", 1);
    deaf.containers[0].stop_timeout = Some(3600);
    node.payload(vec![deaf]).await;
    rig.reported("t", "RUNNING").await;
    let begun = Instant::now();
    node.node.shutdown(true).await;
    assert!(begun.elapsed() < Duration::from_secs(46), "{:?}", begun.elapsed());
    assert!(rig.engine.lock().containers.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_in_the_midst_of_a_start_leaves_nothing() {
    let rig = Rig::new();
    rig.engine.lock().pull_time = Duration::from_secs(600);
    let mut node = rig.start().await;
    node.payload(vec![task("t", 2)]).await;
    until("the pull has begun", || rig.engine.count("pull") == 1).await;
    node.node.shutdown(true).await;
    assert_eq!(rig.api.statuses(&arn("t")), ["STOPPED"]);
    assert!(rig.engine.lock().containers.is_empty());
}
