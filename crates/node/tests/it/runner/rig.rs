//! A node between a fake engine and a fake server.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use longshore_ecs_wire::agent::{
    Container, DesiredStatus, Frame, PayloadMessage, Task, TaskIdentifier, TaskManifestMessage,
    TaskStopVerificationAck, TaskStopVerificationMessage,
};
use longshore_ecs_wire::operations::SubmitTaskStateChangeRequest;
use longshore_node::deadline::{Deadlined, Deadlines};
use longshore_node::runner::{Clock, Node, NodeConfig};
use longshore_node::session::{SessionEnd, SessionStream, in_memory_pair};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::fake_api::FakeApi;
use super::fake_engine::{FakeContainer, FakeEngine};
use super::fake_handle::{Cut, Handle, Line};

pub const CLUSTER: &str = "arn:aws:ecs:us-east-1:000000000000:cluster/default";
pub const INSTANCE: &str = "arn:aws:ecs:us-east-1:000000000000:container-instance/default/i1";
pub const NODE: &str = "0123456789abcdef0123456789abcdef";
/// Virtual time within which everything has to happen that a test waits for.
pub const PATIENCE: Duration = Duration::from_secs(4 * 3600);

pub fn arn(id: &str) -> String {
    format!("arn:aws:ecs:us-east-1:000000000000:task/default/{id}")
}

/// A task of essential containers `c0`, `c1`, … with image `web:1`.
pub fn task(id: &str, containers: usize) -> Task {
    let container = |index: usize| Container {
        name: format!("c{index}"),
        image: "web:1".into(),
        essential: true,
        ..Container::default()
    };
    Task {
        arn: arn(id),
        task_cluster_arn: Some(CLUSTER.into()),
        family: Some("web".into()),
        version: Some("1".into()),
        containers: (0..containers).map(container).collect(),
        ..Task::default()
    }
}

pub fn stop_of(id: &str) -> Task {
    Task { arn: arn(id), desired_status: DesiredStatus::Stopped, ..Task::default() }
}

/// Engine and server; nodes come and go.
pub struct Rig {
    pub engine: FakeEngine,
    pub api: Arc<FakeApi>,
    pub cleanup_wait: Duration,
    pub node_id: String,
}

impl Rig {
    pub fn new() -> Self {
        Self {
            engine: FakeEngine::new(),
            api: Arc::default(),
            cleanup_wait: Duration::from_secs(3600),
            node_id: NODE.into(),
        }
    }

    pub fn config(&self) -> NodeConfig {
        let engine = self.engine.clone();
        NodeConfig {
            container_cleanup_wait: self.cleanup_wait,
            clock: Clock::from_fn(move || engine.now()),
            ..NodeConfig::new(self.node_id.clone(), Ipv4Addr::LOCALHOST.into())
        }
    }

    pub async fn start(&self) -> Running {
        self.start_with(self.config(), None).await.0
    }

    /// A node whose line to the engine is cut somewhere.
    pub async fn start_cut(&self, cut: Option<Cut>) -> (Running, Arc<Line>) {
        self.start_with(self.config(), cut).await
    }

    pub async fn start_with(&self, config: NodeConfig, cut: Option<Cut>) -> (Running, Arc<Line>) {
        let (handle, line) = Handle::new(&self.engine, cut);
        let engine = Deadlined::new(handle, Deadlines::default());
        let node = Arc::new(Node::start(config, Arc::new(engine), self.api.clone()).await);
        (Running::new(node), line)
    }

    /// Waits for a report of this task with this status.
    pub async fn reported(&self, id: &str, status: &str) -> SubmitTaskStateChangeRequest {
        let find = || self.api.of(&arn(id)).into_iter().rfind(|report| report.status.as_deref() == Some(status));
        let what = format!("{id} {status}");
        until(&what, || find().is_some()).await;
        find().expect("just seen")
    }

    /// The container of a task.
    pub fn container(&self, id: &str, name: &str) -> FakeContainer {
        self.engine.of_task(&arn(id)).remove(name).unwrap_or_else(|| panic!("{id} has no container {name}"))
    }

    pub fn exit(&self, id: &str, name: &str, code: i32) {
        self.engine.exit(&self.container(id, name).observed.runtime_id, code);
    }

    pub async fn gone(&self, id: &str) {
        until(&format!("{id} is removed"), || self.engine.of_task(&arn(id)).is_empty()).await;
    }
}

/// Waits until `condition` holds.
pub async fn until(what: &str, condition: impl Fn() -> bool) {
    let wait = async {
        // Soon at first, so that tests can step in between; then seldom.
        let mut pause = Duration::from_millis(1);
        while !condition() {
            sleep(pause).await; // poll: the condition
            pause = (pause * 5 / 4).min(Duration::from_millis(200)) + Duration::from_micros(100);
        }
    };
    timeout(Duration::from_secs(600), wait).await.unwrap_or_else(|_| panic!("still waiting for: {what}"));
}

/// A running node and the server's end of its session.
pub struct Running {
    pub node: Arc<Node>,
    pub server: SessionStream,
    pub session: JoinHandle<SessionEnd>,
    message: u64,
}

impl Drop for Running {
    /// As if the node had been killed.
    fn drop(&mut self) {
        self.session.abort();
    }
}

impl Running {
    pub fn new(node: Arc<Node>) -> Self {
        let (server, session) = open(&node);
        Self { node, server, session, message: 0 }
    }

    /// Another session, after the first one ended.
    pub fn reconnect(&mut self) {
        let (server, session) = open(&self.node);
        self.server = server;
        std::mem::replace(&mut self.session, session).abort();
    }

    /// Ends the node without a word and waits until nothing of it is left.
    pub async fn kill(self) {
        self.session.abort();
        while !self.session.is_finished() {
            tokio::task::yield_now().await;
        }
        drop(self);
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
    }

    fn next_id(&mut self) -> String {
        self.message += 1;
        format!("m{}", self.message)
    }

    pub async fn send(&self, frame: Frame) {
        self.server.outgoing.send(frame).await.expect("the session is open");
    }

    /// The node's next message.
    pub async fn receive(&mut self) -> Frame {
        timeout(PATIENCE, self.server.incoming.recv()).await.expect("in time").expect("the session is open")
    }

    /// The node's next message that is no acknowledgement, if one comes within a virtual minute.
    pub async fn verification(&mut self) -> Option<TaskStopVerificationMessage> {
        let wait = async {
            loop {
                match self.server.incoming.recv().await {
                    Some(Frame::TaskStopVerification(message)) => return Some(message),
                    Some(_) => {}
                    None => return None,
                }
            }
        };
        timeout(Duration::from_secs(60), wait).await.ok().flatten()
    }

    pub async fn payload(&mut self, tasks: Vec<Task>) -> String {
        self.payload_for(INSTANCE, tasks).await
    }

    pub async fn payload_for(&mut self, instance: &str, tasks: Vec<Task>) -> String {
        let message_id = self.next_id();
        let message = PayloadMessage {
            cluster_arn: CLUSTER.into(),
            container_instance_arn: instance.into(),
            message_id: message_id.clone(),
            tasks,
            ..PayloadMessage::default()
        };
        self.send(Frame::Payload(message)).await;
        message_id
    }

    pub async fn manifest(&mut self, timeline: i64, ids: &[&str]) -> String {
        let message_id = self.next_id();
        let tasks = ids.iter().map(|id| identifier(id, DesiredStatus::Running)).collect();
        let message = TaskManifestMessage {
            cluster_arn: CLUSTER.into(),
            container_instance_arn: INSTANCE.into(),
            message_id: message_id.clone(),
            generated_at: None,
            timeline,
            tasks,
        };
        self.send(Frame::TaskManifest(message)).await;
        message_id
    }

    pub async fn confirm(&self, message_id: &str, ids: &[&str]) {
        let stop_tasks = ids.iter().map(|id| identifier(id, DesiredStatus::Stopped)).collect();
        let ack = TaskStopVerificationAck { message_id: message_id.into(), generated_at: None, stop_tasks };
        self.send(Frame::TaskStopVerificationAck(ack)).await;
    }
}

fn identifier(id: &str, desired_status: DesiredStatus) -> TaskIdentifier {
    TaskIdentifier { task_arn: arn(id), task_cluster_arn: CLUSTER.into(), desired_status }
}

fn open(node: &Arc<Node>) -> (SessionStream, JoinHandle<SessionEnd>) {
    let (ours, server) = in_memory_pair(64);
    let node = Arc::clone(node);
    (server, tokio::spawn(async move { node.run_session(ours).await }))
}
