//! The server's side of a node's session.
//!
//! One session serves one machine, whatever clusters and scopes its tasks belong to. It begins with a manifest of every
//! task wanted RUNNING there and a payload for every task that has not stopped; from then on each change of what is
//! wanted makes a payload. Payloads are made from the state at the moment they are sent, so a task that changes many
//! times while the node is slow is told once. What is not acknowledged is sent again until it is, or until a report of
//! the task shows that it got through. Whoever loses the thread (a watch that overflows, a node that goes away) begins
//! again: every step is safe to repeat. Source: sections 2 and 3 of the book's agent protocol.

mod assignments;
mod conversation;
mod heartbeats;
mod manifest;
mod options;
mod writes;

#[cfg(test)]
mod assignment_tests;
#[cfg(test)]
mod random_history_tests;
#[cfg(test)]
mod reconciliation_tests;
#[cfg(test)]
mod refusal_tests;
#[cfg(test)]
mod restore_tests;

use std::pin::Pin;
use std::sync::Arc;

use longshore_domain::{EcsId, Timestamp};
use longshore_ecs_wire::agent::Frame;
use longshore_store::watch::{Interest, Watch};
use longshore_store::{Kind, State, Store};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use conversation::Conversation;
pub use options::{SessionEnd, SessionIdentity, SessionOptions};
use writes::Written;

/// Where the time comes from.
pub type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Is told of each session's beginning (`true`) and end (`false`); the end also when the session is dropped.
pub type OnConnected = Arc<dyn Fn(EcsId, bool) + Send + Sync>;

/// A session to be run.
#[derive(Clone)]
pub struct Session {
    /// Where the tasks are.
    pub store: Store,
    /// The machine.
    pub node: EcsId,
    /// How messages name it.
    pub identity: SessionIdentity,
    /// Deadlines and sizes.
    pub options: SessionOptions,
    /// The clock.
    pub now: Now,
    /// Told of beginning and end.
    pub on_connected: OnConnected,
}

impl Session {
    /// Serves the node until one side ends it. Dropping the future ends it at once; nothing is lost by that.
    pub async fn run(self, outgoing: mpsc::Sender<Frame>, incoming: mpsc::Receiver<Frame>) -> SessionEnd {
        let _connected = Connected::begin(&self);
        let (view, watch) = snapshot_and_watch(&self.store, self.node);
        let mut conversation = Conversation::new(&self, Instant::now());
        conversation.start_over(&view, (self.now)());
        let end = Loop { session: &self, conversation, watch, incoming, writing: None }.run(&outgoing).await;
        tracing::info!(node = %self.node, ?end, "a node's session has ended");
        end
    }
}

/// Says that the session is there for as long as it is.
struct Connected {
    node: EcsId,
    tell: OnConnected,
}

impl Connected {
    fn begin(session: &Session) -> Self {
        (session.on_connected)(session.node, true);
        Self { node: session.node, tell: Arc::clone(&session.on_connected) }
    }
}

impl Drop for Connected {
    fn drop(&mut self) {
        (self.tell)(self.node, false);
    }
}

/// A state, and every change after it that concerns the node.
fn snapshot_and_watch(store: &Store, node: EcsId) -> (Arc<State>, Watch) {
    loop {
        let view = store.view();
        // The hub keeps tens of thousands of changes; only as many between the two lines make this go round again.
        if let Ok(watch) = store.watch_from(view.version(), Interest::Node(node)) {
            return (view, watch);
        }
    }
}

/// A write under way.
type Writing = Pin<Box<dyn Future<Output = Written> + Send>>;

struct Loop<'a> {
    session: &'a Session,
    conversation: Conversation,
    watch: Watch,
    incoming: mpsc::Receiver<Frame>,
    writing: Option<Writing>,
}

impl Loop<'_> {
    /// What has come in is always taken before time is judged, and time before anything is sent, so that a stall of
    /// this process is not held against the node, and a payload shows the latest of several changes.
    async fn run(mut self, outgoing: &mpsc::Sender<Frame>) -> SessionEnd {
        loop {
            self.begin_write();
            let wake = self.conversation.next_wake();
            tokio::select! {
                biased;
                frame = self.incoming.recv(), if self.conversation.may_receive() => match frame {
                    Some(frame) => {
                        let view = self.view();
                        self.conversation.receive(frame, &view, (self.session.now)());
                    }
                    None => return SessionEnd::ClosedByNode,
                },
                change = self.watch.next() => match change {
                    Ok(change) => {
                        if let (Kind::Task, Some(key)) = (change.kind, change.task) {
                            let view = self.view();
                            self.conversation.look(&view, key);
                        }
                    }
                    Err(_too_old) => {
                        self.start_over();
                    }
                },
                written = written(&mut self.writing) => {
                    self.writing = None;
                    self.conversation.writes.done(written, Instant::now());
                }
                () = sleep_until(wake) => {
                    if let Err(end) = self.conversation.time_passes(Instant::now()) {
                        return end;
                    }
                }
                permit = outgoing.reserve(), if self.conversation.has_output() => {
                    let Ok(permit) = permit else { return SessionEnd::ClosedByNode };
                    let view = self.view();
                    if let Some(frame) = self.conversation.next_frame(&view, (self.session.now)(), Instant::now()) {
                        permit.send(frame);
                    }
                }
                () = outgoing.closed() => return SessionEnd::ClosedByNode,
            }
        }
    }

    /// The latest state. One that was restored from a backup is never mixed with what was said before: the session has
    /// started over with it then.
    fn view(&mut self) -> Arc<State> {
        let view = self.session.store.view();
        if self.conversation.is_restored(&view) { self.start_over() } else { view }
    }

    fn start_over(&mut self) -> Arc<State> {
        tracing::warn!(node = %self.session.node, "the session starts over from the whole state");
        let (view, watch) = snapshot_and_watch(&self.session.store, self.session.node);
        self.watch = watch;
        self.conversation.start_over(&view, (self.session.now)());
        view
    }

    /// One write at a time: while it is on its way to the disk, the next one collects.
    fn begin_write(&mut self) {
        if self.writing.is_none()
            && let Some(write) = self.conversation.writes.next((self.session.now)(), Instant::now())
        {
            let store = self.session.store.clone();
            self.writing = Some(Box::pin(writes::apply(store, write)));
        }
    }
}

async fn written(writing: &mut Option<Writing>) -> Written {
    match writing {
        Some(writing) => writing.await,
        None => std::future::pending().await,
    }
}
