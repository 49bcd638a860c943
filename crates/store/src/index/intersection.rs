//! One page of the positions that several sets share: what a ListTasks filter combination costs.
//!
//! Flat sets drive when there is one; otherwise the trees are descended together, with one AND a page of 64 leaves, so
//! that a leaf is looked at only when every set has it. Two bitmaps meet word by word; a member of an array is looked
//! up in a bitmap, for which the longer of two arrays is expanded first.
//!
//! **The bound.** A set spends at most 128 words or 256 members on each leaf that all sets have. Within a million
//! consecutive positions that is 123 leaves, so 15,744 words a set, whoever shares what with whom. With gaps between
//! the live tasks there are more leaves for the same tasks, and no representation settles a million scattered members in
//! constant time. [`Work::limited`] makes the bound hold there too: the page then ends early with a cursor.

use super::candidates::Candidates;
use super::leaf::{Leaf, LeafView, SPAN_BITS, WORDS};
use super::position_set::{FlatView, Leaves, PAGE_BITS, PositionSet, View};
use super::radix::Node;
use std::ops::ControlFlow;

/// Words ANDed and looked at in one step.
const BLOCK: usize = 16;
/// Members of a flat set that are looked up together, so that a page does not look up many more than it returns.
const GROUP: usize = 128;
/// Positions that a page has room for from its start, if it may be that large.
const ROOM: usize = 1024;

/// What pages have touched so far, and when a page must stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Work {
    /// Words of pages and bitmaps read, each set's counted.
    pub words: u64,
    /// Members of arrays and flat sets read or compared.
    pub members: u64,
    /// Leaves visited, each set's counted.
    pub leaves: u64,
    limit: u64,
}

impl Default for Work {
    fn default() -> Self {
        Self { words: 0, members: 0, leaves: 0, limit: u64::MAX }
    }
}

impl Work {
    /// A limit that ends every page within 25 to 60 µs on a core of 2026, above what four sets over a million consecutive
    /// positions can cost (78,732), so that it never shortens a page there.
    pub const PAGE_LIMIT: u64 = 1 << 17;

    /// Counts without a limit.
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts, and ends a page at the first leaf boundary at which [`Work::cost`] has reached `limit`.
    pub fn limited(limit: u64) -> Self {
        Self { limit, ..Self::default() }
    }

    /// Everything touched, in words: a member takes the time of two, the visit of a leaf that of 32.
    pub fn cost(&self) -> u64 {
        self.words + 2 * self.members + 32 * self.leaves
    }

    fn is_spent(&self) -> bool {
        self.cost() >= self.limit
    }
}

/// A page of positions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// At most `limit` positions, ascending.
    pub positions: Vec<u64>,
    /// Whether a next page is due. False: every position has been returned. True with a full page: at least one more
    /// exists. True with a page that is not full: the work limit ended it, and there may be more.
    pub more: bool,
    /// The position after which the next page starts: the last one returned, or further on when the work limit ended the
    /// page; with nothing looked at, the `after` of the call.
    pub cursor: Option<u64>,
}

/// The first `limit` positions after `after` (from the beginning: `None`) that are in every one of `sets`, of which
/// there must be one; without sets the page is empty.
pub fn page(sets: &[&PositionSet], after: Option<u64>, limit: usize, work: &mut Work) -> Page {
    let Some(lower) = after.map_or(Some(0), |after| after.checked_add(1)) else {
        return Page { cursor: after, ..Page::default() };
    };
    if let [set] = sets
        && let View::Flat(flat) = set.view()
    {
        return flat_page(&flat, lower, after, limit, work);
    }
    let mut flats = Vec::with_capacity(sets.len());
    let mut trees = Vec::with_capacity(sets.len());
    for set in sets {
        match set.view() {
            View::Flat(flat) => flats.push(flat),
            View::Tree(leaves) => trees.push(leaves),
        }
    }
    flats.sort_unstable_by_key(FlatView::len);
    let mut walk = Walk {
        lower,
        limit,
        work,
        positions: Vec::with_capacity(limit.min(ROOM) + 1),
        stack: Vec::new(),
        leaves: Vec::new(),
        candidates: Candidates::default(),
    };
    let end = match flats.split_first() {
        Some((driver, others)) => walk.flats(driver, others, &trees),
        None => walk.trees(&trees),
    };
    let mut positions = walk.positions;
    positions.truncate(limit);
    let last = positions.last().copied().or(after);
    match end {
        ControlFlow::Continue(()) => Page { positions, more: false, cursor: last },
        ControlFlow::Break(Stop::Full) => Page { positions, more: true, cursor: last },
        ControlFlow::Break(Stop::Spent(cursor)) => Page { positions, more: true, cursor: Some(cursor) },
    }
}

/// A page of one flat set.
fn flat_page(flat: &FlatView<'_>, lower: u64, after: Option<u64>, limit: usize, work: &mut Work) -> Page {
    let first = flat.rank_from(0, lower);
    let more = flat.len().saturating_sub(first) > limit;
    let positions: Vec<u64> = flat.members_from(first).take(limit).collect();
    work.members += positions.len() as u64;
    let cursor = positions.last().copied().or(after);
    Page { positions, more, cursor }
}

/// Why a page ended before its sets did.
enum Stop {
    /// One position more than asked for was found.
    Full,
    /// The work limit was reached when everything up to this position had been looked at.
    Spent(u64),
}

struct Walk<'a, 'w> {
    lower: u64,
    limit: usize,
    work: &'w mut Work,
    positions: Vec<u64>,
    /// The nodes being looked at, one of each tree, below them those of the levels above.
    stack: Vec<&'a Node<Leaf>>,
    /// The leaves being looked at, one of each tree.
    leaves: Vec<&'a Leaf>,
    candidates: Candidates,
}

/// The last position of the leaf `key`.
fn last_of(key: u64) -> u64 {
    (key << SPAN_BITS) | ((1 << SPAN_BITS) - 1)
}

impl<'a> Walk<'a, '_> {
    fn trees(&mut self, trees: &[&'a Leaves]) -> ControlFlow<Stop> {
        let height = trees.iter().map(|tree| tree.height()).min().unwrap_or(0);
        for tree in trees {
            let mut node = tree.root();
            for _ in height..tree.height() {
                self.work.words += 1;
                match node.child(0) {
                    Some(child) => node = child,
                    None => return ControlFlow::Continue(()),
                }
            }
            self.stack.push(node);
        }
        if self.stack.is_empty() { ControlFlow::Continue(()) } else { self.descend(0, height, 0) }
    }

    /// The nodes from `start` of the stack on, whose first leaf has the key `base`.
    fn descend(&mut self, start: usize, level: u32, base: u64) -> ControlFlow<Stop> {
        let shift = PAGE_BITS * level;
        let first = (self.lower >> SPAN_BITS).saturating_sub(base) >> shift;
        let wanted = u32::try_from(first).ok().and_then(|first| u64::MAX.checked_shl(first)).unwrap_or(0);
        let nodes = &self.stack[start..];
        let mut common = nodes.iter().fold(wanted, |common, node| common & node.present());
        self.work.words += nodes.len() as u64;
        while common != 0 {
            let digit = common.trailing_zeros();
            common &= common - 1;
            let key = base + (u64::from(digit) << shift);
            let end = self.stack.len();
            let last = if level == 0 {
                self.leaves.clear();
                self.leaves.extend(self.stack[start..].iter().filter_map(|node| node.item(digit)));
                self.work.leaves += self.leaves.len() as u64;
                self.leaf(key)?;
                key
            } else {
                for at in start..end {
                    self.stack.extend(self.stack[at].child(digit));
                }
                self.descend(end, level - 1, key)?;
                self.stack.truncate(end);
                key | ((1 << shift) - 1)
            };
            if common != 0 && self.work.is_spent() {
                return ControlFlow::Break(Stop::Spent(last_of(last)));
            }
        }
        ControlFlow::Continue(())
    }

    /// What the leaves under `key` share.
    fn leaf(&mut self, key: u64) -> ControlFlow<Stop> {
        let floor = self.lower.saturating_sub(key << SPAN_BITS) as u16;
        let narrowest = self
            .leaves
            .iter()
            .enumerate()
            .filter_map(|(at, leaf)| match leaf.view() {
                LeafView::Values(values) => Some((values, at)),
                LeafView::Words(_) => None,
            })
            .min_by_key(|(values, _)| values.len());
        let Some((values, driver)) = narrowest else {
            return self.bitmaps(key, floor);
        };
        self.candidates.set(&values[values.partition_point(|v| *v < floor)..], self.work);
        for words in [true, false] {
            for (at, leaf) in self.leaves.iter().enumerate() {
                if at != driver && matches!(leaf.view(), LeafView::Words(_)) == words {
                    self.candidates.keep(leaf.view(), self.work);
                }
            }
        }
        self.take_candidates(key)
    }

    /// Only bitmaps: AND block by block, and take the bits of a block that has any.
    fn bitmaps(&mut self, key: u64, floor: u16) -> ControlFlow<Stop> {
        let first = usize::from(floor >> 6);
        for block in first / BLOCK..WORDS / BLOCK {
            let mut words = [u64::MAX; BLOCK];
            for leaf in &self.leaves {
                let LeafView::Words(bits) = leaf.view() else {
                    continue;
                };
                let (blocks, _) = bits.as_chunks::<BLOCK>();
                for (word, other) in words.iter_mut().zip(&blocks[block]) {
                    *word &= other;
                }
            }
            self.work.words += (self.leaves.len() * BLOCK) as u64;
            if words.iter().fold(0, |any, word| any | word) == 0 {
                continue;
            }
            for (at, word) in words.iter_mut().enumerate() {
                let at = block * BLOCK + at;
                if at < first {
                    continue;
                } else if at == first {
                    *word &= u64::MAX << (floor & 63);
                }
                while *word != 0 {
                    let low = (at as u64) << 6 | u64::from(word.trailing_zeros());
                    *word &= *word - 1;
                    self.positions.push((key << SPAN_BITS) + low);
                    self.go_on_unless_full()?;
                }
            }
        }
        ControlFlow::Continue(())
    }

    /// The smallest flat set leads, leaf by leaf.
    fn flats(&mut self, driver: &FlatView<'_>, others: &[FlatView<'_>], trees: &[&'a Leaves]) -> ControlFlow<Stop> {
        let mut next = driver.rank_from(0, self.lower);
        self.candidates.lows.reserve(GROUP);
        let mut ranks = vec![0; others.len()];
        while let Some(first) = driver.at(next) {
            let key = first >> SPAN_BITS;
            let lows = &mut self.candidates.lows;
            lows.clear();
            lows.extend(driver.lows_of(key, next, GROUP));
            next += lows.len();
            self.work.members += lows.len() as u64;
            for (other, rank) in others.iter().zip(&mut ranks) {
                self.candidates.keep_flat(other, rank, key, self.work);
            }
            for tree in trees {
                if self.candidates.lows.is_empty() {
                    break;
                }
                self.work.words += u64::from(tree.height()) + 1;
                self.work.leaves += 1;
                match tree.get(key) {
                    Some(leaf) => self.candidates.keep(leaf.view(), self.work),
                    None => self.candidates.lows.clear(),
                }
            }
            self.take_candidates(key)?;
            if self.work.is_spent()
                && let (Some(last), Some(_)) = (driver.at(next - 1), driver.at(next))
            {
                return ControlFlow::Break(Stop::Spent(last));
            }
        }
        ControlFlow::Continue(())
    }

    fn take_candidates(&mut self, key: u64) -> ControlFlow<Stop> {
        // One more than the page returns tells that there is more.
        let room = self.limit.saturating_sub(self.positions.len()).saturating_add(1);
        let lows = self.candidates.lows.iter().take(room);
        self.positions.extend(lows.map(|low| (key << SPAN_BITS) + u64::from(*low)));
        self.go_on_unless_full()
    }

    fn go_on_unless_full(&self) -> ControlFlow<Stop> {
        if self.positions.len() > self.limit { ControlFlow::Break(Stop::Full) } else { ControlFlow::Continue(()) }
    }
}

#[cfg(test)]
mod adversaries;
#[cfg(test)]
mod tests;
