//! The server's clock and source of seeds.

use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use longshore_api::{Clock, Seeds};
use longshore_domain::{EcsId, Timestamp};
use tokio::time::Instant;

use super::lock;
use crate::random::Random;

/// The first moment of every world.
const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// A wall clock that follows virtual time, and jumps ahead when told to, as that of a laptop that wakes up.
pub(crate) struct SimClock {
    began: Instant,
    jumped: AtomicI64,
}

impl SimClock {
    pub(super) fn new() -> Self {
        Self { began: Instant::now(), jumped: AtomicI64::new(0) }
    }

    /// Milliseconds since 1970.
    pub(crate) fn millis(&self) -> i64 {
        self.now().millis()
    }

    pub(super) fn jump(&self, ahead: Duration) {
        let millis = i64::try_from(ahead.as_millis()).unwrap_or_default();
        self.jumped.fetch_add(millis, Ordering::Relaxed);
    }
}

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        let passed = i64::try_from(self.began.elapsed().as_millis()).unwrap_or_default();
        START.plus_millis(passed + self.jumped.load(Ordering::Relaxed))
    }
}

/// Seeds of ids, from the seed of the world.
pub(crate) struct SimSeeds(Mutex<Random>);

impl SimSeeds {
    pub(super) fn new(random: Random) -> Self {
        Self(Mutex::new(random))
    }
}

impl Seeds for SimSeeds {
    fn seed(&self) -> EcsId {
        let mut random = lock(&self.0);
        let number = u128::from(random.number()) << 64 | u128::from(random.number());
        EcsId(number.to_be_bytes())
    }
}
