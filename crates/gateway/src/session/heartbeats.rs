//! Whether the node is still there: a heartbeat now and then, each to be answered in time.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

#[derive(Debug)]
pub(super) struct Heartbeats {
    every: Duration,
    deadline: Duration,
    next: Instant,
    /// Message number and time of those without an answer, the oldest first.
    unanswered: VecDeque<(u64, Instant)>,
}

impl Heartbeats {
    pub(super) fn new(every: Duration, deadline: Duration, now: Instant) -> Self {
        Self { every, deadline, next: now + every, unanswered: VecDeque::new() }
    }

    /// Whether it is time for one; then `number` is the one to send.
    pub(super) fn due(&mut self, now: Instant, number: u64) -> bool {
        if now < self.next {
            return false;
        }
        self.next = now + self.every;
        self.unanswered.push_back((number, now));
        true
    }

    /// An answer stands for every earlier heartbeat, too.
    pub(super) fn answered(&mut self, number: u64) {
        if self.unanswered.iter().any(|(sent, _)| *sent == number) {
            self.unanswered.retain(|(sent, _)| *sent > number);
        }
    }

    /// Whether one has gone without an answer for too long.
    pub(super) fn missed(&self, now: Instant) -> bool {
        self.oldest_deadline().is_some_and(|deadline| deadline <= now)
    }

    /// When to look again.
    pub(super) fn next_wake(&self) -> Instant {
        self.oldest_deadline().map_or(self.next, |deadline| deadline.min(self.next))
    }

    fn oldest_deadline(&self) -> Option<Instant> {
        self.unanswered.front().map(|(_, sent)| *sent + self.deadline)
    }
}
