use std::collections::VecDeque;
use std::sync::Mutex;

use longshore_domain::cluster::ClusterStatus;
use longshore_store::Record;
use tokio::sync::Semaphore;
use tokio::time::advance;

use super::*;
use crate::testing::{Guard, cluster, memory_store, now, put, task};

const SECOND: Duration = Duration::from_secs(1);

/// What a run does.
enum Run {
    Done(Requeue),
    Fail,
    Panic,
    /// Waits for a permit, then is done.
    Wait,
}

/// A controller that does as it is told, and afterwards is content.
struct Scripted {
    script: Arc<Mutex<VecDeque<Run>>>,
    permits: Arc<Semaphore>,
    began: Arc<Mutex<u64>>,
}

impl Controller for Scripted {
    const NAME: &'static str = "scripted";
    const KINDS: &'static [Kind] = &[Kind::Cluster, Kind::Family];

    async fn reconcile(&mut self) -> Result<Requeue, Fault> {
        *self.began.lock().unwrap() += 1;
        let run = self.script.lock().unwrap().pop_front();
        match run {
            None => Ok(Requeue::OnSignal),
            Some(Run::Done(requeue)) => Ok(requeue),
            Some(Run::Fail) => Err("it failed".into()),
            Some(Run::Panic) => panic!("it panicked"),
            Some(Run::Wait) => {
                self.permits.acquire().await?.forget();
                Ok(Requeue::OnSignal)
            }
        }
    }
}

struct Rig {
    store: Store,
    driver: Driver,
    permits: Arc<Semaphore>,
    began: Arc<Mutex<u64>>,
    guard: Guard,
}

fn options() -> DriverOptions {
    DriverOptions { period: 1000 * SECOND, quiet: Duration::ZERO, first_pause: SECOND, longest_pause: 5 * SECOND }
}

impl Rig {
    fn start(script: impl IntoIterator<Item = Run>, options: DriverOptions) -> Self {
        let guard = Guard::new();
        let store = memory_store();
        let permits = Arc::new(Semaphore::new(0));
        let began = Arc::new(Mutex::new(0));
        let controller = Scripted {
            script: Arc::new(Mutex::new(script.into_iter().collect())),
            permits: Arc::clone(&permits),
            began: Arc::clone(&began),
        };
        let driver = Driver::start(controller, store.clone(), options, now());
        Self { store, driver, permits, began, guard }
    }

    fn status(&self) -> DriverStatus {
        self.driver.status().borrow().clone()
    }

    /// Waits for a run to end, and lets the driver go to sleep.
    async fn runs(&self, count: u64) -> DriverStatus {
        self.guard.until("a run", || self.status().runs >= count).await;
        self.rest().await;
        let status = self.status();
        assert_eq!(status.runs, count);
        status
    }

    /// Lets the driver do whatever it can do without time passing.
    async fn rest(&self) {
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
    }

    async fn signal(&self) {
        put(&self.store, [Record::from(cluster(1, "c", ClusterStatus::Active))]).await;
    }

    async fn passes(&self, time: Duration) {
        advance(time).await;
        self.rest().await;
    }
}

#[tokio::test(start_paused = true)]
async fn it_runs_at_once_and_then_on_changes_of_its_kinds() {
    let rig = Rig::start([], options());
    let status = rig.runs(1).await;
    assert_eq!((status.name, status.last_reason), ("scripted", Some(Reason::Start)));
    assert_eq!(status.last_run_at, Some(crate::testing::START));
    rig.signal().await;
    assert_eq!(rig.runs(2).await.last_reason, Some(Reason::Signal));
    put(&rig.store, [Record::from(task(1, 1, None))]).await;
    rig.runs(2).await;
    rig.signal().await;
    rig.runs(3).await;
}

#[tokio::test(start_paused = true)]
async fn it_runs_when_the_period_is_over_or_when_it_asked_to() {
    let rig = Rig::start([Run::Done(Requeue::OnSignal), Run::Done(Requeue::After(7 * SECOND))], options());
    rig.runs(1).await;
    rig.passes(1000 * SECOND - Duration::from_millis(1)).await;
    rig.runs(1).await;
    rig.passes(Duration::from_millis(1)).await;
    assert_eq!(rig.runs(2).await.last_reason, Some(Reason::Period));
    rig.passes(7 * SECOND - Duration::from_millis(1)).await;
    rig.runs(2).await;
    rig.passes(Duration::from_millis(1)).await;
    assert_eq!(rig.runs(3).await.last_reason, Some(Reason::Requeue));
}

#[tokio::test(start_paused = true)]
async fn a_wait_beyond_the_period_is_the_period() {
    let rig = Rig::start([Run::Done(Requeue::After(Duration::MAX))], options());
    rig.runs(1).await;
    rig.passes(1000 * SECOND).await;
    assert_eq!(rig.runs(2).await.last_reason, Some(Reason::Period));
}

#[tokio::test(start_paused = true)]
async fn signals_close_together_make_one_run() {
    let rig = Rig::start([], DriverOptions { quiet: 5 * SECOND, ..options() });
    rig.runs(1).await;
    for _ in 0..10 {
        rig.signal().await;
    }
    rig.passes(5 * SECOND - Duration::from_millis(1)).await;
    rig.runs(1).await;
    rig.passes(Duration::from_millis(1)).await;
    rig.runs(2).await;
    rig.passes(100 * SECOND).await;
    rig.runs(2).await;
    rig.signal().await;
    rig.runs(3).await;
}

#[tokio::test(start_paused = true)]
async fn a_change_during_a_run_makes_another_run() {
    let rig = Rig::start([Run::Wait], options());
    rig.guard.until("a run", || *rig.began.lock().unwrap() == 1).await;
    rig.signal().await;
    rig.rest().await;
    assert_eq!((*rig.began.lock().unwrap(), rig.status().runs), (1, 0), "runs do not overlap");
    rig.permits.add_permits(1);
    assert_eq!(rig.runs(2).await.last_reason, Some(Reason::Signal));
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_overflows_means_run_now() {
    let rig = Rig::start([Run::Wait], options());
    rig.guard.until("a run", || *rig.began.lock().unwrap() == 1).await;
    for _ in 0..90 {
        let clusters = (0..99).map(|n| Record::from(cluster(1 + n, "c", ClusterStatus::Active)));
        put(&rig.store, clusters).await;
    }
    rig.permits.add_permits(1);
    rig.runs(2).await;
    rig.signal().await;
    rig.runs(3).await;
}

#[tokio::test(start_paused = true)]
async fn failures_are_tried_again_after_pauses_that_double() {
    let fail = (0..5).map(|_| Run::Fail);
    let rig = Rig::start(fail.chain([Run::Done(Requeue::OnSignal), Run::Fail]), options());
    let first = rig.runs(1).await;
    assert_eq!((first.failures, first.last_error.as_deref()), (1, Some("it failed")));
    for (run, pause) in [(2, 1), (3, 2), (4, 4), (5, 5), (6, 5)] {
        // A signal does not shorten the pause.
        rig.signal().await;
        rig.passes(pause * SECOND - Duration::from_millis(1)).await;
        rig.runs(run - 1).await;
        rig.passes(Duration::from_millis(1)).await;
        assert_eq!(rig.runs(run).await.last_reason, Some(Reason::Retry));
    }
    let healed = rig.status();
    assert_eq!((healed.failures, healed.last_error), (0, None));
    rig.signal().await;
    assert_eq!(rig.runs(7).await.failures, 1);
    rig.passes(SECOND).await;
    rig.runs(8).await;
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_a_failure() {
    let rig = Rig::start([Run::Panic], options());
    let status = rig.runs(1).await;
    assert_eq!((status.failures, status.last_error.as_deref()), (1, Some("panicked: it panicked")));
    rig.passes(SECOND).await;
    assert_eq!(rig.runs(2).await.failures, 0);
}

#[tokio::test(start_paused = true)]
async fn stopping_waits_for_the_run_under_way_and_for_nothing_else() {
    let rig = Rig::start([Run::Wait], options());
    rig.guard.until("a run", || *rig.began.lock().unwrap() == 1).await;
    let status = rig.driver.status();
    let stopping = tokio::spawn(rig.driver.stop());
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
    assert!(!stopping.is_finished());
    rig.permits.add_permits(1);
    stopping.await.unwrap();
    assert_eq!((status.borrow().runs, *rig.began.lock().unwrap()), (1, 1));
    for script in [vec![], vec![Run::Fail]] {
        let rig = Rig::start(script, options());
        rig.runs(1).await;
        rig.driver.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_dropped_driver_ends() {
    let rig = Rig::start([], options());
    rig.runs(1).await;
    let mut status = rig.driver.status();
    status.mark_unchanged();
    drop(rig.driver);
    assert!(status.changed().await.is_err(), "the loop is gone");
}
