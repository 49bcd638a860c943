//! A small number for each thread, so that threads which count or copy things a lot do it in memory of their own.
//!
//! A cache line that two cores write in turn costs each of them more than the work on it. What is written for every
//! request therefore exists once per lane; threads get lanes in turn, and only beyond [`LANES`] threads share them.

use std::sync::atomic::{AtomicUsize, Ordering};

/// How many lanes there are.
pub(crate) const LANES: usize = 16;

thread_local! {
    static LANE: usize = {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        NEXT.fetch_add(1, Ordering::Relaxed) % LANES
    };
}

/// A value for each lane.
#[derive(Debug)]
pub(crate) struct PerLane<T>([Line<T>; LANES]);

/// A value on cache lines of its own; processors fetch them in pairs of 64 bytes.
#[derive(Debug)]
#[repr(align(128))]
struct Line<T>(T);

impl<T> PerLane<T> {
    /// Makes the value of each lane.
    pub fn new(mut make: impl FnMut() -> T) -> Self {
        Self(std::array::from_fn(|_| Line(make())))
    }

    /// The value of the calling thread's lane.
    pub fn mine(&self) -> &T {
        let Line(value) = &self.0[LANE.with(|lane| *lane)];
        value
    }

    /// The values of all lanes.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|Line(value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn a_thread_keeps_its_lane_and_neighbours_have_others() {
        let lanes = PerLane::new(|| 0_u8);
        let address = || std::ptr::from_ref(lanes.mine()).addr();
        assert_eq!(address(), address());
        let mine: HashSet<usize> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..LANES).map(|_| scope.spawn(address)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(mine.len() > LANES / 2, "{mine:?}");
        assert_eq!(lanes.iter().count(), LANES);
    }
}
