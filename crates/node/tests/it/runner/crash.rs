//! The node dies between any two calls to its engine; whatever it was doing, a later node ends it well.

use std::time::Duration;

use longshore_ecs_wire::agent::DesiredStatus;
use tokio::time::timeout;

use super::fake_handle::{Cut, Line};
use super::rig::{Rig, Running, arn, stop_of, task, until};

/// The server's side of one task's life, as it stands in its store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Wish {
    desired: DesiredStatus,
    /// What happens to container c0 while no node lives.
    meanwhile_exit: Option<i32>,
}

/// A rig, its current node, and the server's wish.
struct Story {
    rig: Rig,
    node: Option<(Running, std::sync::Arc<Line>)>,
    wish: Wish,
    timeline: i64,
    crashed: bool,
}

impl Story {
    async fn begin(cut: Cut, meanwhile_exit: Option<i32>) -> Self {
        let mut rig = Rig::new();
        rig.cleanup_wait = Duration::from_secs(30);
        let node = Some(rig.start_cut(Some(cut)).await);
        let wish = Wish { desired: DesiredStatus::Running, meanwhile_exit };
        let mut story = Self { rig, node, wish, timeline: 0, crashed: false };
        story.tell().await;
        story
    }

    fn stopped(&self) -> bool {
        self.rig.api.statuses(&arn("t")).contains(&"STOPPED".to_owned())
    }

    /// What the server sends on a fresh session, and whenever its wish changes.
    async fn tell(&mut self) {
        self.timeline += 1;
        let wants = self.wish.desired == DesiredStatus::Running && !self.stopped();
        let listed: &[&str] = if wants { &["t"] } else { &[] };
        let stopped = self.stopped();
        let (node, _) = self.node.as_mut().expect("lives");
        node.manifest(self.timeline, listed).await;
        match self.wish.desired {
            _ if stopped => {}
            DesiredStatus::Running => drop(node.payload(vec![task("t", 2)]).await),
            DesiredStatus::Stopped => drop(node.payload(vec![stop_of("t")]).await),
        }
    }

    /// Waits for `condition`; if the node dies meanwhile, starts another.
    async fn until(&mut self, what: &str, condition: impl Fn(&Rig) -> bool) {
        for _ in 0..3 {
            let (node, line) = self.node.as_mut().expect("lives");
            let (rig, line) = (&self.rig, std::sync::Arc::clone(line));
            let died = async {
                loop {
                    tokio::select! {
                        () = line.cut.notified() => return true,
                        asked = node.verification() => {
                            if let Some(asked) = asked {
                                node.confirm(&asked.message_id, &["t"]).await;
                            }
                        }
                        () = until(what, || condition(rig)) => return false,
                    }
                }
            };
            let died = timeout(Duration::from_secs(3600), died).await.unwrap_or_else(|_| panic!("{what}"));
            if !died {
                return;
            }
            self.restart().await;
        }
        panic!("a node dies only once");
    }

    async fn restart(&mut self) {
        self.crashed = true;
        let (node, _) = self.node.take().expect("lived");
        node.kill().await;
        if let Some(code) = self.wish.meanwhile_exit
            && let Some(container) = self.rig.engine.of_task(&arn("t")).remove("c0")
        {
            self.rig.engine.exit(&container.observed.runtime_id, code);
        }
        self.node = Some(self.rig.start_cut(None).await);
        self.tell().await;
    }
}

/// The whole life of a task, with a crash at one place. Whether the place was reached.
async fn life(cut: Cut, meanwhile_exit: Option<i32>) -> bool {
    let mut story = Story::begin(cut, meanwhile_exit).await;
    let seen = |rig: &Rig, status: &str| rig.api.statuses(&arn("t")).contains(&status.to_owned());
    story.until("RUNNING or STOPPED", |rig| seen(rig, "RUNNING") || seen(rig, "STOPPED")).await;
    let what = format!("{cut:?} {meanwhile_exit:?}");
    if !story.stopped() {
        let containers = story.rig.engine.of_task(&arn("t"));
        assert_eq!(containers.len(), 2, "{what}: exactly its containers");
        story.wish.desired = DesiredStatus::Stopped;
        story.tell().await;
    }
    story.until("STOPPED", |rig| seen(rig, "STOPPED")).await;
    let stopped = story
        .rig
        .api
        .of(&arn("t"))
        .into_iter()
        .find(|report| report.status.as_deref() == Some("STOPPED"))
        .expect("seen");
    for container in stopped.containers.expect("containers") {
        let name = container.container_name.expect("name");
        if let Some(real) = story.rig.engine.of_task(&arn("t")).get(&name) {
            assert_eq!(container.exit_code, real.observed.exit_code, "{what}: the real exit code of {name}");
        }
    }
    story.until("everything is removed", |rig| rig.engine.of_task(&arn("t")).is_empty()).await;
    let (created, started) = {
        let machine = story.rig.engine.lock();
        (machine.created.clone(), machine.started.clone())
    };
    for name in ["c0", "c1"] {
        let times = |list: &[String]| list.iter().filter(|one| *one == name).count();
        assert!(
            times(&created) <= 1 && times(&started) <= 1,
            "{what}: {name}: created {created:?}, started {started:?}"
        );
    }
    let statuses = story.rig.api.statuses(&arn("t"));
    let first_stopped = statuses.iter().position(|status| status == "STOPPED").expect("seen");
    assert!(statuses.iter().skip(first_stopped).all(|status| status == "STOPPED"), "{what}: {statuses:?}");
    story.crashed
}

/// Cuts at every call until the life ends before the cut is reached.
async fn everywhere(done: bool, meanwhile_exit: Option<i32>) {
    let mut at = 0;
    while life(Cut { at, done }, meanwhile_exit).await {
        at += 1;
    }
    assert!(at > 12, "a life has more calls than {at}");
}

#[tokio::test(start_paused = true)]
async fn a_crash_before_any_call() {
    everywhere(false, None).await;
}

#[tokio::test(start_paused = true)]
async fn a_crash_after_any_call() {
    everywhere(true, None).await;
}

#[tokio::test(start_paused = true)]
async fn a_crash_before_any_call_while_a_container_ends() {
    everywhere(false, Some(42)).await;
}

#[tokio::test(start_paused = true)]
async fn a_crash_after_any_call_while_a_container_ends() {
    everywhere(true, Some(42)).await;
}
