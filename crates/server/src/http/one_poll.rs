//! A waker that lets a request be answered in one poll of its connection.
//!
//! Reading a body from hyper's channel wakes whoever sends into it, which is the same connection that
//! is being polled, although it has nothing more to send when the body has come in one piece. Every
//! request would so be followed by a second, idle poll of its connection, mostly on another core. The
//! connection is therefore polled with a waker of its own, which is deaf on this thread while the body
//! is read ([`deafly`]). Wake-ups from other threads always pass.

use std::cell::Cell;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Wake, Waker};

thread_local! {
    static DEAF: Cell<bool> = const { Cell::new(false) };
    static MISSED: Cell<bool> = const { Cell::new(false) };
}

/// The waker of one connection, in front of its task's.
#[derive(Debug)]
pub(crate) struct ConnectionWaker {
    own: Waker,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    task: OnceLock<Waker>,
}

impl ConnectionWaker {
    /// A waker that has not seen its task yet.
    pub fn new() -> Self {
        let shared = Arc::new(Shared::default());
        Self { own: Waker::from(Arc::clone(&shared)), shared }
    }

    /// What to poll the connection with, inside its task.
    pub fn context<'a>(&'a self, task: &'a Context<'_>) -> Context<'a> {
        let first = self.shared.task.get_or_init(|| task.waker().clone());
        // A connection stays in the task that polled it first; should it ever move, it is woken directly.
        Context::from_waker(if first.will_wake(task.waker()) { &self.own } else { task.waker() })
    }
}

impl Wake for Shared {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if DEAF.get() {
            MISSED.set(true);
        } else if let Some(task) = self.task.get() {
            task.wake_by_ref();
        }
    }
}

/// Runs `read`, during which connections are not woken by this thread. If it returns false, there is more to come, and
/// the connection polled in `context` is woken for what it missed.
pub(crate) fn deafly(context: &mut Context<'_>, read: impl FnOnce(&mut Context<'_>) -> bool) {
    MISSED.set(false);
    let listening = Listening;
    DEAF.set(true);
    let complete = read(context);
    drop(listening);
    if !complete && MISSED.get() {
        context.waker().wake_by_ref();
    }
}

/// Ends deafness, also when `read` panics.
struct Listening;

impl Drop for Listening {
    fn drop(&mut self) {
        DEAF.set(false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    impl Count {
        fn take(&self) -> usize {
            self.0.swap(0, Ordering::Relaxed)
        }
    }

    #[test]
    fn only_what_this_thread_wakes_while_it_reads_a_whole_body_is_missed() {
        let count = Arc::new(Count::default());
        let task = Waker::from(Arc::clone(&count));
        let connection = ConnectionWaker::new();
        let waker = connection.context(&Context::from_waker(&task)).waker().clone();
        let mut context = Context::from_waker(&waker);
        let wake = || waker.wake_by_ref();
        wake();
        assert_eq!(count.take(), 1);
        deafly(&mut context, |_| {
            wake();
            true
        });
        assert_eq!(count.take(), 0, "nothing more will come");
        deafly(&mut context, |_| {
            wake();
            false
        });
        assert_eq!(count.take(), 1, "more will come");
        deafly(&mut context, |_| false);
        assert_eq!(count.take(), 0, "nobody was woken");
        deafly(&mut context, |_| {
            std::thread::scope(|scope| scope.spawn(wake).join()).unwrap();
            true
        });
        assert_eq!(count.take(), 1, "another thread");
        let panic =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| deafly(&mut context, |_| panic!("planned"))));
        assert!(panic.is_err());
        wake();
        assert_eq!(count.take(), 1, "after a panic");
    }

    #[test]
    fn in_another_task_the_connection_is_woken_there() {
        let (first, second) = (Arc::new(Count::default()), Arc::new(Count::default()));
        let connection = ConnectionWaker::new();
        for (count, other) in [(&first, &second), (&second, &first)] {
            let task = Waker::from(Arc::clone(count));
            connection.context(&Context::from_waker(&task)).waker().wake_by_ref();
            assert_eq!((count.take(), other.take()), (1, 0));
        }
    }
}
