//! The sending end of [`crate::engine::Engine::events`], alike for every engine.
//!
//! A reader that is slow must not make an engine's connection stall, and must not miss a change unknowingly. So a
//! full channel drops events, and as soon as it has room again the reader gets [`EngineEvent::Resync`].

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::engine::EngineEvent;

/// Events that wait for a reader before they are folded into one `Resync`.
const CAPACITY: usize = 1024;

/// Sends to one reader.
#[derive(Debug, Clone)]
pub(crate) struct EventSender {
    sender: Sender<EngineEvent>,
    lost: Arc<AtomicBool>,
}

impl EventSender {
    /// A sender and its reader.
    pub(crate) fn new() -> (Self, Receiver<EngineEvent>) {
        Self::with_capacity(CAPACITY)
    }

    fn with_capacity(capacity: usize) -> (Self, Receiver<EngineEvent>) {
        let (sender, receiver) = channel(capacity);
        (Self { sender, lost: Arc::default() }, receiver)
    }

    /// Sends without waiting; `false` when nobody reads any more. Needs a tokio runtime.
    pub(crate) fn send(&self, event: EngineEvent) -> bool {
        match self.sender.try_send(event) {
            Ok(()) => true,
            Err(TrySendError::Closed(_)) => false,
            Err(TrySendError::Full(_)) => {
                if !self.lost.swap(true, Ordering::AcqRel) {
                    tokio::spawn(self.clone().resync());
                }
                true
            }
        }
    }

    /// Whether nobody reads any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    /// Returns when nobody reads any more.
    pub(crate) async fn closed(&self) {
        self.sender.closed().await;
    }

    async fn resync(self) {
        if let Ok(permit) = self.sender.reserve().await {
            // In this order an event dropped from now on starts a resync of its own.
            self.lost.store(false, Ordering::Release);
            permit.send(EngineEvent::Resync);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(name: &str) -> EngineEvent {
        EngineEvent::Container { runtime_id: "id".into(), name: name.into() }
    }

    #[tokio::test]
    async fn a_slow_reader_is_told_to_look_at_everything() {
        let (sender, mut receiver) = EventSender::with_capacity(2);
        for name in ["a", "b", "c", "d"] {
            assert!(sender.send(event(name)));
        }
        assert_eq!(receiver.recv().await, Some(event("a")));
        assert_eq!(receiver.recv().await, Some(event("b")));
        assert_eq!(receiver.recv().await, Some(EngineEvent::Resync));
        assert!(sender.send(event("e")));
        assert_eq!(receiver.recv().await, Some(event("e")));
        assert!(receiver.try_recv().is_err());
    }

    #[tokio::test]
    async fn the_sender_learns_that_nobody_reads() {
        let (sender, receiver) = EventSender::new();
        drop(receiver);
        assert!(!sender.send(event("a")));
        sender.closed().await;
    }
}
