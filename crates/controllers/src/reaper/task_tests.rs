//! Stopped tasks.

use std::sync::Arc;
use std::time::Duration;

use longshore_domain::Timestamp;
use longshore_domain::cluster::ClusterStatus;
use longshore_domain::task::DesiredStatus;
use longshore_store::watch::Interest;
use longshore_store::{Dimension, Kind, Record, State, Store};
use proptest::prelude::*;
use tokio::time::advance;

use super::{Due, Reaper, RetentionTooShort, Retire, TaskRetention, retire};
use crate::driver::{Controller, Driver, Now, Requeue};
use crate::testing::{Guard, START, cluster, hours, key, memory_store, now, put, task, write};

/// A reaper whose clock stands at some time.
pub(super) fn reaper(store: &Store, at: Timestamp) -> Reaper {
    Reaper::new(store.clone(), TaskRetention::default(), Arc::new(move || at))
}

/// A store with the ACTIVE cluster `c`, incarnation 1.
pub(super) async fn store_with(records: impl IntoIterator<Item = Record>) -> Store {
    let store = memory_store();
    put(&store, [Record::from(cluster(1, "c", ClusterStatus::Active))]).await;
    put(&store, records).await;
    store
}

/// Numbers of the tasks of cluster `c`; List and Describe agree on each.
fn kept(state: &State) -> Vec<u64> {
    let cluster = state.cluster_by_incarnation(1).unwrap();
    let numbers: Vec<u64> = (1..=600).filter(|number| state.task(key(1, *number)).is_some()).collect();
    let listed = |desired| cluster.tasks.count(desired, Dimension::All);
    assert_eq!(listed(DesiredStatus::Stopped) + listed(DesiredStatus::Running), numbers.len());
    assert!(numbers.iter().all(|number| cluster.tasks.get_by_sequence(*number).is_some()));
    numbers
}

#[tokio::test]
async fn a_task_goes_when_it_was_kept_for_an_hour_and_not_before() {
    let store =
        store_with([task(1, 1, Some(START)).into(), task(1, 2, Some(hours(1))).into(), task(1, 3, None).into()]).await;
    let just_before = hours(1).plus_millis(-1);
    let next = reaper(&store, just_before).reconcile().await.unwrap();
    assert_eq!((kept(&store.view()), next), (vec![1, 2, 3], Requeue::After(Duration::from_millis(1))));
    let next = reaper(&store, hours(1)).reconcile().await.unwrap();
    assert_eq!((kept(&store.view()), next), (vec![2, 3], Requeue::After(Duration::from_secs(5))));
    let next = reaper(&store, hours(9)).reconcile().await.unwrap();
    assert_eq!((kept(&store.view()), next), (vec![3], Requeue::OnSignal));
}

#[tokio::test]
async fn a_longer_retention_is_kept_and_a_shorter_one_refused() {
    let store = store_with([task(1, 1, Some(START)).into()]).await;
    let two_hours = TaskRetention::new(Duration::from_secs(7200)).unwrap();
    for (at, left) in [(hours(2).plus_millis(-1), vec![1]), (hours(2), vec![])] {
        Reaper::new(store.clone(), two_hours, Arc::new(move || at)).reconcile().await.unwrap();
        assert_eq!(kept(&store.view()), left);
    }
    let short = Duration::from_secs(3599);
    assert_eq!(TaskRetention::new(short), Err(RetentionTooShort(short)));
    assert_eq!(TaskRetention::new(Duration::from_secs(3600)), Ok(TaskRetention::default()));
}

#[tokio::test]
async fn many_go_in_slices() {
    let store = store_with([]).await;
    for slice in 0..7 {
        let numbers = slice * 90 + 1..=(slice * 90 + 90).min(600);
        put(&store, numbers.map(|number| task(1, number, Some(START)).into())).await;
    }
    assert_eq!(kept(&store.view()).len(), 600);
    let mut watch = store.watch_from(store.view().version(), Interest::Kind(Kind::Task)).unwrap();
    reaper(&store, hours(2)).reconcile().await.unwrap();
    assert_eq!(kept(&store.view()), [0; 0]);
    let mut slices = std::collections::BTreeMap::new();
    while let Some(change) = watch.try_next() {
        assert!(change.deleted);
        *slices.entry(change.version).or_insert(0) += 1;
    }
    assert_eq!(slices.into_values().collect::<Vec<_>>(), [50; 12]);
}

#[tokio::test]
async fn with_nothing_due_nothing_is_written() {
    let store = store_with([task(1, 1, Some(START)).into(), task(1, 2, None).into()]).await;
    let version = store.view().version();
    reaper(&store, START).reconcile().await.unwrap();
    assert_eq!(store.view().version(), version);
    let empty = memory_store();
    assert_eq!(reaper(&empty, hours(9)).reconcile().await.unwrap(), Requeue::OnSignal);
    assert_eq!(empty.view().version(), 0);
}

#[tokio::test]
async fn what_is_due_is_judged_again_in_the_transaction() {
    let store =
        store_with([task(1, 1, Some(START)).into(), task(1, 2, Some(START)).into(), task(1, 3, None).into()]).await;
    let found: Vec<Due> = (1..=4).map(|number| Due::Task(key(1, number))).collect();
    put(&store, [task(1, 2, Some(hours(1))).into()]).await;
    let input = Retire { retention_millis: 3_600_000, found };
    assert_eq!(store.update(write(hours(1), input), retire::decide).await, Ok(1));
    assert_eq!(kept(&store.view()), [2, 3]);
}

#[tokio::test(start_paused = true)]
async fn a_driven_reaper_keeps_tasks_at_most_ten_seconds_too_long() {
    let guard = Guard::new();
    let store = store_with([]).await;
    let clock: Now = now();
    let reaper = Reaper::new(store.clone(), TaskRetention::default(), Arc::clone(&clock));
    let driver = Driver::start(reaper, store.clone(), Reaper::driver_options(), Arc::clone(&clock));
    let status = driver.status();
    guard.until("a first run", || status.borrow().runs == 1).await;
    advance(Duration::from_millis(1234)).await;
    let stopped_at = clock();
    put(&store, [task(1, 1, Some(stopped_at)).into()]).await;
    let five_seconds = Duration::from_secs(5);
    while clock().millis_since(stopped_at) < 3_595_000 {
        let before = status.borrow().runs;
        advance(five_seconds).await;
        guard.until("a run", || status.borrow().runs > before).await;
    }
    advance(five_seconds - Duration::from_millis(1)).await;
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(clock().millis_since(stopped_at), 3_599_999);
    assert_eq!(kept(&store.view()), [1]);
    advance(Duration::from_millis(10_001)).await;
    guard.until("the task gone", || store.view().task(key(1, 1)).is_none()).await;
    driver.stop().await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn exactly_the_tasks_kept_long_enough_go(
        stops in prop::collection::vec(prop::option::of(0i64..7_200_000), 1..60),
        at in 3_600_000i64..10_800_000,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let numbered = || stops.iter().zip(1..);
            let records = numbered().map(|(stop, number)| task(1, number, stop.map(|at| START.plus_millis(at))).into());
            let store = store_with(records).await;
            reaper(&store, START.plus_millis(at)).reconcile().await.unwrap();
            let expected = numbered().filter(|(stop, _)| stop.is_none_or(|stop| stop + 3_600_000 > at));
            assert_eq!(kept(&store.view()), expected.map(|(_, number)| number).collect::<Vec<u64>>());
        });
    }
}
