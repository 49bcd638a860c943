//! Records, and a scripted node on the other end of a session, for the tests of this crate.
//!
//! Time stands still unless a test advances it: a blocking task keeps the paused clock from running ahead while the
//! store's writer, which is a thread of its own, works. The same task ends a test that hangs.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, mpsc as blocking};
use std::time::Duration;

use longshore_domain::cluster::ClusterRecord;
use longshore_domain::container_instance::ContainerInstanceRecord;
use longshore_domain::node::NodeRecord;
use longshore_domain::task::{ContainerRecord, DesiredStatus, LaunchType, TaskKey, TaskRecord, TaskStatus};
use longshore_domain::task_definition::{TaskDefinitionRecord, TaskDefinitionStatus};
use longshore_domain::{EcsId, Resources, Scope, Timestamp, arn};
use longshore_ecs_wire::agent::{
    AckRequest, Frame, HeartbeatAckRequest, PayloadMessage, TaskIdentifier, TaskManifestMessage,
    TaskStopVerificationAck, TaskStopVerificationMessage,
};
use longshore_ecs_wire::shapes::Attribute;
use longshore_store::{Backend, Options, Record, State, Store, Tx, Write};
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::{Now, Session, SessionEnd, SessionIdentity, SessionOptions};

/// The clock's first moment.
pub(crate) const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);
/// The machine under test.
pub(crate) const NODE: EcsId = EcsId([7; 16]);
/// Real time a test may take.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn scope() -> Scope {
    Scope::new("000000000000", "us-east-1")
}

pub(crate) fn cluster(incarnation: u64, name: &str) -> ClusterRecord {
    ClusterRecord::new(scope(), name, incarnation, START)
}

pub(crate) fn definition(contents: Value) -> TaskDefinitionRecord {
    TaskDefinitionRecord {
        scope: scope(),
        family: "web".into(),
        revision: 3,
        status: TaskDefinitionStatus::Active,
        registered_at: START,
        registered_by: "arn:aws:iam::000000000000:root".into(),
        deregistered_at: None,
        delete_requested_at: None,
        definition: serde_json::from_value(contents).expect("a task definition"),
        tags: vec![],
    }
}

/// A definition with one plain container, `app`.
pub(crate) fn plain_definition() -> TaskDefinitionRecord {
    definition(json!({"containerDefinitions": [{"name": "app", "image": "busybox", "cpu": 0, "memory": 64}]}))
}

pub(crate) fn key(cluster: u64, number: u64) -> TaskKey {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&number.to_be_bytes());
    TaskKey { cluster, id: EcsId(id) }
}

/// A task of `web:3` that the node has just been given.
pub(crate) fn task(cluster: u64, number: u64) -> TaskRecord {
    TaskRecord {
        cluster,
        id: key(cluster, number).id,
        sequence: number,
        family: "web".into(),
        revision: 3,
        group: "family:web".into(),
        started_by: None,
        launch_type: LaunchType::Ec2,
        capacity_provider: None,
        node: Some(NODE),
        container_instance: Some(EcsId([9; 16])),
        resources: Resources::default(),
        desired_status: DesiredStatus::Running,
        last_status: TaskStatus::Pending,
        version: 1,
        created_at: START,
        connectivity_at: None,
        pull_started_at: None,
        pull_stopped_at: None,
        started_at: None,
        stopping_at: None,
        execution_stopped_at: None,
        stopped_at: None,
        stop_code: None,
        stopped_reason: None,
        containers: vec![ContainerRecord::default()],
        overrides: None,
        network_configuration: None,
        platform_version: None,
        enable_execute_command: false,
        tags: vec![],
    }
}

/// The task with another desired and last status.
pub(crate) fn with(task: TaskRecord, desired_status: DesiredStatus, last_status: TaskStatus) -> TaskRecord {
    let stopped_at = (last_status == TaskStatus::Stopped).then_some(START);
    TaskRecord { desired_status, last_status, stopped_at, version: task.version + 1, ..task }
}

/// ARN of a task in cluster `c`.
pub(crate) fn task_arn(number: u64) -> String {
    arn::task(&scope(), "c", key(1, number).id)
}

pub(crate) fn node() -> NodeRecord {
    NodeRecord {
        id: NODE,
        builtin: true,
        active: true,
        capacity: Resources { cpu: 1 << 20, memory: 1 << 20, ..Resources::default() },
        attributes: vec![Attribute {
            name: Some("ecs.cpu-architecture".into()),
            value: Some("x86_64".into()),
            ..Attribute::default()
        }],
        engine_version: String::new(),
        registered_at: START,
    }
}

pub(crate) fn memory_store() -> Store {
    Store::open(Options::new(Backend::Memory)).expect("a store in memory")
}

fn write(input: Vec<Record>) -> Write<Vec<Record>> {
    Write { scope: scope(), principal: "test".into(), at: START, seed: EcsId([0; 16]), input }
}

fn put_all(tx: &mut Tx<'_>, write: &Write<Vec<Record>>) -> Result<(), Infallible> {
    write.input.iter().for_each(|record| tx.put(record.clone()));
    Ok(())
}

/// Writes records in one transaction.
pub(crate) async fn put<R: Into<Record>>(store: &Store, records: impl IntoIterator<Item = R>) {
    let records = records.into_iter().map(Into::into).collect();
    store.update(write(records), put_all).await.expect("a write");
}

/// Puts in what every session needs: the machine, cluster `c` (incarnation 1) and the plain definition.
pub(crate) async fn furnish(store: &Store) {
    let records: Vec<Record> = vec![node().into(), cluster(1, "c").into(), plain_definition().into()];
    put(store, records).await;
}

/// A session with a node that does as the test says.
pub(crate) struct Rig {
    pub(crate) store: Store,
    pub(crate) session: JoinHandle<SessionEnd>,
    /// What the session said of being connected.
    pub(crate) connected: Arc<Mutex<Vec<bool>>>,
    /// The last manifest's message id.
    pub(crate) manifest: String,
    to_session: Option<mpsc::Sender<Frame>>,
    from_session: mpsc::Receiver<Frame>,
    expired: watch::Receiver<bool>,
    _time_stands_still: blocking::Sender<()>,
}

/// Options without heartbeats within the year.
pub(crate) fn options() -> SessionOptions {
    SessionOptions { heartbeat_every: Duration::from_secs(365 * 24 * 3600), ..SessionOptions::default() }
}

impl Rig {
    /// A session on a store of its own that holds these tasks.
    pub(crate) async fn start(tasks: impl IntoIterator<Item = TaskRecord>) -> Self {
        let store = memory_store();
        let guard = Guard::new();
        furnish(&store).await;
        put(&store, tasks).await;
        Self::on(store, options(), 64, guard)
    }

    pub(crate) fn on(store: Store, options: SessionOptions, capacity: usize, guard: Guard) -> Self {
        let (to_session, incoming) = mpsc::channel(capacity);
        let (outgoing, from_session) = mpsc::channel(capacity);
        let connected = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&connected);
        let session = Session {
            store: store.clone(),
            node: NODE,
            identity: SessionIdentity {
                cluster_arn: cluster(1, "c").arn(),
                container_instance_arn: arn::container_instance(&scope(), "c", EcsId([9; 16])),
            },
            options,
            now: now(),
            on_connected: Arc::new(move |node, connected| {
                assert_eq!(node, NODE);
                told.lock().expect("not poisoned").push(connected);
            }),
        };
        let session = tokio::spawn(session.run(outgoing, incoming));
        let Guard { expired, stop } = guard;
        Self {
            store,
            session,
            connected,
            manifest: String::new(),
            to_session: Some(to_session),
            from_session,
            expired,
            _time_stands_still: stop,
        }
    }

    /// The next frame of the session; `None` when it has ended.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        tokio::select! {
            frame = self.from_session.recv() => frame,
            _ = self.expired.wait_for(|expired| *expired) => panic!("the session said nothing"),
        }
    }

    pub(crate) async fn manifest(&mut self) -> TaskManifestMessage {
        match self.next().await {
            Some(Frame::TaskManifest(manifest)) => {
                self.manifest.clone_from(&manifest.message_id);
                manifest
            }
            other => panic!("not a manifest: {other:?}"),
        }
    }

    pub(crate) async fn payload(&mut self) -> PayloadMessage {
        match self.next().await {
            Some(Frame::Payload(payload)) => payload,
            other => panic!("not a payload: {other:?}"),
        }
    }

    /// Message id, and (ARN, desired status) of each task of the next payload.
    pub(crate) async fn assignment(&mut self) -> (String, Vec<(String, &'static str)>) {
        let payload = self.payload().await;
        let of = |task: &longshore_ecs_wire::agent::Task| (task.arn.clone(), desired(task.desired_status));
        (payload.message_id, payload.tasks.iter().map(of).collect())
    }

    pub(crate) async fn heartbeat(&mut self) -> String {
        match self.next().await {
            Some(Frame::Heartbeat(heartbeat)) => heartbeat.message_id,
            other => panic!("not a heartbeat: {other:?}"),
        }
    }

    pub(crate) async fn send(&self, frame: Frame) {
        let to_session = self.to_session.as_ref().expect("not closed");
        to_session.send(frame).await.expect("the session listens");
    }

    pub(crate) async fn ack(&self, message_id: &str) {
        self.send(Frame::Ack(AckRequest { message_id: message_id.into(), ..AckRequest::default() })).await;
    }

    pub(crate) async fn answer_heartbeat(&self, message_id: &str) {
        self.send(Frame::HeartbeatAck(HeartbeatAckRequest { message_id: message_id.into() })).await;
    }

    /// Asks whether these tasks are to be stopped; which are.
    pub(crate) async fn verify(&mut self, arns: &[String]) -> Vec<String> {
        let candidate = |arn: &String| TaskIdentifier { task_arn: arn.clone(), ..TaskIdentifier::default() };
        let stop_candidates = arns.iter().map(candidate).collect();
        let message_id = self.manifest.clone();
        self.send(Frame::TaskStopVerification(TaskStopVerificationMessage { message_id, stop_candidates })).await;
        match self.next().await {
            Some(Frame::TaskStopVerificationAck(TaskStopVerificationAck { message_id, stop_tasks, .. })) => {
                assert_eq!(message_id, self.manifest);
                stop_tasks.into_iter().map(|task| task.task_arn).collect()
            }
            other => panic!("not a verification: {other:?}"),
        }
    }

    /// Makes sure that the session has taken in everything so far and has nothing to say. The answer to one question
    /// may overtake a payload, the answer to a second one cannot.
    pub(crate) async fn is_quiet(&mut self) {
        assert_eq!(self.verify(&[]).await, [""; 0]);
        assert_eq!(self.verify(&[]).await, [""; 0]);
    }

    /// Lets the session do whatever it can do while nobody listens and no time passes.
    pub(crate) async fn settle(&self) {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }

    pub(crate) async fn put(&self, tasks: impl IntoIterator<Item = TaskRecord>) {
        put(&self.store, tasks).await;
    }

    pub(crate) fn task(&self, number: u64) -> TaskRecord {
        self.store.view().task(key(1, number)).expect("a task")
    }

    /// Waits until the published state is as it should be.
    pub(crate) async fn until(&self, what: &str, holds: impl Fn(&State) -> bool) {
        while !holds(&self.store.view()) {
            assert!(!*self.expired.borrow(), "never came true: {what}");
            tokio::task::yield_now().await;
        }
    }

    pub(crate) fn close(&mut self) {
        self.to_session = None;
    }
}

pub(crate) fn desired(status: longshore_ecs_wire::agent::DesiredStatus) -> &'static str {
    match status {
        longshore_ecs_wire::agent::DesiredStatus::Running => "RUNNING",
        longshore_ecs_wire::agent::DesiredStatus::Stopped => "STOPPED",
    }
}

/// Keeps the paused clock still, and the test from hanging.
pub(crate) struct Guard {
    expired: watch::Receiver<bool>,
    stop: blocking::Sender<()>,
}

impl Guard {
    pub(crate) fn new() -> Self {
        let (stop, stopped) = blocking::channel();
        let (expire, expired) = watch::channel(false);
        tokio::task::spawn_blocking(move || {
            if stopped.recv_timeout(PATIENCE) == Err(blocking::RecvTimeoutError::Timeout) {
                expire.send_replace(true);
            }
        });
        Self { expired, stop }
    }
}

/// A clock that follows tokio's.
pub(crate) fn now() -> Now {
    let began = tokio::time::Instant::now();
    Arc::new(move || {
        let passed = i64::try_from(began.elapsed().as_millis()).expect("not that long");
        START.plus_millis(passed)
    })
}

/// A membership of the machine in cluster `c`.
pub(crate) fn instance() -> ContainerInstanceRecord {
    ContainerInstanceRecord {
        id: EcsId([9; 16]),
        cluster: 1,
        node: NODE,
        status: longshore_domain::container_instance::ContainerInstanceStatus::Active,
        registered_at: START,
        version: 1,
        builtin: true,
        attributes: vec![],
        tags: vec![],
        registered_by: "test".into(),
    }
}
