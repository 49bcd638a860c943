//! The id map against a `BTreeMap`, with colliding fingerprints, and the shape of its shards.

use super::*;
use proptest::prelude::*;
use std::cell::Cell;
use std::collections::BTreeMap;

/// An id of a fleet; every fourth one has the same fingerprint as the others of its kind.
fn id(number: u64) -> [u8; 16] {
    let high = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let low = if number.is_multiple_of(4) { high.rotate_left(29) } else { high.wrapping_mul(0xd134_2543_de82_ef95) };
    (u128::from(high) << 64 | u128::from(low)).to_le_bytes()
}

#[derive(Debug, Clone)]
enum Step {
    Insert(u64),
    Remove(u64),
    InsertMany(u64, u64),
    RemoveMany(u64, u64),
    Snapshot,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0..2_000u64).prop_map(Step::Insert),
        4 => (0..2_000u64).prop_map(Step::Remove),
        2 => (0..1_500u64, 1..500u64).prop_map(|(start, count)| Step::InsertMany(start, count)),
        2 => (0..1_500u64, 1..500u64).prop_map(|(start, count)| Step::RemoveMany(start, count)),
        1 => Just(Step::Snapshot),
    ];
    proptest::collection::vec(step, 1..30)
}

/// What the map must hold: ids by position, as the rows would.
type Oracle = BTreeMap<u64, [u8; 16]>;

/// Positions on both sides of 2^32, so that both halves of an entry matter.
fn position(number: u64) -> u64 {
    number + ((1 << 32) - 1_000) * (number % 3)
}

fn assert_same(map: &IdMap, oracle: &Oracle) {
    assert_eq!(map.len(), oracle.len());
    assert_eq!(map.is_empty(), oracle.is_empty());
    for number in 0..2_000 {
        let id = id(number);
        let found = map.find(&id, |position| oracle.get(&position) == Some(&id));
        assert_eq!(found, oracle.contains_key(&position(number)).then(|| position(number)), "id {number}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn agrees_with_a_map_and_clones_never_change(steps in steps()) {
        let (mut map, mut oracle, mut snapshots) = (IdMap::new(), Oracle::new(), Vec::new());
        for step in steps {
            let (inserted, removed) = match step {
                Step::Insert(number) => (number..number + 1, 0..0),
                Step::Remove(number) => (0..0, number..number + 1),
                Step::InsertMany(start, count) => (start..start + count, 0..0),
                Step::RemoveMany(start, count) => (0..0, start..start + count),
                Step::Snapshot => {
                    snapshots.push((map.clone(), oracle.clone()));
                    continue;
                }
            };
            for number in inserted {
                let new = oracle.insert(position(number), id(number)).is_none();
                prop_assert_eq!(map.insert(&id(number), position(number)), new);
            }
            for number in removed {
                let there = oracle.remove(&position(number)).is_some();
                prop_assert_eq!(map.remove(&id(number), position(number)), there);
            }
        }
        snapshots.push((map, oracle));
        for (map, oracle) in &snapshots {
            assert_same(map, oracle);
        }
    }
}

#[test]
fn one_fingerprint_for_all_stays_correct() {
    let ids: Vec<[u8; 16]> = (0..600).map(|n| id(n * 4)).collect();
    assert!(ids.iter().all(|id| fingerprint(id) == fingerprint(&ids[0])));
    let mut map = IdMap::new();
    for (position, id) in ids.iter().enumerate() {
        assert!(map.insert(id, position as u64));
    }
    let asked = Cell::new(0);
    let matches = |position| {
        asked.set(asked.get() + 1);
        position == 599
    };
    assert_eq!(map.find(&ids[599], matches), Some(599));
    assert_eq!(asked.get(), 600);
    assert!(map.remove(&ids[0], 0) && !map.remove(&ids[0], 0));
    assert_eq!(map.find(&ids[0], |position| position == 0), None);
    assert_eq!(map.find(&ids[1], |position| position == 1), Some(1));
}

/// The sizes of all shards.
fn sizes(map: &IdMap) -> Vec<usize> {
    (0..map.shard_count).map(|key| map.shards.get(key).map_or(0, |shard| shard.items().len())).collect()
}

#[test]
fn shards_stay_short_and_ids_are_told_apart() {
    let mut map = IdMap::new();
    let ids: Vec<[u8; 16]> = (0..40_000u64).map(|n| id(n * 4 + 1)).collect();
    for (position, id) in ids.iter().enumerate() {
        map.insert(id, position as u64);
        let average = map.len() / map.shard_count as usize;
        assert!(average <= FULL);
    }
    assert_eq!(map.shard_count, 209);
    assert!(sizes(&map).iter().all(|size| *size <= 3 * FULL), "{:?}", sizes(&map));
    let wrong = Cell::new(0);
    for (position, id) in ids.iter().enumerate() {
        let found = map.find(id, |candidate| {
            wrong.set(wrong.get() + u32::from(candidate != position as u64));
            candidate == position as u64
        });
        assert_eq!(found, Some(position as u64));
    }
    for absent in 40_000..50_000u64 {
        let asked = |_| {
            wrong.set(wrong.get() + 1);
            false
        };
        assert_eq!(map.find(&id(absent * 4 + 1), asked), None);
    }
    assert!(wrong.get() < 10, "{} wrong candidates", wrong.get());
    for (position, id) in ids.iter().enumerate().skip(100) {
        map.remove(id, position as u64);
    }
    assert_eq!((map.len(), map.shard_count), (100, 1));
}

#[test]
fn sequential_ids_spread_over_the_shards() {
    let mut map = IdMap::new();
    for number in 0..20_000u128 {
        map.insert(&number.to_be_bytes(), number as u64);
    }
    assert!(sizes(&map).iter().all(|size| *size <= 3 * FULL), "{:?}", sizes(&map));
}

#[test]
fn a_map_built_at_once_is_what_inserts_make() {
    for count in [0, 1, 2, FULL as u64, FULL as u64 + 1, 1_000, 1_999] {
        let mut oracle: Oracle = (0..count).map(|number| (position(number), id(number))).collect();
        let mut built = IdMap::from_distinct(oracle.iter().map(|(position, id)| (id, *position)));
        let mut inserted = IdMap::new();
        oracle.iter().for_each(|(position, id)| assert!(inserted.insert(id, *position)));
        assert_eq!(built.shard_count, inserted.shard_count);
        for shard in 0..=built.shard_count {
            assert_eq!(built.shards.get(shard).map(Run::items), inserted.shards.get(shard).map(Run::items));
        }
        assert_same(&built, &oracle);
        for number in (0..count).step_by(3) {
            assert!(built.remove(&id(number), position(number)));
            oracle.remove(&position(number));
        }
        assert_same(&built, &oracle);
    }
}
