//! Client tokens.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use longshore_domain::Timestamp;
use longshore_store::{State, Store};

use super::task_tests::{reaper, store_with};
use super::{Due, Reaper, Retire, TaskRetention, retire};
use crate::driver::{Controller, Requeue};
use crate::testing::{START, client_token, hours, task, write};

fn tokens(state: &State) -> Vec<String> {
    let cluster = state.cluster_by_incarnation(1).unwrap();
    assert_eq!(cluster.client_tokens.len(), state.client_tokens().count());
    cluster.client_tokens.keys().map(|token| token.to_string()).collect()
}

/// Tokens left when a reaper runs for the first time at `at`.
async fn left(store: &Store, at: Timestamp) -> Vec<String> {
    reaper(store, at).reconcile().await.unwrap();
    tokens(&store.view())
}

#[tokio::test]
async fn a_token_goes_when_it_protects_nothing_any_more() {
    let store = store_with([
        task(1, 1, Some(hours(2))).into(),
        task(1, 2, None).into(),
        client_token(1, "failed", START, &[]).into(),
        client_token(1, "gone", START, &[99]).into(),
        client_token(1, "running", START, &[2]).into(),
        client_token(1, "stopped", START, &[1]).into(),
        client_token(1, "young", hours(1), &[]).into(),
    ])
    .await;
    let before = |at: Timestamp| at.plus_millis(-1);
    assert_eq!(left(&store, before(hours(1))).await, ["failed", "gone", "running", "stopped", "young"]);
    assert_eq!(left(&store, hours(1)).await, ["running", "stopped", "young"]);
    assert_eq!(left(&store, before(hours(2))).await, ["running", "stopped", "young"]);
    assert_eq!(left(&store, hours(2)).await, ["running", "stopped"]);
    assert_eq!(left(&store, before(hours(3))).await, ["running", "stopped"]);
    assert_eq!(left(&store, hours(3)).await, ["running"]);
    assert_eq!(left(&store, before(hours(24))).await, ["running"]);
    assert_eq!(left(&store, hours(24)).await, [""; 0]);
}

#[tokio::test]
async fn a_token_is_judged_again_in_the_transaction() {
    let store = store_with([client_token(1, "t", START, &[]).into(), client_token(1, "u", hours(1), &[]).into()]).await;
    let found = ["t", "u", "v"].map(|token| Due::ClientToken(1, token.into())).to_vec();
    let input = Retire { retention_millis: 3_600_000, found };
    assert_eq!(store.update(write(hours(1), input), retire::decide).await, Ok(1));
    assert_eq!(tokens(&store.view()), ["u"]);
}

/// A reaper that lives on while its clock is set.
fn living(store: &Store) -> (Reaper, Arc<Mutex<Timestamp>>) {
    let at = Arc::new(Mutex::new(START));
    let clock = Arc::clone(&at);
    let now = Arc::new(move || *clock.lock().unwrap());
    (Reaper::new(store.clone(), TaskRetention::default(), now), at)
}

#[tokio::test]
async fn a_living_reaper_finds_each_end_within_ten_minutes() {
    let running = (1..=20).map(|number| task(1, number, None).into());
    let protected = (1..=20)
        .map(|number| client_token(1, &format!("{number:02}"), START.plus_seconds(number), &[number as u64]).into());
    let store = store_with(running.chain(protected)).await;
    let (mut reaper, at) = living(&store);
    let mut stopped_at = std::collections::BTreeMap::new();
    let mut now = START;
    while !tokens(&store.view()).is_empty() {
        // One task stops every 37 minutes; the last four never do.
        let minutes = now.millis_since(START) / 60_000;
        let number = u64::try_from(minutes / 37).unwrap();
        if minutes % 37 == 0 && (1..=16).contains(&number) {
            crate::testing::put(&store, [task(1, number, Some(now)).into()]).await;
            stopped_at.insert(number, now);
        }
        *at.lock().unwrap() = now;
        reaper.reconcile().await.unwrap();
        for (number, stopped_at) in &stopped_at {
            let name = format!("{number:02}");
            let held = tokens(&store.view()).contains(&name);
            let since = now.millis_since(*stopped_at);
            assert!(held || since >= 3_600_000, "token {name} went early, {since} ms after the stop");
            assert!(!held || since < 3_600_000 + 660_000, "token {name} is kept {since} ms after the stop");
        }
        now = now.plus_seconds(60);
    }
    assert!(now.millis_since(START) <= (24 * 3600 + 120) * 1000);
}

#[tokio::test]
async fn the_tokens_are_not_looked_at_all_the_time() {
    let store = store_with([task(1, 1, None).into(), client_token(1, "t", START, &[1]).into()]).await;
    let (mut reaper, at) = living(&store);
    assert_eq!(reaper.reconcile().await.unwrap(), Requeue::After(Duration::from_secs(5)));
    assert_eq!(reaper.next_sweep, None);
    *at.lock().unwrap() = hours(1);
    reaper.reconcile().await.unwrap();
    assert_eq!(reaper.next_sweep, Some(hours(2)), "its task can stop now at the earliest");
    *at.lock().unwrap() = hours(2).plus_millis(-1);
    reaper.reconcile().await.unwrap();
    assert_eq!(reaper.next_sweep, Some(hours(2)));
}
