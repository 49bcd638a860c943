//! The node: it takes tasks over from sessions, runs them for a while, and reports.
//!
//! It outlives the server. Like any node it loses sessions, acknowledges late or not at all, and repeats itself.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use longshore_ecs_wire::agent::{
    AckRequest, DesiredStatus, Frame, HeartbeatAckRequest, PayloadMessage, Task, TaskIdentifier, TaskManifestMessage,
    TaskStopVerificationMessage,
};
use tokio::time::{Instant, sleep, sleep_until};

use super::node_reports::Reports;
use super::{Link, World};
use crate::random::Random;

/// Where a task is on the node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Its containers are being made.
    Starting,
    Running,
    /// It has ended and that was reported.
    Ended,
}

/// A task on the node.
#[derive(Debug)]
pub(super) struct Held {
    pub containers: Vec<String>,
    pub phase: Phase,
    /// When it moves on; none: when it is told to.
    pub due: Option<Instant>,
}

struct Node {
    world: Arc<World>,
    random: Random,
    tasks: BTreeMap<String, Held>,
    reports: Reports,
    /// The highest number that was heard.
    number: i64,
}

/// Runs the node for ever.
pub(super) async fn run(world: Arc<World>, mut random: Random) {
    let reports = Reports::new(Arc::clone(&world), random.fork());
    let mut node = Node { world, random, tasks: BTreeMap::new(), reports, number: -1 };
    loop {
        match node.world.take_link() {
            Some(link) => node.session(link).await,
            None => node.alone().await,
        }
    }
}

impl Node {
    /// Without a session tasks go on all the same.
    async fn alone(&mut self) {
        sleep(Duration::from_millis(7)).await;
        self.move_on().await;
    }

    async fn session(&mut self, mut link: Link) {
        self.world.event("node", "has a session");
        loop {
            let wake = self.tasks.values().filter_map(|task| task.due).min();
            let wake = wake.unwrap_or_else(|| Instant::now() + Duration::from_secs(5));
            tokio::select! {
                biased;
                frame = link.from_server.recv() => {
                    let Some(frame) = frame else { return };
                    if self.random.per_mille(8) {
                        self.world.event("node", "loses its session");
                        return;
                    }
                    self.receive(frame, &link).await;
                }
                () = sleep_until(wake) => self.move_on().await,
            }
        }
    }

    async fn receive(&mut self, frame: Frame, link: &Link) {
        let answer = match frame {
            Frame::Heartbeat(heartbeat) => {
                Some(Frame::HeartbeatAck(HeartbeatAckRequest { message_id: heartbeat.message_id }))
            }
            Frame::Payload(payload) => self.take_over(payload),
            Frame::TaskManifest(manifest) => self.reconcile(manifest),
            Frame::TaskStopVerificationAck(answer) => {
                for task in answer.stop_tasks {
                    self.stop(&task.task_arn);
                }
                None
            }
            _ => None,
        };
        if let Some(answer) = answer {
            // A session that has ended is noticed when it is read.
            let _gone = link.to_server.send(answer).await;
        }
    }

    /// Asks about whatever the server does not want here.
    fn reconcile(&mut self, manifest: TaskManifestMessage) -> Option<Frame> {
        if manifest.timeline <= self.number {
            return None;
        }
        self.number = manifest.timeline;
        let wanted = |arn: &String| manifest.tasks.iter().any(|task| task.task_arn == *arn);
        for task in &manifest.tasks {
            self.world.judge().told_of(&task.task_arn, self.world.now());
        }
        let unwanted = self.tasks.iter().filter(|(arn, task)| task.phase != Phase::Ended && !wanted(arn));
        let stop_candidates: Vec<TaskIdentifier> = unwanted
            .map(|(arn, _)| TaskIdentifier {
                task_arn: arn.clone(),
                desired_status: DesiredStatus::Stopped,
                ..TaskIdentifier::default()
            })
            .collect();
        self.world.event(
            "node",
            format_args!("{} tasks are wanted, {} others are here", manifest.tasks.len(), stop_candidates.len()),
        );
        let message = TaskStopVerificationMessage { message_id: manifest.message_id, stop_candidates };
        (!message.stop_candidates.is_empty()).then_some(Frame::TaskStopVerification(message))
    }

    fn take_over(&mut self, payload: PayloadMessage) -> Option<Frame> {
        self.number = self.number.max(payload.seq_num.unwrap_or(-1));
        for task in &payload.tasks {
            self.world.judge().told_of(&task.arn, self.world.now());
            match task.desired_status {
                DesiredStatus::Running => self.begin(task),
                DesiredStatus::Stopped => self.stop(&task.arn),
            }
        }
        if self.random.per_mille(50) {
            self.world.event("node", "does not acknowledge a payload");
            return None;
        }
        let PayloadMessage { cluster_arn, container_instance_arn, message_id, .. } = payload;
        Some(Frame::Ack(AckRequest { cluster: cluster_arn, container_instance: container_instance_arn, message_id }))
    }

    fn begin(&mut self, task: &Task) {
        let due = Instant::now() + Duration::from_millis(self.random.between(2, 150));
        self.tasks.entry(task.arn.clone()).or_insert_with(|| Held {
            containers: task.containers.iter().map(|container| container.name.clone()).collect(),
            phase: Phase::Starting,
            due: Some(due),
        });
    }

    /// A task to stop ends soon, one that never came here at once.
    fn stop(&mut self, arn: &str) {
        let soon = Instant::now() + Duration::from_millis(self.random.between(1, 60));
        let task =
            self.tasks.entry(arn.to_owned()).or_insert(Held { containers: vec![], phase: Phase::Running, due: None });
        if task.phase != Phase::Ended {
            task.phase = Phase::Running;
            task.due = Some(task.due.map_or(soon, |due| due.min(soon)));
        }
    }

    /// Reports what is due.
    async fn move_on(&mut self) {
        let now = Instant::now();
        let due = self.tasks.iter().find(|(_, task)| task.due.is_some_and(|due| due <= now));
        let Some(arn) = due.map(|(arn, _)| arn.clone()) else {
            self.reports.repeat().await;
            return;
        };
        let Some(task) = self.tasks.get_mut(&arn) else { return };
        match task.phase {
            Phase::Starting if !self.random.per_mille(60) => {
                task.phase = Phase::Running;
                // Most tasks run until they are stopped.
                let runs = Duration::from_millis(self.random.between(1, 3_000));
                task.due = self.random.per_mille(300).then(|| now + runs);
                self.reports.running(&arn, task).await;
            }
            Phase::Starting | Phase::Running => {
                task.phase = Phase::Ended;
                task.due = None;
                self.reports.ended(&arn, task).await;
            }
            Phase::Ended => task.due = None,
        }
    }
}
