//! Position sets against a `BTreeSet`, around every switch of shape, and what a write leaves shared.

use super::super::leaf::LeafView;
use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

#[derive(Debug, Clone)]
enum Step {
    Insert { start: u64, stride: u64, count: u64 },
    Remove { start: u64, stride: u64, count: u64 },
    Snapshot,
}

/// Runs that cross the switches at 7, 256, 768 and 1,024 members, at densities from one in 1 to one in 2^33.
fn steps() -> impl Strategy<Value = Vec<Step>> {
    let run = || {
        let start = prop_oneof![
            6 => 0..30_000u64,
            1 => (1u64 << 32) - 1_000..(1 << 32) + 1_000,
            1 => (u64::MAX - 30_000)..=u64::MAX,
        ];
        let stride = prop_oneof![4 => 1..4u64, 3 => 20..50u64, 2 => 5_000..10_000u64, 1 => Just(1 << 33)];
        (start, stride, prop_oneof![3 => 1..12u64, 2 => 200..300u64, 1 => 700..1_100u64])
    };
    let step = prop_oneof![
        4 => run().prop_map(|(start, stride, count)| Step::Insert { start, stride, count }),
        4 => run().prop_map(|(start, stride, count)| Step::Remove { start, stride, count }),
        1 => Just(Step::Snapshot),
    ];
    proptest::collection::vec(step, 1..24)
}

fn run_of(start: u64, stride: u64, count: u64) -> impl Iterator<Item = u64> {
    (0..count).map_while(move |n| start.checked_add(n * stride))
}

fn assert_same(set: &PositionSet, oracle: &BTreeSet<u64>) {
    assert_eq!(set.len(), oracle.len());
    assert_eq!(set.is_empty(), oracle.is_empty());
    assert!(set.iter_from(0).eq(oracle.iter().copied()));
    let probes =
        oracle.iter().step_by(oracle.len() / 50 + 1).flat_map(|p| [p.saturating_sub(1), *p, p.saturating_add(1)]);
    for probe in probes.chain([0, 8_191, 8_192, 1 << 32, u64::MAX]) {
        assert_eq!(set.contains(probe), oracle.contains(&probe), "contains {probe}");
        assert_eq!(set.successor(probe), oracle.range(probe..).next().copied(), "successor of {probe}");
        assert!(set.iter_from(probe).take(3).eq(oracle.range(probe..).copied().take(3)), "iter from {probe}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn agrees_with_an_ordered_set_and_clones_never_change(steps in steps()) {
        let (mut set, mut oracle, mut snapshots) = (PositionSet::new(), BTreeSet::new(), Vec::new());
        for step in steps {
            match step {
                Step::Insert { start, stride, count } => {
                    for position in run_of(start, stride, count) {
                        prop_assert_eq!(set.insert(position), oracle.insert(position));
                    }
                }
                Step::Remove { start, stride, count } => {
                    for position in run_of(start, stride, count) {
                        prop_assert_eq!(set.remove(position), oracle.remove(&position));
                    }
                }
                Step::Snapshot => snapshots.push((set.clone(), oracle.clone())),
            }
        }
        snapshots.push((PositionSet::from_iter(oracle.iter().rev().copied()), oracle.clone()));
        snapshots.push((set, oracle));
        for (set, oracle) in &snapshots {
            assert_same(set, oracle);
        }
    }
}

/// One member more, one member less, through every size up to 1,300, at four densities.
#[test]
fn every_size_on_the_way_up_and_down() {
    for stride in [1, 31, 8_192, 1 << 23, 1 << 40] {
        let members: Vec<u64> = (0..1_300u64).map(|n| (n * 577 % 1_300) * stride + 3).collect();
        let (mut set, mut oracle) = (PositionSet::new(), BTreeSet::new());
        for (round, member) in members.iter().enumerate() {
            assert!(set.insert(*member) && !set.insert(*member));
            oracle.insert(*member);
            assert_eq!(set.len(), oracle.len());
            if round % 97 == 0 || round > 1_020 && round < 1_030 {
                assert_same(&set, &oracle);
            }
        }
        for (round, member) in members.iter().enumerate() {
            assert!(set.remove(*member) && !set.remove(*member));
            oracle.remove(member);
            if round % 97 == 0 || round > 525 && round < 540 || oracle.len() < 4 {
                assert_same(&set, &oracle);
            }
        }
        assert!(set.is_empty());
    }
}

fn is_flat(set: &PositionSet) -> bool {
    matches!(set.view(), View::Flat(_))
}

#[test]
fn shape_follows_size_with_hysteresis() {
    let mut set: PositionSet = (0..1_024).collect();
    assert!(is_flat(&set));
    set.insert(1_024);
    assert!(!is_flat(&set));
    for position in 0..256 {
        set.remove(position);
    }
    assert!(!is_flat(&set), "769 members");
    set.remove(256);
    assert!(is_flat(&set), "768 members");
    set.insert(0);
    assert!(is_flat(&set));
}

#[test]
fn a_small_set_that_wanders_stays_flat() {
    let mut set = PositionSet::new();
    for step in 0..200u64 {
        set.insert(step << 30);
        if step >= 3 {
            set.remove((step - 3) << 30);
        }
    }
    assert_eq!(set.len(), 3);
    assert!(is_flat(&set));
}

#[test]
fn a_leaf_follows_its_size_with_hysteresis() {
    let is_bitmap = |leaf: &Leaf| matches!(leaf, Leaf::Bitmap(_));
    let mut leaf = Leaf::default();
    for value in (0..257u16).map(|n| n * 31) {
        assert!(!is_bitmap(&leaf));
        leaf.insert(value);
        assert_eq!(matches!(leaf, Leaf::Few { .. }), leaf.len() <= 7);
    }
    assert!(is_bitmap(&leaf));
    for value in (0..64u16).map(|n| n * 31) {
        leaf.remove(value);
        assert!(is_bitmap(&leaf));
    }
    for value in (64..257u16).map(|n| n * 31) {
        assert_eq!(leaf.successor(0), Some(value));
        leaf.remove(value);
        assert!(!is_bitmap(&leaf));
        assert_eq!(matches!(leaf, Leaf::Few { .. }), leaf.len() <= 4);
    }
    assert_eq!((leaf.len(), leaf.successor(0), leaf.last()), (0, None, None));
}

#[test]
fn handles_stay_small() {
    assert!(size_of::<PositionSet>() <= 24);
    assert_eq!(size_of::<Option<Leaf>>(), 16);
}

/// Where each leaf of a set keeps its members.
fn addresses(set: &PositionSet) -> Vec<usize> {
    let View::Tree(leaves) = set.view() else {
        return Vec::new();
    };
    let mut found = Vec::new();
    while let Some((key, leaf)) = leaves.seek(found.last().map_or(0, |(key, _)| key + 1)) {
        let address = match leaf.view() {
            LeafView::Values(values) => values.as_ptr() as usize,
            LeafView::Words(words) => words.as_ptr() as usize,
        };
        found.push((key, address));
    }
    found.into_iter().map(|(_, address)| address).collect()
}

#[test]
fn a_write_copies_one_leaf_and_an_unshared_write_none() {
    let mut set: PositionSet = (0..100_000).map(|n| n * 5).collect();
    let before = addresses(&set);
    let snapshot = set.clone();
    set.remove(250_000);
    let after = addresses(&set);
    assert_eq!(before.len(), 62);
    assert_eq!(before.iter().zip(&after).filter(|(a, b)| a != b).count(), 1);
    set.remove(250_005);
    assert_eq!(addresses(&set), after);
    assert!(snapshot.contains(250_000) && snapshot.contains(250_005));
}
