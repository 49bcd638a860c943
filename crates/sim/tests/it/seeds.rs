//! A handful of seeds, each twice: nothing is wrong, and both runs are the same byte for byte.

use longshore_sim::world::{Options, Outcome, run};

fn outcome(seed: u64) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    run(&runtime, Options::of(seed))
}

fn is_good_and_the_same_twice(seed: u64) {
    let one = outcome(seed);
    let tail = one.log.lines().rev().take(20).collect::<Vec<_>>();
    assert!(one.violations.is_empty(), "seed {seed}: {:#?}\n{tail:#?}", one.violations);
    assert!(one.events >= 500, "seed {seed} has {} events", one.events);
    assert!(one.crashes >= 1, "seed {seed} has no crash");
    let two = outcome(seed);
    let differs = one.log.lines().zip(two.log.lines()).find(|(one, two)| one != two);
    assert_eq!(differs, None, "seed {seed}");
    assert!(one == two, "seed {seed} is not the same twice");
}

#[test]
fn seed_1() {
    is_good_and_the_same_twice(1);
}

#[test]
fn seed_2() {
    is_good_and_the_same_twice(2);
}

#[test]
fn seed_3() {
    is_good_and_the_same_twice(3);
}

#[test]
fn seed_4() {
    is_good_and_the_same_twice(4);
}
