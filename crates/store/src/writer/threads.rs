//! The writer in a server: a thread for each half, and room for one batch between them.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use super::batch::Batch;
use super::committer::Committer;
use super::decider::Decider;
use super::queue::{Abandon, Queue, Turn};

/// How often the committer looks whether another process has changed the store, and tidies it.
const HOUSEKEEPING: Duration = Duration::from_secs(1);

/// Starts both. They end when the queue is closed and everything in it is answered; then the backend is dropped, and
/// `held` after it.
///
/// # Errors
/// The system has no threads left.
pub(crate) fn start<H: Send + 'static>(
    queue: &Arc<Queue>,
    decider: Decider,
    committer: Committer,
    held: H,
) -> std::io::Result<()> {
    let (batches, decided) = sync_channel(1);
    let abandon = || Abandon(Arc::clone(queue));
    let (of_decider, of_committer) = (abandon(), abandon());
    std::thread::Builder::new().name("store-decide".into()).spawn(move || decide(&of_decider.0, decider, &batches))?;
    std::thread::Builder::new().name("store-commit".into()).spawn(move || {
        commit(&of_committer.0, committer, &decided);
        drop(held);
    })?;
    Ok(())
}

fn decide(queue: &Queue, mut decider: Decider, batches: &SyncSender<Batch>) {
    loop {
        match queue.turn(decider.progress()) {
            Turn::Decide(updates) => decider.decide(updates),
            Turn::HandOver => {
                if batches.send(decider.hand_over()).is_err() {
                    return;
                }
            }
            Turn::End => return,
        }
    }
}

fn commit(queue: &Queue, mut committer: Committer, batches: &Receiver<Batch>) {
    let mut kept = Instant::now();
    loop {
        match batches.recv_timeout(HOUSEKEEPING.saturating_sub(kept.elapsed())) {
            Ok(batch) => committer.commit(batch, || queue.committer_is_free()),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        if kept.elapsed() >= HOUSEKEEPING {
            committer.keep_house();
            kept = Instant::now();
        }
    }
}
