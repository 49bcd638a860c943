//! Containers of tasks that the server does not know, and a server whose state was restored.

use std::path::Path;
use std::time::Duration;

use longshore_ecs_wire::agent::RESTORE_STEP;
use longshore_node::engine::ContainerPhase;
use longshore_node::orphans::{Orphan, OrphanList};
use longshore_node::runner::NodeConfig;

use super::fake_handle::phases;
use super::rig::{Rig, Running, arn, task, until};

const GRACE: Duration = Duration::from_secs(1000);
const JUMP: i64 = RESTORE_STEP as i64;

/// An engine with tasks, a directory for the list, and nodes with a grace.
struct Place {
    rig: Rig,
    directory: tempfile::TempDir,
    grace: Duration,
}

impl Place {
    fn new() -> Self {
        let mut rig = Rig::new();
        rig.cleanup_wait = Duration::from_secs(100);
        Self { rig, directory: tempfile::tempdir().expect("temporary directory"), grace: GRACE }
    }

    async fn start(&self) -> Running {
        let data_dir = Some(self.directory.path().to_owned());
        let config = NodeConfig { orphan_grace: self.grace, data_dir, ..self.rig.config() };
        self.rig.start_with(config, None).await.0
    }

    /// A node that runs these tasks.
    async fn with_tasks(&self, ids: &[&str]) -> Running {
        let mut node = self.start().await;
        node.payload(ids.iter().map(|id| task(id, 2)).collect()).await;
        for id in ids {
            self.rig.reported(id, "RUNNING").await;
        }
        node
    }

    fn phases(&self, id: &str) -> Vec<ContainerPhase> {
        phases(self.rig.engine.of_task(&arn(id)).values())
    }

    fn runs(&self, id: &str) -> bool {
        self.phases(id) == [ContainerPhase::Running; 2]
    }

    fn file(&self) -> OrphanList {
        read(self.directory.path())
    }
}

fn read(directory: &Path) -> OrphanList {
    OrphanList::read(directory).expect("a list")
}

fn arns(orphans: &[Orphan]) -> Vec<&str> {
    orphans.iter().map(|orphan| orphan.task_arn.as_str()).collect()
}

/// The server answers a manifest that wants these, and knows nothing else.
async fn wants_only(node: &mut Running, timeline: i64, ids: &[&str]) {
    let message = node.manifest(timeline, ids).await;
    if node.verification().await.is_some() {
        node.confirm(&message, &[]).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_server_does_not_know_runs_on_for_the_grace_and_goes_then() {
    let place = Place::new();
    let node = place.with_tasks(&["t", "u"]).await;
    node.kill().await;
    let mut node = place.start().await;
    assert!(node.node.orphans().is_empty(), "the server has not said anything yet");
    wants_only(&mut node, 1, &["u"]).await;
    node.payload(vec![task("u", 2)]).await;
    until("it is listed", || node.node.orphans().len() == 1).await;
    let seen = place.rig.engine.now();
    until("the file says so", || place.file().orphans == node.node.orphans()).await;
    let list = place.file();
    assert_eq!((list.grace, arns(&list.orphans)), (GRACE, vec![&arn("t")[..]]));
    assert!(seen.millis_since(list.orphans[0].first_seen_at) < 10_000);
    let containers = &list.orphans[0].containers;
    assert_eq!(containers[0].name, place.rig.container("t", "c0").spec.name);
    assert_eq!((containers.len(), containers[0].image.as_str()), (2, "web:1"));
    tokio::time::advance(GRACE - Duration::from_secs(20)).await;
    until("time has passed", || place.rig.engine.now().millis_since(seen) > 985_000).await;
    assert!(place.runs("t"));
    until("its grace is over", || !place.runs("t")).await;
    let kept = place.rig.engine.now().millis_since(list.orphans[0].first_seen_at);
    assert!((1_000_000..1_005_000).contains(&kept), "{kept}");
    place.rig.gone("t").await;
    until("the list is empty", || place.file().orphans.is_empty()).await;
    assert!(node.node.orphans().is_empty());
    assert!(place.runs("u"), "what is wanted goes on");
}

#[tokio::test(start_paused = true)]
async fn the_grace_goes_on_across_restarts_but_nothing_is_stopped_without_the_servers_word() {
    let place = Place::new();
    let mut node = place.with_tasks(&["t"]).await;
    wants_only(&mut node, 1, &[]).await;
    until("the file says so", || place.file().orphans.len() == 1).await;
    let first_seen_at = place.file().orphans[0].first_seen_at;
    node.kill().await;
    tokio::time::advance(GRACE * 2).await;
    let mut node = place.start().await;
    assert_eq!(node.node.orphans()[0].first_seen_at, first_seen_at);
    tokio::time::advance(GRACE).await;
    node.payload(vec![task("other", 1)]).await;
    place.rig.reported("other", "RUNNING").await;
    assert!(place.runs("t"), "the server has not said anything yet");
    wants_only(&mut node, 2, &["other"]).await;
    until("its grace is over", || !place.runs("t")).await;
    assert!(place.rig.engine.now().millis_since(first_seen_at) < 4_000_000);
    place.rig.gone("t").await;
}

#[tokio::test(start_paused = true)]
async fn a_task_that_the_server_sends_after_all_is_adopted() {
    for restart in [false, true] {
        let place = Place::new();
        let mut node = place.with_tasks(&["t"]).await;
        wants_only(&mut node, 1, &[]).await;
        until("it is listed", || node.node.orphans().len() == 1).await;
        until("the file says so", || place.file().orphans.len() == 1).await;
        if restart {
            node.kill().await;
            node = place.start().await;
        }
        node.manifest(JUMP, &["t"]).await;
        node.payload(vec![task("t", 2)]).await;
        until("it is no orphan", || node.node.orphans().is_empty()).await;
        until("the file says so", || place.file().orphans.is_empty()).await;
        tokio::time::advance(GRACE * 2).await;
        place.rig.reported("t", "RUNNING").await;
        assert!(place.runs("t"), "restart: {restart}");
        assert_eq!(place.rig.engine.count("create"), 2, "nothing was made twice");
    }
}

#[tokio::test(start_paused = true)]
async fn what_has_stopped_of_an_unknown_task_keeps_only_the_cleanup_wait() {
    let place = Place::new();
    let node = place.with_tasks(&["t"]).await;
    node.kill().await;
    place.rig.exit("t", "c0", 0);
    place.rig.exit("t", "c1", 0);
    let ended = place.rig.engine.now();
    let mut node = place.start().await;
    wants_only(&mut node, 1, &[]).await;
    let told = place.rig.engine.now();
    place.rig.reported("t", "STOPPED").await;
    assert!(place.rig.engine.now().millis_since(told) < 5_000, "it is seen to at once");
    assert!(node.node.orphans().is_empty());
    place.rig.gone("t").await;
    let waited = place.rig.engine.now().millis_since(ended);
    assert!((100_000..200_000).contains(&waited), "{waited}");
}

#[tokio::test(start_paused = true)]
async fn an_orphan_that_ends_by_itself_is_none_any_more() {
    for restart in [false, true] {
        let place = Place::new();
        let mut node = place.with_tasks(&["t"]).await;
        if restart {
            node.kill().await;
            node = place.start().await;
        }
        wants_only(&mut node, 1, &[]).await;
        until("it is listed", || node.node.orphans().len() == 1).await;
        place.rig.exit("t", "c0", 0);
        place.rig.exit("t", "c1", 0);
        until("it has left the list", || node.node.orphans().is_empty()).await;
        assert_eq!(place.phases("t"), [ContainerPhase::Exited; 2], "its containers keep the cleanup wait");
        place.rig.gone("t").await;
        until("the file says so", || place.file().orphans.is_empty()).await;
        node.kill().await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_orphan_whose_containers_somebody_removes_is_none_any_more() {
    let place = Place::new();
    let node = place.with_tasks(&["t"]).await;
    node.kill().await;
    let mut node = place.start().await;
    wants_only(&mut node, 1, &[]).await;
    until("it is listed", || node.node.orphans().len() == 1).await;
    place.rig.engine.lock().containers.clear();
    until("it has left the list", || node.node.orphans().is_empty()).await;
}

#[tokio::test(start_paused = true)]
async fn without_a_grace_they_go_at_once() {
    let mut place = Place::new();
    place.grace = Duration::ZERO;
    let mut node = place.with_tasks(&["t"]).await;
    let begun = place.rig.engine.now();
    wants_only(&mut node, 1, &[]).await;
    until("it is stopped", || place.phases("t") == [ContainerPhase::Exited; 2]).await;
    assert!(place.rig.engine.now().millis_since(begun) < 5_000);
    place.rig.gone("t").await;
}

#[tokio::test(start_paused = true)]
async fn an_answer_on_another_manifest_makes_no_orphan() {
    let place = Place::new();
    let mut node = place.with_tasks(&["t", "u"]).await;
    let old = node.manifest(1, &["u"]).await;
    assert!(node.verification().await.is_some());
    let new = node.manifest(2, &["t"]).await;
    assert!(node.verification().await.is_some());
    node.confirm(&old, &[]).await;
    node.payload(vec![task("u", 2)]).await;
    node.confirm(&new, &[]).await;
    node.payload(vec![task("last", 1)]).await;
    place.rig.reported("last", "RUNNING").await;
    assert!(node.node.orphans().is_empty(), "u was sent before the answer came");
}

#[tokio::test(start_paused = true)]
async fn a_restored_server_is_told_again_what_it_was_told() {
    let place = Place::new();
    let mut node = place.with_tasks(&["runs", "ended"]).await;
    node.manifest(7, &["runs", "ended"]).await;
    place.rig.exit("ended", "c0", 3);
    let first = place.rig.reported("ended", "STOPPED").await;
    place.rig.api.accepted.lock().expect("unpoisoned").clear();
    node.manifest(8, &["runs", "ended"]).await;
    node.manifest(8 + JUMP, &["runs", "ended"]).await;
    node.payload(vec![task("runs", 2), task("ended", 2)]).await;
    place.rig.reported("runs", "RUNNING").await;
    assert_eq!(place.rig.reported("ended", "STOPPED").await, first);
    assert_eq!(place.rig.api.statuses(&arn("runs")), ["RUNNING"]);
    assert_eq!(place.rig.api.statuses(&arn("ended")), ["STOPPED"]);
    // A report that was under way when the server forgot is made again.
    *place.rig.api.time.lock().expect("unpoisoned") = Duration::from_secs(5);
    place.rig.exit("runs", "c0", 0);
    let under_way =
        || {
            place.rig.api.attempts.lock().expect("unpoisoned").last().is_some_and(|(_, report)| {
                report.task == Some(arn("runs")) && report.status.as_deref() == Some("STOPPED")
            })
        };
    until("a report is under way", under_way).await;
    node.manifest(8 + 2 * JUMP, &["runs", "ended"]).await;
    let stops = || place.rig.api.statuses(&arn("runs")).iter().filter(|status| *status == "STOPPED").count();
    until("it is made twice", || stops() == 2).await;
}
