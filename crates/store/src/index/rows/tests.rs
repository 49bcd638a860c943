//! Rows against a `BTreeMap`, and what a write leaves shared.

use super::super::{IdMap, PositionSet};
use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

#[derive(Debug, Clone)]
enum Step {
    Insert(u64, u8),
    InsertRun(u64, u64),
    Remove(u64),
    RemoveRun(u64, u64),
    Snapshot,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let position = || {
        prop_oneof![
            6 => 0..300u64,
            2 => 0..70_000u64,
            1 => (1u64 << 32) - 40..(1 << 32) + 40,
            1 => (u64::MAX - 40)..=u64::MAX,
        ]
    };
    let step = prop_oneof![
        6 => (position(), any::<u8>()).prop_map(|(position, seed)| Step::Insert(position, seed)),
        2 => (position(), 1..60u64).prop_map(|(start, count)| Step::InsertRun(start, count)),
        5 => position().prop_map(Step::Remove),
        2 => (position(), 1..60u64).prop_map(|(start, count)| Step::RemoveRun(start, count)),
        1 => Just(Step::Snapshot),
    ];
    proptest::collection::vec(step, 1..120)
}

fn id(position: u64, seed: u8) -> [u8; 16] {
    let mut id = [seed; 16];
    id[..8].copy_from_slice(&position.to_le_bytes());
    id
}

type Oracle = BTreeMap<u64, ([u8; 16], u64)>;

fn assert_same(rows: &Rows<u64>, oracle: &Oracle) {
    assert_eq!(rows.len(), oracle.len());
    assert_eq!(rows.is_empty(), oracle.is_empty());
    let all: Vec<_> = rows.iter_from(0).map(|(position, id, record)| (position, (id, **record))).collect();
    assert!(all.iter().copied().eq(oracle.iter().map(|(position, row)| (*position, *row))));
    let keys: Vec<u64> = oracle.keys().copied().collect();
    assert!(rows.ids(&keys).into_iter().eq(oracle.values().map(|(id, _)| *id)));
    for probe in keys.iter().flat_map(|p| [p.saturating_sub(1), *p, p.saturating_add(1)]).chain([0, u64::MAX]) {
        assert_eq!(rows.get(probe).map(|record| **record), oracle.get(&probe).map(|(_, record)| *record));
        assert_eq!(rows.id(probe), oracle.get(&probe).map(|(id, _)| *id));
        let next = rows.iter_from(probe).next().map(|(position, ..)| position);
        assert_eq!(next, oracle.range(probe..).next().map(|(position, _)| *position));
    }
    let with_gaps: Vec<u64> = (0..400).collect();
    assert!(rows.ids(&with_gaps).into_iter().eq(oracle.range(0..400).map(|(_, (id, _))| *id)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn agree_with_an_ordered_map_and_clones_never_change(steps in steps()) {
        let (mut rows, mut oracle, mut snapshots) = (Rows::new(), Oracle::new(), Vec::new());
        let mut record = 0;
        for step in steps {
            let (inserted, removed) = match step {
                Step::Insert(position, seed) => (vec![(position, seed)], vec![]),
                Step::InsertRun(start, count) => ((0..count).map(|n| (start.saturating_add(n), 7)).collect(), vec![]),
                Step::Remove(position) => (vec![], vec![position]),
                Step::RemoveRun(start, count) => (vec![], (0..count).map(|n| start.saturating_add(n)).collect()),
                Step::Snapshot => {
                    snapshots.push((rows.clone(), oracle.clone()));
                    continue;
                }
            };
            for (position, seed) in inserted {
                record += 1;
                let replaced = rows.insert(position, id(position, seed), Arc::new(record)).map(|record| *record);
                let expected = oracle.insert(position, (id(position, seed), record)).map(|(_, record)| record);
                prop_assert_eq!(replaced, expected);
            }
            for position in removed {
                let removed = rows.remove(position).map(|(id, record)| (id, *record));
                prop_assert_eq!(removed, oracle.remove(&position));
            }
        }
        snapshots.push((rows, oracle));
        for (rows, oracle) in &snapshots {
            assert_same(rows, oracle);
        }
    }
}

#[test]
fn a_write_copies_one_bottom_node() {
    let mut rows = Rows::new();
    let records: Vec<Arc<u64>> = (0..5_000).map(Arc::new).collect();
    for (position, record) in records.iter().enumerate() {
        rows.insert(position as u64, id(position as u64, 0), Arc::clone(record));
    }
    let copied = || records.iter().filter(|record| Arc::strong_count(record) > 2).count();
    assert_eq!(copied(), 0);
    let snapshot = rows.clone();
    assert_eq!(copied(), 0, "a clone shares everything");
    rows.remove(1_000);
    assert_eq!(copied(), 15, "the neighbours in its node");
    rows.remove(1_001);
    assert_eq!(copied(), 14, "the node is already its own");
    drop(snapshot);
    assert_eq!(copied(), 0);
    assert_eq!(Arc::strong_count(&records[1_000]), 1);
}

#[test]
fn removing_the_largest_position_lowers_the_tree() {
    let mut rows = Rows::new();
    rows.insert(3, id(3, 0), Arc::new(3u64));
    assert_eq!(rows.tree.height(), 0);
    rows.insert(u64::MAX, id(4, 0), Arc::new(4));
    assert_eq!(rows.tree.height(), 15);
    rows.insert(300, id(5, 0), Arc::new(5));
    rows.remove(u64::MAX);
    assert_eq!(rows.tree.height(), 2);
    rows.remove(300);
    assert_eq!(rows.tree.height(), 0);
    assert_eq!(rows.get(3).map(|record| **record), Some(3));
}

#[test]
fn everything_may_be_shared_between_threads() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<Rows<String>>();
    shared::<PositionSet>();
    shared::<IdMap>();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn built_at_once_they_are_what_inserts_make(
        runs in proptest::collection::vec((prop_oneof![0..2_000u64, any::<u64>()], 1..100u64), 0..8),
    ) {
        let positions = runs.iter().flat_map(|(start, count)| *start..start.saturating_add(*count));
        let mut oracle: Oracle = positions.map(|position| (position, (id(position, 1), position))).collect();
        let sorted = oracle.iter().map(|(position, (id, record))| (*position, *id, Arc::new(*record)));
        let mut rows = Rows::from_sorted(sorted);
        assert_same(&rows, &oracle);
        prop_assert!(Rows::<u64>::from_sorted(std::iter::empty()).is_empty());
        let half: Vec<u64> = oracle.keys().copied().step_by(2).collect();
        for position in half {
            rows.remove(position);
            oracle.remove(&position);
            rows.insert(position / 2, id(position, 2), Arc::new(position));
            oracle.insert(position / 2, (id(position, 2), position));
        }
        assert_same(&rows, &oracle);
    }
}
