//! The node's side of a session with the server.
//!
//! Messages are handled one after the other, as Amazon's agent does: every heartbeat and every payload that can be read
//! is acknowledged; a manifest that is newer than what the node has heard is obeyed, but nothing is stopped before the
//! server has confirmed it. Nothing of a session has to survive it: the server sends everything again on the next.

mod manifest;
mod payload;

use std::sync::Arc;
use std::time::Duration;

use longshore_ecs_wire::agent::{
    Frame, HeartbeatAckRequest, HeartbeatMessage, IamRoleCredentials, IamRoleCredentialsAckRequest,
    IamRoleCredentialsMessage, RESTORE_STEP,
};
use tokio::sync::mpsc;

use crate::runner::Shared;
use crate::runner::lock::lock;

/// How long the server may leave the node's messages lying.
const SEND_DEADLINE: Duration = Duration::from_secs(60);

/// One end of a session.
#[derive(Debug)]
pub struct SessionStream {
    /// Messages to the other end. Closed: the session is over.
    pub outgoing: mpsc::Sender<Frame>,
    /// Messages from the other end. Closed: the session is over.
    pub incoming: mpsc::Receiver<Frame>,
}

/// Two ends in one process, each way holding up to `capacity` messages (at least one). First the node's, then the
/// server's.
pub fn in_memory_pair(capacity: usize) -> (SessionStream, SessionStream) {
    let (to_server, from_node) = mpsc::channel(capacity.max(1));
    let (to_node, from_server) = mpsc::channel(capacity.max(1));
    let node = SessionStream { outgoing: to_server, incoming: from_server };
    let server = SessionStream { outgoing: to_node, incoming: from_node };
    (node, server)
}

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionEnd {
    /// The server closed it.
    ClosedByServer,
    /// The server did not take the node's messages for a minute.
    ServerStalled,
    /// The node shuts down.
    ShutDown,
}

/// Serves a session to its end.
pub(crate) async fn run(shared: &Arc<Shared>, stream: SessionStream) -> SessionEnd {
    let SessionStream { outgoing, mut incoming } = stream;
    let mut session = Session { shared: Arc::clone(shared), outgoing, manifest: None };
    let mut closing = shared.closing.subscribe();
    let serve = async {
        while let Some(frame) = incoming.recv().await {
            if let Err(end) = session.handle(frame).await {
                return end;
            }
        }
        SessionEnd::ClosedByServer
    };
    let end = tokio::select! {
        biased;
        _ = closing.wait_for(|closing| *closing) => SessionEnd::ShutDown,
        end = serve => end,
    };
    if let Some(manifest) = session.manifest {
        shared.orphans.withdraw(&manifest);
    }
    end
}

/// An open session.
struct Session {
    shared: Arc<Shared>,
    outgoing: mpsc::Sender<Frame>,
    /// `messageId` of the last manifest obeyed.
    manifest: Option<String>,
}

impl Session {
    async fn handle(&mut self, frame: Frame) -> Result<(), SessionEnd> {
        match frame {
            Frame::Heartbeat(HeartbeatMessage { message_id, .. }) => {
                self.send(Frame::HeartbeatAck(HeartbeatAckRequest { message_id })).await
            }
            Frame::Payload(message) => self.payload(message).await,
            Frame::TaskManifest(message) => self.task_manifest(message).await,
            Frame::TaskStopVerificationAck(message) => {
                self.stop_verified(&message);
                Ok(())
            }
            Frame::IamRoleCredentials(message) => self.role_credentials(message).await,
            other => {
                tracing::debug!(kind = other.type_name(), "a message from the server that calls for nothing");
                Ok(())
            }
        }
    }

    async fn send(&self, frame: Frame) -> Result<(), SessionEnd> {
        use mpsc::error::SendTimeoutError::{Closed, Timeout};
        match self.outgoing.send_timeout(frame, SEND_DEADLINE).await {
            Ok(()) => Ok(()),
            Err(Closed(_)) => Err(SessionEnd::ClosedByServer),
            Err(Timeout(_)) => Err(SessionEnd::ServerStalled),
        }
    }

    /// Tasks with roles are refused, so there is nothing to keep; an unknown task gets no answer.
    async fn role_credentials(&self, message: IamRoleCredentialsMessage) -> Result<(), SessionEnd> {
        let known = lock(&self.shared.tasks).known.contains_key(&message.task_arn);
        match message.role_credentials {
            Some(credentials) if known => self.acknowledge_credentials(&message.message_id, &credentials).await,
            _ => Ok(()),
        }
    }

    async fn acknowledge_credentials(
        &self,
        message_id: &str,
        credentials: &IamRoleCredentials,
    ) -> Result<(), SessionEnd> {
        let ack = IamRoleCredentialsAckRequest {
            message_id: message_id.to_owned(),
            credentials_id: credentials.credentials_id.clone(),
            expiration: credentials.expiration.clone(),
        };
        self.send(Frame::IamRoleCredentialsAck(ack)).await
    }

    /// Raises the number of a container instance, if `to` is higher; whether it was. By its step it shows that the
    /// server's state was restored.
    fn raise_sequence(&self, container_instance: &str, to: i64) -> bool {
        let before = {
            let mut numbers = lock(&self.shared.sequence);
            let number = numbers.entry(container_instance.to_owned()).or_insert(-1);
            let before = *number;
            *number = to.max(before);
            before
        };
        if before >= 0 && u64::try_from(to.saturating_sub(before)).is_ok_and(|step| step >= RESTORE_STEP) {
            tracing::warn!(container_instance, "the server's state was restored: all tasks are reported again");
            self.shared.server_was_restored(container_instance);
        }
        to > before
    }
}
