//! The one writer: runs updates in order, commits them in batches, publishes, then answers.
//!
//! While a batch is being made durable, the next one collects in the queue. An answer of any kind (success, refusal, no
//! change) leaves only after its batch and all before it are durable. A refused or panicked update is undone alone; a
//! failed commit undoes its whole batch, and the writer goes on from what the backend really holds.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::Receiver;

use arc_swap::ArcSwap;

use crate::backend::{Batch, Durable};
use crate::record::Row;
use crate::watch::{Change, Watchers};
use crate::{State, StoreError, Tx};

/// A batch holds at most this many updates.
const MAX_UPDATES: usize = 1_024;
/// A batch is closed when its bodies reach this many bytes.
const MAX_BATCH_BYTES: usize = 8 << 20;

/// Answers one update once its batch is durable, or has failed.
pub(crate) type Answer = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// Decides one update: whether its changes are kept, and how it is answered.
pub(crate) type Job = Box<dyn FnOnce(&mut Tx<'_>) -> Decided + Send>;

/// What a decision came to.
pub(crate) struct Decided {
    /// Whether its changes are kept.
    pub keep: bool,
    /// Sends the answer.
    pub answer: Answer,
}

/// An update that waits for the writer.
pub(crate) struct Waiting {
    pub job: Job,
    /// Answers if the job itself panics.
    pub failed: Box<dyn FnOnce(StoreError) + Send>,
}

/// What comes to the writer.
pub(crate) enum Message {
    /// An update.
    Update(Waiting),
    /// Finish, let go of the backend, and say so.
    Close(tokio::sync::oneshot::Sender<()>),
}

pub(crate) struct Writer {
    pub queue: Receiver<Message>,
    pub backend: Box<dyn Durable>,
    pub published: Arc<ArcSwap<State>>,
    pub watchers: Watchers,
}

#[derive(Default)]
struct Collected {
    rows: Vec<Row>,
    changes: Vec<Change>,
    answers: Vec<Answer>,
    bytes: usize,
}

impl Writer {
    /// Works until every [`crate::Store`] is gone, or one of them closes it; then whoever wants to know.
    pub(crate) fn run(mut self) -> Option<tokio::sync::oneshot::Sender<()>> {
        loop {
            let mut close = None;
            let first = match self.queue.recv() {
                Ok(Message::Update(first)) => first,
                Ok(Message::Close(closed)) => return Some(closed),
                Err(_) => return None,
            };
            let mut state = State::clone(&self.published.load());
            let mut batch = Collected::default();
            run_one(&mut state, first, &mut batch);
            while close.is_none() && batch.answers.len() < MAX_UPDATES && batch.bytes < MAX_BATCH_BYTES {
                match self.queue.try_recv() {
                    Ok(Message::Update(next)) => run_one(&mut state, next, &mut batch),
                    Ok(Message::Close(closed)) => close = Some(closed),
                    Err(_) => break,
                }
            }
            self.finish(state, batch);
            if close.is_some() {
                return close;
            }
        }
    }

    fn finish(&mut self, state: State, batch: Collected) {
        let outcome = if batch.rows.is_empty() { Ok(()) } else { self.commit(&state, batch.rows) };
        if let Err(error) = &outcome {
            tracing::error!(%error, updates = batch.answers.len(), "a batch was not written");
        } else if !batch.changes.is_empty() {
            self.published.store(Arc::new(state));
            self.watchers.publish(batch.changes);
        }
        for answer in batch.answers {
            answer(outcome.clone());
        }
    }

    /// Makes the batch durable. After a failure the backend is asked what it holds, since a commit can fail and yet be there.
    fn commit(&mut self, state: &State, rows: Vec<Row>) -> Result<(), StoreError> {
        let batch = Batch { version: state.version(), rows: coalesce(rows) };
        let Err(error) = self.backend.commit(&batch) else { return Ok(()) };
        match self.backend.version() {
            Ok(version) if version == batch.version => {
                tracing::warn!(%error, "a commit was reported as failed, but it is durable");
                Ok(())
            }
            Ok(_) | Err(_) => Err(error),
        }
    }
}

/// Keeps the last row of each key.
fn coalesce(rows: Vec<Row>) -> Vec<Row> {
    let mut latest = std::collections::BTreeMap::new();
    for row in rows {
        latest.insert((row.kind, row.key.clone()), row);
    }
    latest.into_values().collect()
}

fn run_one(state: &mut State, waiting: Waiting, batch: &mut Collected) {
    let before = state.clone();
    let mut tx = Tx::new(state);
    let decided = catch_unwind(AssertUnwindSafe(|| (waiting.job)(&mut tx)));
    let finished = tx.finish();
    match (decided, finished) {
        (Ok(Decided { keep: true, answer }), Ok((rows, changes))) if !rows.is_empty() => {
            batch.bytes += rows.iter().filter_map(|row| row.body.as_ref()).map(String::len).sum::<usize>();
            batch.rows.extend(rows);
            batch.changes.extend(changes);
            batch.answers.push(answer);
        }
        (Ok(Decided { keep: true, answer }), Err(fault)) => {
            *state = before;
            tracing::error!(%fault, "an update was refused by the store");
            batch.answers.push(Box::new(move |_| answer(Err(fault))));
        }
        (Ok(Decided { answer, .. }), _) => {
            *state = before;
            batch.answers.push(answer);
        }
        (Err(panic), _) => {
            *state = before;
            let said = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
            let said = said.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
            tracing::error!(said, "an update panicked and was undone");
            (waiting.failed)(StoreError::Panicked(said));
        }
    }
}
