//! Two sets of half a million that share a hundred positions or none, laid out to hurt: one constant bounds a page.

use super::*;

const TASKS: u64 = 1_000_000;
/// A million positions are 123 leaves. Where both sets have one they cost two visits and, at most, an array of 256 (two
/// words a member) looked up in a bitmap (a word a member); two bitmaps cost less. Above them are few pages.
const BOUND: u64 = 123 * (2 * 32 + 2 * 256 + 256) + 64;

fn scatter(n: u64) -> u64 {
    let z = (n ^ (n >> 30)).wrapping_add(0x9e37_79b9_7f4a_7c15).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb) >> 17
}

/// Which of the two sets has a position that is not shared.
type Layout = fn(u64) -> bool;

const LAYOUTS: [(&str, Layout); 11] = [
    ("in turn", |n| n & 1 == 0),
    ("words in turn", |n| n >> 6 & 1 == 0),
    ("half leaves in turn", |n| n >> 12 & 1 == 0),
    ("leaves in turn", |n| n >> 13 & 1 == 0),
    ("leaves in turn, out of step", |n| (n + 4_000) >> 13 & 1 == 0),
    ("random", |n| scatter(n) & 1 == 0),
    ("random, 1 in 8 to 7 in 8", |n| scatter(n) & 7 < 1 + (n * 7 / TASKS)),
    ("one half each", |n| n < TASKS / 2),
    ("one dense, one sparse", |n| n < TASKS * 4 / 7 && !n.is_multiple_of(8)),
    ("one dense, one in arrays", |n| n < TASKS / 2 + 16_000 && !n.is_multiple_of(33)),
    ("arrays and bitmaps in turn", |n| n.is_multiple_of(33) == (n >> 13 & 1 == 0)),
];

/// How many positions are shared, and which.
const SHARED: [(u64, Layout); 2] = [(0, |_| false), (100, |n| n % (TASKS / 100) == 4_999)];

#[test]
fn two_halves_cost_a_constant_however_they_lie() {
    let mut most = 0;
    for (name, is_first) in LAYOUTS {
        for (shared, is_shared) in SHARED {
            let half = |first: bool| (0..TASKS).filter(move |n| is_first(*n) == first || is_shared(*n)).collect();
            let (a, b): (PositionSet, PositionSet) = (half(true), half(false));
            for limit in [7, 100] {
                let (mut found, mut after) = (0, None);
                loop {
                    let mut work = Work::limited(Work::PAGE_LIMIT);
                    let page = page(&[&a, &b], after, limit, &mut work);
                    most = most.max(work.cost());
                    assert!(work.cost() <= BOUND, "{name}, sharing {shared}, pages of {limit}: {work:?}");
                    found += page.positions.len() as u64;
                    assert!(page.positions.iter().all(|n| is_shared(*n)));
                    after = page.cursor;
                    if !page.more {
                        break;
                    }
                }
                assert_eq!(found, shared, "{name}, pages of {limit}");
            }
        }
    }
    assert!(most * 4 > BOUND, "the bound says nothing: no page cost more than {most}");
}
