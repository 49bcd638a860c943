//! Deadlines and orders for connections, without a timer for each request.
//!
//! Every connection has a [`Watch`] in which it notes what it is doing and since which tick. One
//! task ticks a few times within the shortest deadline, looks at all watches, and orders overdue
//! connections to end; a shutdown is the same order in a milder form. Noting is one store into
//! memory, so that the hot path pays nothing for being watched.

use std::collections::HashMap;
use std::io::IoSlice;
use std::pin::Pin;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::task::AtomicWaker;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What a connection is doing, as far as deadlines go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Phase {
    /// Waiting for a request, or for the client to take the last answer.
    Idle = 0,
    /// Some of a request's head has come.
    Head = 1,
    /// A request is being read or answered; it has deadlines of its own.
    Busy = 2,
}

/// What a connection is told to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Order {
    /// Go on.
    GoOn = 0,
    /// Finish the request in flight, then close; close at once when idle.
    Finish = 1,
    /// Close at once.
    Drop = 2,
}

/// One connection, seen from outside.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    /// The tick since which the phase lasts, shifted left by two bits, and the phase.
    state: AtomicU64,
    order: AtomicU8,
    waker: AtomicWaker,
}

impl Watch {
    /// The order in force; the task polling `context` is woken when it changes.
    pub fn order(&self, context: &Context<'_>) -> Order {
        self.waker.register(context.waker());
        match self.order.load(Ordering::Acquire) {
            0 => Order::GoOn,
            1 => Order::Finish,
            _ => Order::Drop,
        }
    }

    fn give(&self, order: Order) {
        self.order.fetch_max(order as u8, Ordering::AcqRel);
        self.waker.wake();
    }

    fn phase(&self) -> (u8, u64) {
        let state = self.state.load(Ordering::Relaxed);
        ((state & 3) as u8, state >> 2)
    }
}

/// All open connections of a listener.
#[derive(Debug)]
pub(crate) struct Watches {
    /// Ticks since the start.
    tick: AtomicU64,
    next: AtomicU64,
    open: Mutex<HashMap<u64, Arc<Watch>>>,
    tick_length: Duration,
    head_ticks: u64,
    idle_ticks: u64,
}

impl Watches {
    /// Watches with these deadlines for a request's head and for an idle connection.
    pub fn new(head: Duration, idle: Duration) -> Self {
        let tick_length = (head.min(idle) / 4).clamp(Duration::from_millis(1), Duration::from_secs(1));
        let ticks = |deadline: Duration| deadline.as_millis().div_ceil(tick_length.as_millis().max(1)) as u64;
        Self {
            tick: AtomicU64::new(0),
            next: AtomicU64::new(0),
            open: Mutex::new(HashMap::new()),
            tick_length,
            head_ticks: ticks(head),
            idle_ticks: ticks(idle),
        }
    }

    /// Takes a new connection under watch; it leaves when the guard is dropped.
    pub fn enter(self: &Arc<Self>) -> Guard {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let watch = Arc::new(Watch::default());
        self.open().insert(number, Arc::clone(&watch));
        let guard = Guard { all: Arc::clone(self), watch, number };
        guard.note(Phase::Idle);
        guard
    }

    /// How many connections are open.
    pub fn len(&self) -> usize {
        self.open().len()
    }

    /// Gives an order to every open connection.
    pub fn give_all(&self, order: Order) {
        for watch in self.open().values() {
            watch.give(order);
        }
    }

    /// Ticks and drops overdue connections, for ever.
    pub async fn keep_time(&self) {
        let mut interval = tokio::time::interval(self.tick_length);
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            interval.tick().await;
            self.drop_overdue();
        }
    }

    fn drop_overdue(&self) {
        let now = self.tick.fetch_add(1, Ordering::Relaxed) + 1;
        for watch in self.open().values() {
            let (phase, since) = watch.phase();
            let allowed = match phase {
                phase if phase == Phase::Idle as u8 => self.idle_ticks,
                phase if phase == Phase::Head as u8 => self.head_ticks,
                _ => continue,
            };
            if now.saturating_sub(since) > allowed {
                watch.give(Order::Drop);
            }
        }
    }

    fn open(&self) -> MutexGuard<'_, HashMap<u64, Arc<Watch>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection's own end of its [`Watch`].
#[derive(Debug)]
pub(crate) struct Guard {
    all: Arc<Watches>,
    watch: Arc<Watch>,
    number: u64,
}

impl Guard {
    /// Notes what the connection is doing from now on.
    pub fn note(&self, phase: Phase) {
        let tick = self.all.tick.load(Ordering::Relaxed);
        self.watch.state.store(tick << 2 | phase as u64, Ordering::Relaxed);
    }

    /// Notes that bytes have come: an idle connection is now reading a head.
    fn note_bytes(&self) {
        if self.watch.phase().0 == Phase::Idle as u8 {
            self.note(Phase::Head);
        }
    }

    /// See [`Watch::order`].
    pub fn order(&self, context: &Context<'_>) -> Order {
        self.watch.order(context)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.all.open().remove(&self.number);
    }
}

/// A stream that notes on its connection's watch when bytes come.
#[derive(Debug)]
pub(crate) struct Watched<'a, T> {
    stream: T,
    guard: &'a Guard,
}

impl<'a, T> Watched<'a, T> {
    /// Watches a stream.
    pub fn new(stream: T, guard: &'a Guard) -> Self {
        Self { stream, guard }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Watched<'_, T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.guard.note_bytes();
        }
        polled
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Watched<'_, T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Waker;

    fn order(guard: &Guard) -> Order {
        guard.order(&Context::from_waker(Waker::noop()))
    }

    #[test]
    fn each_phase_has_its_own_deadline() {
        let watches = Arc::new(Watches::new(Duration::from_secs(4), Duration::from_secs(10)));
        assert_eq!((watches.tick_length, watches.head_ticks, watches.idle_ticks), (Duration::from_secs(1), 4, 10));
        let (idle, head, busy) = (watches.enter(), watches.enter(), watches.enter());
        head.note_bytes();
        busy.note(Phase::Busy);
        busy.note_bytes();
        let orders = || (order(&idle), order(&head), order(&busy));
        (0..4).for_each(|_| watches.drop_overdue());
        assert_eq!(orders(), (Order::GoOn, Order::GoOn, Order::GoOn));
        watches.drop_overdue();
        assert_eq!(orders(), (Order::GoOn, Order::Drop, Order::GoOn));
        idle.note(Phase::Idle);
        (0..10).for_each(|_| watches.drop_overdue());
        assert_eq!(orders(), (Order::GoOn, Order::Drop, Order::GoOn));
        watches.drop_overdue();
        assert_eq!(orders(), (Order::Drop, Order::Drop, Order::GoOn));
    }

    #[test]
    fn orders_only_grow_and_connections_leave() {
        let watches = Arc::new(Watches::new(Duration::from_secs(4), Duration::from_secs(10)));
        let guard = watches.enter();
        watches.give_all(Order::Drop);
        watches.give_all(Order::Finish);
        assert_eq!(order(&guard), Order::Drop);
        assert_eq!(watches.len(), 1);
        drop(guard);
        assert_eq!(watches.len(), 0);
    }
}
