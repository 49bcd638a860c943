//! The log of events: what the seed made of the world, in words that are the same each time.

use std::fmt::Write as _;

/// Lines, each with the wall clock and who did it.
#[derive(Debug, Default)]
pub(super) struct Log {
    text: String,
    events: u64,
}

impl Log {
    pub(super) fn add(&mut self, millis: i64, who: &str, what: impl std::fmt::Display) {
        self.events += 1;
        // Writing into a string does not fail.
        let _ = writeln!(self.text, "{}.{:03} {who}: {what}", millis / 1000, millis % 1000);
    }

    pub(super) fn into_parts(self) -> (String, u64) {
        (self.text, self.events)
    }
}
