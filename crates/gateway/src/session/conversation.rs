//! What is said in a session: frames and times in, frames out. It does no input or output itself.

use std::collections::VecDeque;

use longshore_domain::id::IdSource;
use longshore_domain::task::{TaskKey, TaskStatus};
use longshore_domain::{EcsId, Timestamp};
use longshore_ecs_wire::agent::{
    AckRequest, Frame, HeartbeatAckRequest, HeartbeatMessage, NackRequest, PayloadMessage, RESTORE_STEP,
    TaskManifestMessage, TaskStopVerificationAck, TaskStopVerificationMessage,
};
use longshore_store::State;
use tokio::time::Instant;

use super::assignments::Assignments;
use super::heartbeats::Heartbeats;
use super::writes::Writes;
use super::{Session, SessionEnd, SessionIdentity, SessionOptions, manifest};

/// With this many urgent frames waiting for the node to read, nothing more of it is read.
const URGENT: usize = 100;

pub(super) struct Conversation {
    node: EcsId,
    identity: SessionIdentity,
    options: SessionOptions,
    /// Version of the state that the last manifest was made from; none before the first.
    version: Option<u64>,
    /// Message ids are this and a number.
    session_id: String,
    last_number: u64,
    /// Frames that go before any payload.
    urgent: VecDeque<Frame>,
    /// Id of the last manifest.
    manifest: String,
    heartbeats: Heartbeats,
    assignments: Assignments,
    pub(super) writes: Writes,
}

impl Conversation {
    pub(super) fn new(session: &Session, now: Instant) -> Self {
        let began = u64::try_from((session.now)().millis()).unwrap_or_default();
        let mut seed = session.node;
        // Message ids of one node differ from session to session.
        seed.0.iter_mut().zip(began.to_be_bytes()).for_each(|(byte, time)| *byte ^= time);
        Self {
            node: session.node,
            identity: session.identity.clone(),
            options: session.options.clone(),
            version: None,
            session_id: IdSource::new(seed).next_id().to_string(),
            last_number: 0,
            urgent: VecDeque::new(),
            manifest: String::new(),
            heartbeats: Heartbeats::new(session.options.heartbeat_every, session.options.heartbeat_deadline, now),
            assignments: Assignments::new(session.node, &session.options),
            writes: Writes::new(),
        }
    }

    /// Whether this state was restored from a backup since the last manifest: nothing said before need be true of it.
    pub(super) fn is_restored(&self, state: &State) -> bool {
        self.version.is_some_and(|version| state.version().saturating_sub(version) >= RESTORE_STEP)
    }

    /// Begins from a whole state: the manifest first, then what the node has not been told; after a restore, everything.
    pub(super) fn start_over(&mut self, state: &State, now: Timestamp) {
        if self.is_restored(state) {
            self.assignments = Assignments::new(self.node, &self.options);
        }
        self.version = Some(state.version());
        let (_, message_id) = self.next_message();
        self.manifest.clone_from(&message_id);
        self.urgent.push_back(Frame::TaskManifest(TaskManifestMessage {
            cluster_arn: self.identity.cluster_arn.clone(),
            container_instance_arn: self.identity.container_instance_arn.clone(),
            message_id,
            generated_at: Some(now.millis()),
            timeline: sequence(state),
            tasks: manifest::wanted(state, self.node),
        }));
        self.assignments.look_at_all(state);
    }

    /// Takes in a change of one task.
    pub(super) fn look(&mut self, state: &State, key: TaskKey) {
        self.assignments.look(state, key);
    }

    /// Takes in a message of the node.
    pub(super) fn receive(&mut self, frame: Frame, state: &State, now: Timestamp) {
        match frame {
            Frame::HeartbeatAck(HeartbeatAckRequest { message_id }) => {
                if let Some(number) = self.number(&message_id) {
                    self.heartbeats.answered(number);
                }
            }
            Frame::Ack(AckRequest { message_id, .. }) => {
                if let Some(number) = self.number(&message_id) {
                    let taken = self.assignments.acknowledged(number).into_iter();
                    let provisioning = |key: &TaskKey| {
                        state.task_life(*key).is_some_and(|life| life.last_status == TaskStatus::Provisioning)
                    };
                    self.writes.taken(taken.filter(provisioning));
                }
            }
            Frame::TaskStopVerification(message) => self.verify(message, state, now),
            Frame::Nack(NackRequest { message_id, reason, .. }) => {
                tracing::warn!(node = %self.node, message_id, reason, "a node refused a message");
            }
            Frame::IamRoleCredentialsAck(_) => {}
            other => {
                tracing::warn!(node = %self.node, kind = other.type_name(), "a node sent a message that calls for nothing")
            }
        }
    }

    /// Sends what time has made due.
    pub(super) fn time_passes(&mut self, now: Instant) -> Result<(), SessionEnd> {
        if self.heartbeats.missed(now) {
            return Err(SessionEnd::HeartbeatsMissed);
        }
        if self.heartbeats.due(now, self.last_number + 1) {
            let (_, message_id) = self.next_message();
            self.urgent.push_back(Frame::Heartbeat(HeartbeatMessage { message_id, healthy: true }));
        }
        self.assignments.time_passes(now);
        Ok(())
    }

    pub(super) fn next_wake(&self) -> Instant {
        let wakes = [self.assignments.next_wake(), self.writes.next_wake()];
        wakes.into_iter().flatten().fold(self.heartbeats.next_wake(), Instant::min)
    }

    /// Whether a message of the node may be taken in.
    pub(super) fn may_receive(&self) -> bool {
        self.urgent.len() < URGENT
    }

    pub(super) fn has_output(&self) -> bool {
        !self.urgent.is_empty() || self.assignments.has_output()
    }

    /// The next frame, made from `state`; none if what was to be said is no longer true.
    pub(super) fn next_frame(&mut self, state: &State, now: Timestamp, at: Instant) -> Option<Frame> {
        if let Some(frame) = self.urgent.pop_front() {
            return Some(frame);
        }
        let mut batch = self.assignments.next_batch(state);
        self.writes.refused(std::mem::take(&mut batch.refused));
        if batch.tasks.is_empty() {
            return None;
        }
        let (number, message_id) = self.next_message();
        self.assignments.sent(state, number, &batch, at);
        Some(Frame::Payload(PayloadMessage {
            cluster_arn: self.identity.cluster_arn.clone(),
            container_instance_arn: self.identity.container_instance_arn.clone(),
            message_id,
            seq_num: Some(sequence(state)),
            generated_at: Some(now.millis()),
            tasks: batch.tasks,
        }))
    }

    /// The second look before anything is stopped.
    fn verify(&mut self, message: TaskStopVerificationMessage, state: &State, now: Timestamp) {
        let TaskStopVerificationMessage { message_id, stop_candidates } = message;
        if message_id != self.manifest {
            tracing::debug!(node = %self.node, message_id, "a verification of another manifest is ignored");
            return;
        }
        let stop_tasks = manifest::confirmed(state, self.node, stop_candidates);
        let ack = TaskStopVerificationAck { message_id, generated_at: Some(now.millis()), stop_tasks };
        self.urgent.push_back(Frame::TaskStopVerificationAck(ack));
    }

    fn next_message(&mut self) -> (u64, String) {
        self.last_number += 1;
        (self.last_number, format!("{}-{}", self.session_id, self.last_number))
    }

    /// The number in a message id of this session.
    fn number(&self, message_id: &str) -> Option<u64> {
        message_id.strip_prefix(&self.session_id)?.strip_prefix('-')?.parse().ok()
    }
}

/// The node's sequence number is the store's version.
fn sequence(state: &State) -> i64 {
    i64::try_from(state.version()).unwrap_or(i64::MAX)
}
