//! Pages against brute force over plain sets, and the work that adversarial fleets may cause.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

type Plain = BTreeSet<u64>;

/// Runs of positions: (start, stride, count).
type Runs = Vec<(u64, u64, u64)>;

/// Up to four sets within one range, of every shape and density, with some members put into all of them.
fn fleets() -> impl Strategy<Value = Vec<Plain>> {
    let base = prop_oneof![4 => Just(0), 1 => Just(5 * 8_192 - 3), 1 => Just(1 << 40), 1 => Just(u64::MAX - 400_000)];
    let stride = || prop_oneof![5 => 1..4u64, 3 => 5..60u64, 1 => 700..9_000u64];
    let runs = move |longest: u64| proptest::collection::vec((0..60_000u64, stride(), 1..longest), 0..4).no_shrink();
    let set = prop_oneof![1 => runs(12), 1 => runs(300), 4 => runs(2_500)];
    (base, proptest::collection::vec(set, 1..=4), runs(60)).prop_map(|(base, sets, common): (u64, Vec<Runs>, Runs)| {
        let plain = |runs: &Runs| -> Plain {
            let members = runs.iter().flat_map(|(start, stride, count)| (0..*count).map(move |n| start + n * stride));
            members.filter_map(|offset| base.checked_add(offset)).collect()
        };
        sets.iter().map(|runs| &plain(runs) | &plain(&common)).collect()
    })
}

fn brute_force(sets: &[Plain]) -> Vec<u64> {
    sets[0].iter().copied().filter(|p| sets.iter().all(|set| set.contains(p))).collect()
}

fn build(sets: &[Plain]) -> Vec<PositionSet> {
    sets.iter().map(|set| set.iter().copied().collect()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_page_is_what_brute_force_finds(plain in fleets(), limit in 0..101usize, picks in proptest::array::uniform4(any::<prop::sample::Index>())) {
        let built = build(&plain);
        let sets: Vec<&PositionSet> = built.iter().collect();
        let expected = brute_force(&plain);
        let union: Vec<u64> = plain.iter().flatten().copied().collect();
        let afters = picks.iter().filter(|_| !union.is_empty()).map(|pick| union[pick.index(union.len())]);
        for after in afters.flat_map(|p| [Some(p), p.checked_sub(1)]).chain([None, Some(0), Some(u64::MAX)]) {
            let rest: Vec<u64> = expected.iter().copied().filter(|p| after.is_none_or(|after| *p > after)).collect();
            let found = page(&sets, after, limit, &mut Work::new());
            prop_assert_eq!(&found.positions, &rest[..limit.min(rest.len())], "after {:?}", after);
            prop_assert_eq!(found.more, rest.len() > limit);
            prop_assert_eq!(found.cursor, found.positions.last().copied().or(after));
        }
    }

    #[test]
    fn pages_cut_short_by_the_work_limit_still_return_everything_once(plain in fleets(), limit in 1..101usize, work_limit in 0..4_000u64) {
        let built = build(&plain);
        let sets: Vec<&PositionSet> = built.iter().collect();
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let mut work = Work::limited(work_limit);
            let found = page(&sets, after, limit, &mut work);
            all.extend(found.positions);
            prop_assert!(work.cost() < work_limit + 10_000, "one leaf or group past the limit at most: {:?}", work);
            if !found.more {
                break;
            }
            prop_assert!(found.cursor > after, "{:?} after {:?}", found.cursor, after);
            after = found.cursor;
        }
        prop_assert_eq!(all, brute_force(&plain));
    }
}

#[test]
fn no_set_is_an_empty_page() {
    assert_eq!(page(&[], None, 100, &mut Work::new()), Page::default());
    assert_eq!(page(&[], Some(7), 100, &mut Work::new()).cursor, Some(7));
}

/// Half of `tasks` tasks each, one task in `gap` positions, scattered by a hash or in turn, with `shared` in both.
fn halves(tasks: u64, gap: u64, scattered: bool, shared: u64) -> [PositionSet; 2] {
    [0, 1].map(|half| {
        (0..tasks)
            .filter(|n| {
                let coin = if scattered { n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 63 } else { n & 1 };
                coin == half || shared > 0 && n % (tasks / shared) == tasks / shared / 2
            })
            .map(|n| n * gap)
            .collect()
    })
}

/// The bound of the module's head: 123 leaves of 128 words a set for a million consecutive positions, plus pages.
const MILLION_WORDS: u64 = 2 * (123 * 128 + 3);

#[test]
fn half_a_million_meet_half_a_million_within_the_bound() {
    for scattered in [false, true] {
        for shared in [0, 100] {
            let [a, b] = halves(1_000_000, 1, scattered, shared);
            let mut work = Work::new();
            let found = page(&[&a, &b], None, 100, &mut work);
            assert_eq!((found.positions.len() as u64, found.more), (shared, false));
            assert!(work.words <= MILLION_WORDS && work.members == 0, "{work:?}");
            assert!(work.cost() < Work::PAGE_LIMIT / 2, "{work:?}");
        }
    }
}

#[test]
fn gaps_cost_leaves_and_the_limit_holds_all_the_same() {
    for (gap, tasks) in [(2, 400_000), (8, 400_000), (40, 400_000), (3_000, 60_000)] {
        let [a, b] = halves(tasks, gap, true, 50);
        let leaves = tasks * gap / 8_192 + 1;
        let mut whole = Work::new();
        let found = page(&[&a, &b], None, 100, &mut whole);
        assert_eq!((found.positions.len(), found.more), (50, false), "gap {gap}");
        assert!(whole.words <= 2 * (leaves * 129 + 64), "gap {gap}: {whole:?}");
        assert!(whole.members <= 8 * tasks, "gap {gap}: {whole:?}");

        let (mut seen, mut after) = (0, None);
        loop {
            let mut work = Work::limited(Work::PAGE_LIMIT);
            let found = page(&[&a, &b], after, 100, &mut work);
            assert!(work.cost() <= Work::PAGE_LIMIT + 4_000, "gap {gap}: {work:?}");
            seen += found.positions.len();
            after = found.cursor;
            if !found.more {
                break;
            }
        }
        assert_eq!(seen, 50, "gap {gap}");
    }
}

#[test]
fn leaves_of_one_set_only_are_never_visited() {
    let evens: PositionSet = (0..200_000u64).map(|n| (n >> 10) << 14 | (n & 1_023) << 3).collect();
    let odds: PositionSet = evens.iter_from(0).map(|p| p + 8_192).collect();
    let mut work = Work::new();
    assert!(page(&[&evens, &odds], None, 100, &mut work).positions.is_empty());
    assert_eq!((work.leaves, work.members), (0, 0));
    assert!(work.words < 100, "{work:?}");
}

#[test]
fn a_page_does_not_pay_for_what_follows_it() {
    let all: PositionSet = (0..300_000).collect();
    let third: PositionSet = (0..100_000).map(|n| n * 3).collect();
    let flat: PositionSet = (0..1_000).map(|n| n * 300).collect();
    for (sets, most) in [(vec![&all], 20), (vec![&all, &third], 70), (vec![&all, &third, &flat], 800)] {
        for after in [None, Some(140_000)] {
            let mut work = Work::new();
            let found = page(&sets, after, 100, &mut work);
            assert!(found.more && found.positions.len() == 100);
            assert!(work.words + work.members <= most, "{work:?}");
        }
    }
}

#[test]
fn a_flat_set_bounds_the_work_against_large_ones() {
    let [a, b] = halves(400_000, 1, true, 0);
    for stride in [1, 50, 390] {
        let flat: PositionSet = (0..1_024).map(|n| n * stride).collect();
        let mut work = Work::new();
        assert!(page(&[&a, &flat, &b], None, 100, &mut work).positions.is_empty());
        assert!(work.cost() < 60_000, "stride {stride}: {work:?}");
    }
}
