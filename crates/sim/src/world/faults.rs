//! What is to go wrong, and when.

use std::time::Duration;

use crate::disk::{Crash, Disk, Faults};
use crate::random::Random;

/// How a server comes to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// It is told to end and closes its files.
    Stop,
    /// It ends without a word.
    Crash(Crash),
}

impl End {
    /// Of the three, by chance.
    pub(super) fn by(random: &mut Random) -> Self {
        match random.below(10) {
            0 => Self::Stop,
            1..=3 => Self::Crash(Crash::Kill),
            _ => Self::Crash(Crash::Power),
        }
    }
}

/// Plans the end of a server that begins: mostly in the middle of a call of the disk, else when it pleases.
pub(super) fn plan_end(disk: &Disk, random: &mut Random) {
    if random.per_mille(800) {
        let within = *random.pick(&[6, 40, 150, 400]).unwrap_or(&40);
        disk.end_after(random.between(1, within));
    }
}

/// Faults for a while, and how long.
pub(super) fn storm(random: &mut Random) -> (Faults, Duration) {
    let faults = match random.below(5) {
        0 => Faults { full: true, ..Faults::default() },
        1 => Faults { write: 60, ..Faults::default() },
        2 => Faults { sync: 150, ..Faults::default() },
        3 => Faults { read: 100, ..Faults::default() },
        _ => Faults { write: 20, sync: 20, read: 20, full: false },
    };
    (faults, Duration::from_millis(random.between(20, 600)))
}
