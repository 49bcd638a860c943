//! When images are pulled, and what becomes of pulls that fail.

use std::time::Duration;

use longshore_node::engine::EngineError;
use longshore_node::images::ImagePullBehavior;
use tokio::time::Instant;

use super::fake_engine::{Fate, image};
use super::rig::{Rig, Running, arn, stop_of, task, until};

async fn start(rig: &Rig, behavior: ImagePullBehavior) -> Running {
    let mut config = rig.config();
    config.image_pull_behavior = behavior;
    rig.start_with(config, None).await.0
}

/// Runs one task after the other with this image; how many pulls there were after each.
async fn pulls(behavior: ImagePullBehavior, reference: &str, prepare: impl FnOnce(&Rig)) -> Vec<usize> {
    let rig = Rig::new();
    prepare(&rig);
    let mut node = start(&rig, behavior).await;
    let mut pulls = Vec::new();
    for id in ["a", "b"] {
        let mut sent = task(id, 1);
        sent.containers[0].image = reference.into();
        node.payload(vec![sent]).await;
        rig.reported(id, "RUNNING").await;
        pulls.push(rig.engine.count("pull"));
    }
    pulls
}

fn has(name: &str, reference: &str, from_registry: bool) -> impl FnOnce(&Rig) {
    let (image, reference) = (image(name, from_registry), reference.to_owned());
    move |rig| {
        rig.engine.lock().local_images.insert(reference, image);
    }
}

#[tokio::test(start_paused = true)]
async fn the_four_behaviours() {
    use ImagePullBehavior::{Always, Default, Once, PreferCached};
    let nothing = |_: &Rig| ();
    assert_eq!(pulls(Default, "web:1", nothing).await, [1, 2]);
    assert_eq!(pulls(Always, "web:1", nothing).await, [1, 2]);
    assert_eq!(pulls(Once, "web:1", nothing).await, [1, 1]);
    assert_eq!(pulls(PreferCached, "web:1", nothing).await, [1, 1]);
    assert_eq!(pulls(Default, "web:1", has("web", "web:1", true)).await, [1, 2]);
    assert_eq!(pulls(Once, "web:1", has("web", "web:1", true)).await, [1, 1], "this node has not pulled it before");
    assert_eq!(pulls(PreferCached, "web:1", has("web", "web:1", true)).await, [0, 0]);
}

#[tokio::test(start_paused = true)]
async fn an_image_that_never_came_from_a_registry_is_never_pulled() {
    use ImagePullBehavior::{Always, Default, Once, PreferCached};
    for behavior in [Default, Always, Once, PreferCached] {
        assert_eq!(pulls(behavior, "mine:1", has("mine", "mine:1", false)).await, [0, 0], "{behavior:?}");
    }
    let digest = "web@sha256:0000000000000000000000000000000000000000000000000000000000000000";
    assert_eq!(pulls(Default, digest, has("web", digest, true)).await, [0, 0], "a digest cannot change");
}

#[test]
fn names_of_the_behaviours() {
    for (text, behavior) in [
        ("default", ImagePullBehavior::Default),
        ("always", ImagePullBehavior::Always),
        ("once", ImagePullBehavior::Once),
        ("prefer-cached", ImagePullBehavior::PreferCached),
    ] {
        assert_eq!(text.parse(), Ok(behavior));
    }
    assert!("never".parse::<ImagePullBehavior>().is_err());
}

#[tokio::test(start_paused = true)]
async fn an_image_that_does_not_exist_fails_the_task_soon() {
    let rig = Rig::new();
    let mut node = rig.start().await;
    let mut sent = task("t", 1);
    sent.containers[0].image = "nowhere:1".into();
    let begun = Instant::now();
    node.payload(vec![sent]).await;
    let stopped = rig.reported("t", "STOPPED").await;
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    let reason = "CannotPullContainerError: pull image manifest has been retried 1 time(s): \
                  failed to resolve reference \"nowhere:1\": not found";
    assert_eq!(stopped.reason.as_deref(), Some(reason));
    assert!(
        stopped.pull_started_at.is_some()
            && stopped.pull_stopped_at.is_some()
            && stopped.execution_stopped_at.is_some()
    );
}

#[tokio::test(start_paused = true)]
async fn a_registry_that_does_not_answer_fails_the_task_within_fifteen_seconds() {
    for fate in [Fate::Hangs, Fate::Fails(EngineError::Refused("dial tcp 127.0.0.1:5000: connection refused".into()))] {
        let rig = Rig::new();
        let mut node = rig.start().await;
        for _ in 0..20 {
            rig.engine.next("pull", fate.clone());
        }
        let begun = Instant::now();
        node.payload(vec![task("t", 1)]).await;
        let stopped = rig.reported("t", "STOPPED").await;
        assert!(begun.elapsed() <= Duration::from_millis(15_500), "{:?}", begun.elapsed());
        let reason = stopped.reason.expect("a reason");
        assert!(reason.starts_with("CannotPullContainerError: pull image manifest has been retried "), "{reason}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_pull_that_failed_for_a_moment_is_repeated() {
    let rig = Rig::new();
    let mut node = rig.start().await;
    for _ in 0..3 {
        rig.engine.next("pull", Fate::Fails(EngineError::Refused("unexpected status code 502".into())));
    }
    node.payload(vec![task("t", 1)]).await;
    rig.reported("t", "RUNNING").await;
    assert_eq!(rig.engine.count("pull"), 4);
}

#[tokio::test(start_paused = true)]
async fn by_default_the_image_that_is_here_will_do_when_the_pull_fails() {
    let failing = |rig: &Rig| {
        rig.engine.lock().local_images.insert("web:1".into(), image("web", true));
        for _ in 0..20 {
            rig.engine.next("pull", Fate::Fails(EngineError::Refused("connection refused".into())));
        }
    };
    let rig = Rig::new();
    failing(&rig);
    let mut node = start(&rig, ImagePullBehavior::Default).await;
    node.payload(vec![task("t", 1)]).await;
    rig.reported("t", "RUNNING").await;

    let rig = Rig::new();
    failing(&rig);
    let mut node = start(&rig, ImagePullBehavior::Always).await;
    node.payload(vec![task("t", 1)]).await;
    rig.reported("t", "STOPPED").await;
}

#[tokio::test(start_paused = true)]
async fn tasks_share_a_pull_and_one_that_stops_does_not_take_it_from_the_others() {
    let rig = Rig::new();
    rig.engine.lock().pull_time = Duration::from_secs(30);
    let mut node = rig.start().await;
    node.payload(vec![task("a", 2)]).await;
    until("the pull has begun", || rig.engine.count("pull") == 1).await;
    node.payload(vec![task("b", 1)]).await;
    until("the pull is under way", || node.node.pull_progress(&arn("b")).is_some_and(|pulls| !pulls.is_empty())).await;
    node.payload(vec![stop_of("a")]).await;
    rig.reported("a", "STOPPED").await;
    rig.reported("b", "RUNNING").await;
    assert_eq!(rig.engine.count("pull"), 1);
}
