//! An ordered set of task positions, the value of every ListTasks index.
//!
//! Up to 1,024 members stand in one flat sorted array of 32-bit offsets. A larger set is a radix tree of 64-wide pages
//! whose leaves hold 8,192 positions each (`leaf.rs`); an intersection can therefore skip what only one set has by
//! one AND a page and one AND a word. A set shrinks back at 768 members. Members cost 4 bytes flat, 2 bytes in an
//! array leaf and down to one bit in a bitmap; a set of one has no allocation at all.
//!
//! A clone costs one reference count and never sees a later write. A write to a shared tree copies its leaf (at most
//! 1 KiB) and one page a level, whatever the size of the set.

use std::fmt;
use std::sync::Arc;

use super::leaf::{Leaf, SPAN_BITS};
use super::radix::Radix;
use super::run::Run;

/// Bits of a leaf's key spent on each level of a tree.
pub(super) const PAGE_BITS: u32 = 6;
/// The leaves of a large set by `position >> SPAN_BITS`.
pub(super) type Leaves = Radix<Leaf, PAGE_BITS>;

const FLAT: usize = 1024;
const FLAT_AGAIN: usize = 768;

/// An ordered set of `u64` positions. Any position is legal; density matters only for cost.
#[derive(Clone, Default)]
pub struct PositionSet(Shape);

#[derive(Clone, Default)]
enum Shape {
    #[default]
    Empty,
    One(u64),
    Flat(Flat),
    Tree(Arc<Tree>),
}

/// At least two members, none more than `u32::MAX` above `base`.
#[derive(Clone)]
struct Flat {
    base: u64,
    offsets: Run<u32>,
}

#[derive(Clone, Default)]
struct Tree {
    len: usize,
    leaves: Leaves,
}

/// What a set is made of, for reading.
pub(super) enum View<'a> {
    /// The members as offsets.
    Flat(FlatView<'a>),
    /// The members as leaves.
    Tree(&'a Leaves),
}

/// Ascending members, each `base` plus its offset.
#[derive(Debug, Clone, Copy)]
pub(super) struct FlatView<'a> {
    base: u64,
    offsets: &'a [u32],
}

impl FlatView<'_> {
    /// How many members.
    pub(super) fn len(&self) -> usize {
        self.offsets.len()
    }

    /// The member at a rank.
    #[inline]
    pub(super) fn at(&self, rank: usize) -> Option<u64> {
        self.offsets.get(rank).map(|offset| self.base + u64::from(*offset))
    }

    /// The members from a rank on.
    pub(super) fn members_from(&self, rank: usize) -> impl Iterator<Item = u64> {
        let offsets = self.offsets.get(rank..).unwrap_or_default();
        offsets.iter().map(|offset| self.base + u64::from(*offset))
    }

    /// The members of the leaf `key` from a rank on, before which those of all lower leaves stand, without the bits of
    /// the key; `most` at most.
    #[inline]
    pub(super) fn lows_of(&self, key: u64, from: usize, most: usize) -> impl Iterator<Item = u16> {
        let rest = self.offsets.get(from..).unwrap_or_default();
        let rest = &rest[..most.min(rest.len())];
        let base = self.base;
        let end = rest.partition_point(|offset| (base + u64::from(*offset)) >> SPAN_BITS <= key);
        rest[..end].iter().map(move |offset| (base + u64::from(*offset)) as u16 & ((1 << SPAN_BITS) - 1))
    }

    /// How many members stand below `position`, when at least `from` of them are known to: gallops from there.
    pub(super) fn rank_from(&self, from: usize, position: u64) -> usize {
        let Ok(offset) = u32::try_from(position.saturating_sub(self.base)) else {
            return self.offsets.len();
        };
        let rest = self.offsets.get(from..).unwrap_or_default();
        let mut step = 1;
        while rest.get(step - 1).is_some_and(|o| *o < offset) {
            step *= 2;
        }
        let start = step / 2;
        let end = step.min(rest.len());
        from + start + rest[start..end].partition_point(|o| *o < offset)
    }

    fn rank(&self, position: u64) -> usize {
        u32::try_from(position.saturating_sub(self.base))
            .map_or(self.offsets.len(), |offset| self.offsets.partition_point(|o| *o < offset))
    }
}

fn split(position: u64) -> (u64, u16) {
    (position >> SPAN_BITS, (position & ((1 << SPAN_BITS) - 1)) as u16)
}

impl PositionSet {
    /// The empty set.
    pub fn new() -> Self {
        Self::default()
    }

    pub(super) fn view(&self) -> View<'_> {
        match &self.0 {
            Shape::Empty => View::Flat(FlatView { base: 0, offsets: &[] }),
            Shape::One(position) => View::Flat(FlatView { base: *position, offsets: &[0] }),
            Shape::Flat(flat) => View::Flat(FlatView { base: flat.base, offsets: flat.offsets.items() }),
            Shape::Tree(tree) => View::Tree(&tree.leaves),
        }
    }

    /// How many members; costs nothing.
    pub fn len(&self) -> usize {
        match &self.0 {
            Shape::Empty => 0,
            Shape::One(_) => 1,
            Shape::Flat(flat) => flat.offsets.items().len(),
            Shape::Tree(tree) => tree.len,
        }
    }

    /// Whether there is no member.
    pub fn is_empty(&self) -> bool {
        matches!(self.0, Shape::Empty)
    }

    /// Whether `position` is a member.
    pub fn contains(&self, position: u64) -> bool {
        match self.view() {
            View::Flat(flat) => flat.at(flat.rank(position)) == Some(position),
            View::Tree(leaves) => {
                let (key, low) = split(position);
                leaves.get(key).is_some_and(|leaf| leaf.contains(low))
            }
        }
    }

    /// The smallest member that is at least `position`.
    pub fn successor(&self, position: u64) -> Option<u64> {
        match self.view() {
            View::Flat(flat) => flat.at(flat.rank(position)),
            View::Tree(leaves) => leaf_successor(leaves, position).map(|(found, _)| found),
        }
    }

    /// The members that are at least `position`, ascending.
    pub fn iter_from(&self, position: u64) -> Iter<'_> {
        Iter { set: self, next: Some(position), leaf: None }
    }

    /// Adds `position`; false when it was a member already.
    pub fn insert(&mut self, position: u64) -> bool {
        if self.contains(position) {
            return false;
        }
        let done = match &mut self.0 {
            Shape::Empty | Shape::One(_) => false,
            Shape::Flat(flat) => flat.insert(position),
            Shape::Tree(tree) => {
                Arc::make_mut(tree).insert(position);
                true
            }
        };
        if !done {
            let mut members: Vec<u64> = self.iter_from(0).collect();
            members.insert(members.partition_point(|p| *p < position), position);
            *self = Self::from_sorted(&members);
        }
        true
    }

    /// Takes `position` out; false when it was no member.
    pub fn remove(&mut self, position: u64) -> bool {
        if !self.contains(position) {
            return false;
        }
        let shrunk = match &mut self.0 {
            Shape::Empty => false,
            Shape::One(_) => {
                self.0 = Shape::Empty;
                false
            }
            Shape::Flat(flat) => {
                flat.remove(position);
                flat.offsets.items().len() < 2
            }
            Shape::Tree(tree) => {
                let tree = Arc::make_mut(tree);
                tree.remove(position);
                tree.len <= FLAT_AGAIN && tree.span_is_flat()
            }
        };
        if shrunk {
            let members: Vec<u64> = self.iter_from(0).collect();
            *self = Self::from_sorted(&members);
        }
        true
    }

    /// The set of these ascending, distinct positions, in the smallest shape; much faster than one insert after another.
    pub fn from_sorted(members: &[u64]) -> Self {
        Self(match members {
            [] => Shape::Empty,
            [one] => Shape::One(*one),
            [first, .., last] if members.len() <= FLAT && last - first <= u64::from(u32::MAX) => {
                let offsets = members.iter().map(|p| (p - first) as u32).collect();
                Shape::Flat(Flat { base: *first, offsets: Run::from_vec(offsets) })
            }
            _ => Shape::Tree(Arc::new(Tree::from_sorted(members))),
        })
    }
}

impl Flat {
    /// Adds a position that is no member; false, and nothing changed, when it has no room.
    fn insert(&mut self, position: u64) -> bool {
        if position < self.base {
            return self.insert_first(position);
        }
        let offset = position.checked_sub(self.base).and_then(|offset| u32::try_from(offset).ok());
        match offset {
            Some(offset) if self.offsets.items().len() < FLAT => {
                self.offsets.insert(self.offsets.items().partition_point(|o| *o < offset), offset);
                true
            }
            _ => false,
        }
    }

    /// Adds a position below all others, which is the base from now on.
    fn insert_first(&mut self, position: u64) -> bool {
        let offsets = self.offsets.items();
        let Ok(shift) = u32::try_from(self.base - position) else { return false };
        if offsets.len() >= FLAT || offsets.last().is_none_or(|last| last.checked_add(shift).is_none()) {
            return false;
        }
        let mut moved = Vec::with_capacity(offsets.len() + 1 + offsets.len() / 8);
        moved.push(0);
        moved.extend(offsets.iter().map(|offset| offset + shift));
        *self = Self { base: position, offsets: Run::with_room(moved) };
        true
    }

    fn remove(&mut self, position: u64) {
        let offsets = self.offsets.items();
        if let Ok(at) = offsets.binary_search_by_key(&position, |o| self.base + u64::from(*o)) {
            self.offsets.remove(at);
        }
    }
}

impl Tree {
    fn from_sorted(members: &[u64]) -> Self {
        let mut tree = Self { len: members.len(), leaves: Leaves::default() };
        let mut lows = Vec::new();
        for span in members.chunk_by(|a, b| split(*a).0 == split(*b).0) {
            lows.clear();
            lows.extend(span.iter().map(|p| split(*p).1));
            if let Some(first) = span.first() {
                tree.leaves.get_or_insert_with(split(*first).0, || Leaf::from_sorted(&lows));
            }
        }
        tree
    }

    fn insert(&mut self, position: u64) {
        let (key, low) = split(position);
        self.leaves.get_or_insert_with(key, Leaf::default).insert(low);
        self.len += 1;
    }

    fn remove(&mut self, position: u64) {
        let (key, low) = split(position);
        if let Some(leaf) = self.leaves.get_mut(key) {
            leaf.remove(low);
            self.len -= 1;
            if leaf.len() == 0 {
                self.leaves.remove(key);
            }
        }
    }

    /// Whether a flat set can hold the members' distance.
    fn span_is_flat(&self) -> bool {
        let first = leaf_successor(&self.leaves, 0).map_or(0, |(position, _)| position);
        let last = self.leaves.last().and_then(|(key, leaf)| Some((key << SPAN_BITS) + u64::from(leaf.last()?)));
        last.is_none_or(|last| last - first <= u64::from(u32::MAX))
    }
}

/// The smallest member that is at least `position`, and the leaf it is in.
fn leaf_successor(leaves: &Leaves, position: u64) -> Option<(u64, (u64, &Leaf))> {
    let (key, low) = split(position);
    let (mut found, mut leaf) = leaves.seek(key)?;
    let mut member = leaf.successor(if found == key { low } else { 0 });
    if member.is_none() {
        (found, leaf) = leaves.seek(found + 1)?;
        member = leaf.successor(0);
    }
    Some(((found << SPAN_BITS) + u64::from(member?), (found, leaf)))
}

/// The members of a set from some position on, ascending.
#[derive(Debug, Clone)]
pub struct Iter<'a> {
    set: &'a PositionSet,
    next: Option<u64>,
    leaf: Option<(u64, &'a Leaf)>,
}

impl Iterator for Iter<'_> {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        let from = self.next?;
        let found = match self.set.view() {
            View::Flat(flat) => flat.at(flat.rank(from)),
            View::Tree(leaves) => {
                let (key, low) = split(from);
                let here = self
                    .leaf
                    .and_then(|(at, leaf)| if at == key { leaf.successor(low) } else { None })
                    .map(|low| (key << SPAN_BITS) + u64::from(low));
                here.or_else(|| {
                    let (found, leaf) = leaf_successor(leaves, from)?;
                    self.leaf = Some(leaf);
                    Some(found)
                })
            }
        };
        self.next = found.and_then(|position| position.checked_add(1));
        found
    }
}

impl FromIterator<u64> for PositionSet {
    /// Builds leaf by leaf, much faster than one insert after another.
    fn from_iter<I: IntoIterator<Item = u64>>(positions: I) -> Self {
        let mut members: Vec<u64> = positions.into_iter().collect();
        members.sort_unstable();
        members.dedup();
        Self::from_sorted(&members)
    }
}

impl fmt::Debug for PositionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter_from(0)).finish()
    }
}

#[cfg(test)]
mod tests;
