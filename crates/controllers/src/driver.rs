//! Runs a controller: when something it cares about has changed, when it asked to be run again, and every now and then.
//!
//! A signal carries no data and is never lost: a watch is begun before each run, so whatever is published after the
//! state that the run began with makes another run, and a watch that overflows means "run now". Signals that come close
//! together make one run. Runs never overlap. A run that fails, or panics, is made again after a pause that doubles;
//! signals do not shorten it. Stopping waits for the run under way.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, pending, select_all};
use longshore_domain::Timestamp;
use longshore_store::watch::{Interest, Watch};
use longshore_store::{Kind, Store};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

/// Where the time comes from.
pub type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Why a run failed.
pub type Fault = Box<dyn std::error::Error + Send + Sync>;

/// When a controller wants to run again, beside signals and the period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Requeue {
    /// Only then.
    OnSignal,
    /// After this long at the latest.
    After(Duration),
}

/// Something that a driver runs.
pub trait Controller: Send + 'static {
    /// Its name, for people.
    const NAME: &'static str;
    /// A change of a record of one of these kinds runs it.
    const KINDS: &'static [Kind];

    /// Looks at the state, decides and writes. It is safe to do at any time, and to do again.
    ///
    /// # Errors
    /// What kept it from doing all; it is run again after a pause.
    fn reconcile(&mut self) -> impl Future<Output = Result<Requeue, Fault>> + Send;
}

/// How often a controller is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DriverOptions {
    /// It is run this long after its last run, whatever happens or not.
    pub period: Duration,
    /// A signal does not run it earlier than this after its last run.
    pub quiet: Duration,
    /// Pause after a first failure; it doubles with each further one.
    pub first_pause: Duration,
    /// The longest pause.
    pub longest_pause: Duration,
}

impl Default for DriverOptions {
    fn default() -> Self {
        Self {
            period: Duration::from_secs(600),
            quiet: Duration::ZERO,
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(60),
        }
    }
}

/// What made a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The driver was started.
    Start,
    /// A change.
    Signal,
    /// The controller had asked for it.
    Requeue,
    /// The period.
    Period,
    /// The last run had failed.
    Retry,
}

/// What a controller has done so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DriverStatus {
    /// The controller's name.
    pub name: &'static str,
    /// Runs that have ended.
    pub runs: u64,
    /// When the last one ended.
    pub last_run_at: Option<Timestamp>,
    /// What made the last one.
    pub last_reason: Option<Reason>,
    /// Why the last one failed, if it did.
    pub last_error: Option<String>,
    /// Failures in a row.
    pub failures: u32,
}

/// A controller that is being run. Dropping it stops it, too, without waiting.
#[derive(Debug)]
pub struct Driver {
    status: watch::Receiver<DriverStatus>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Driver {
    /// Starts running a controller, at once for the first time. It needs a tokio runtime around it.
    pub fn start<C: Controller>(controller: C, store: Store, options: DriverOptions, now: Now) -> Self {
        let status = DriverStatus {
            name: C::NAME,
            runs: 0,
            last_run_at: None,
            last_reason: None,
            last_error: None,
            failures: 0,
        };
        let (report, status) = watch::channel(status);
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(Loop { controller, store, options, now, report, stopped }.run());
        Self { status, stop, task }
    }

    /// What it has done so far; the receiver also tells of each run that ends.
    pub fn status(&self) -> watch::Receiver<DriverStatus> {
        self.status.clone()
    }

    /// Ends it, after the run under way.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        // A panic of a controller is caught inside.
        let _ended = self.task.await;
    }
}

struct Loop<C> {
    controller: C,
    store: Store,
    options: DriverOptions,
    now: Now,
    report: watch::Sender<DriverStatus>,
    stopped: watch::Receiver<bool>,
}

impl<C: Controller> Loop<C> {
    async fn run(mut self) {
        let mut reason = Reason::Start;
        let mut stopped = self.stopped.clone();
        while !*stopped.borrow() {
            let watches = self.watch();
            let outcome = AssertUnwindSafe(self.controller.reconcile()).catch_unwind().await;
            let outcome = outcome.unwrap_or_else(|panic| Err(said(panic.as_ref()).into()));
            let failures = self.take_note(reason, &outcome);
            let ended = Instant::now();
            let signals = signals(watches);
            reason = tokio::select! {
                biased;
                _ = stopped.wait_for(|stopped| *stopped) => return,
                reason = next_reason(&self.options, ended, outcome.ok(), failures, signals) => reason,
            };
        }
    }

    /// Begins to watch before a run reads anything.
    fn watch(&self) -> Vec<Watch> {
        loop {
            let version = self.store.view().version();
            let begin = |kind: &Kind| self.store.watch_from(version, Interest::Kind(*kind));
            // Only tens of thousands of changes between the lines make this go round again.
            if let Ok(watches) = C::KINDS.iter().map(begin).collect() {
                return watches;
            }
        }
    }

    /// How many runs in a row have failed.
    fn take_note(&self, reason: Reason, outcome: &Result<Requeue, Fault>) -> u32 {
        let at = (self.now)();
        let error = outcome.as_ref().err().map(ToString::to_string);
        if let Some(error) = &error {
            tracing::warn!(controller = C::NAME, error, "a controller's run failed");
        }
        self.report.send_modify(|status| {
            status.runs += 1;
            status.last_run_at = Some(at);
            status.last_reason = Some(reason);
            status.failures = if error.is_some() { status.failures.saturating_add(1) } else { 0 };
            status.last_error = error;
        });
        self.report.borrow().failures
    }
}

/// Waits until there is a reason to run again: after a failure (`asked` is none) the pause alone.
async fn next_reason(
    options: &DriverOptions,
    ended: Instant,
    asked: Option<Requeue>,
    failures: u32,
    signals: impl Future<Output = ()>,
) -> Reason {
    let Some(asked) = asked else {
        sleep_until(ended + pause(options, failures)).await;
        return Reason::Retry;
    };
    let (at, why) = match asked {
        Requeue::After(wait) if wait < options.period => (ended + wait, Reason::Requeue),
        _ => (ended + options.period, Reason::Period),
    };
    let signal = async {
        signals.await;
        sleep_until(ended + options.quiet).await;
    };
    tokio::select! {
        biased;
        () = sleep_until(at) => why,
        () = signal => Reason::Signal,
    }
}

fn pause(options: &DriverOptions, failures: u32) -> Duration {
    let doubled = 2u32.saturating_pow(failures.saturating_sub(1));
    options.first_pause.saturating_mul(doubled).min(options.longest_pause)
}

/// Ends with the first change, or when a watch has fallen behind.
async fn signals(mut watches: Vec<Watch>) {
    let waits: Vec<BoxFuture<'_, ()>> = watches.iter_mut().map(|watch| watch.next().map(|_| ()).boxed()).collect();
    if waits.is_empty() {
        pending::<()>().await;
    }
    select_all(waits).await;
}

/// The text of a panic.
fn said(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    format!("panicked: {}", text.unwrap_or_default())
}

#[cfg(test)]
#[path = "driver_tests.rs"]
mod tests;
