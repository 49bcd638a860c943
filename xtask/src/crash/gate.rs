//! Lets clients call while the server is up, and nobody while it is judged.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Closed,
    Open,
    Over,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    inside: usize,
}

/// A gate through which every call of a client passes.
#[derive(Debug)]
pub struct Gate {
    state: Mutex<State>,
    changed: Condvar,
}

/// A call that is under way; it ends when this goes out of scope.
#[derive(Debug)]
pub struct Inside<'a>(&'a Gate);

impl Gate {
    /// A closed gate.
    pub fn new() -> Self {
        Self { state: Mutex::new(State { phase: Phase::Closed, inside: 0 }), changed: Condvar::new() }
    }

    // A lock is only poisoned by a panic in between, and nothing in between can panic.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, phase: Phase) {
        let mut state = self.state();
        if state.phase != Phase::Over {
            state.phase = phase;
        }
        drop(state);
        self.changed.notify_all();
    }

    /// Waits until the gate is open; none once everything is over.
    pub fn enter(&self) -> Option<Inside<'_>> {
        let closed = |state: &mut State| state.phase == Phase::Closed;
        let mut state = self.changed.wait_while(self.state(), closed).unwrap_or_else(PoisonError::into_inner);
        if state.phase == Phase::Over {
            return None;
        }
        state.inside += 1;
        Some(Inside(self))
    }

    /// Lets everybody in.
    pub fn open(&self) {
        self.set(Phase::Open);
    }

    /// Lets nobody in any more.
    pub fn close(&self) {
        self.set(Phase::Closed);
    }

    /// Sends everybody home, for good.
    pub fn end(&self) {
        self.set(Phase::Over);
    }

    /// Waits until nobody is inside; whether that came before the deadline.
    pub fn wait_empty(&self, deadline: Duration) -> bool {
        let occupied = |state: &mut State| state.inside > 0;
        let waited = self.changed.wait_timeout_while(self.state(), deadline, occupied);
        waited.unwrap_or_else(PoisonError::into_inner).0.inside == 0
    }

    /// Waits for this long, or until everything is over.
    pub fn pause(&self, time: Duration) {
        let until = Instant::now() + time;
        let mut state = self.state();
        while state.phase != Phase::Over {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.state().inside -= 1;
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_inside_after_closing() {
        let gate = Gate::new();
        gate.open();
        let inside = gate.enter();
        gate.close();
        assert!(!gate.wait_empty(Duration::from_millis(1)));
        drop(inside);
        assert!(gate.wait_empty(Duration::from_secs(10)));
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| gate.enter().is_none());
            gate.end();
            assert!(waiting.join().unwrap());
        });
        gate.open();
        assert!(gate.enter().is_none());
    }
}
