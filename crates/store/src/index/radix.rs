//! A persistent ordered map from `u64` to items: a radix tree whose nodes are `2^BITS` wide.
//!
//! The height follows the largest key, up and down; an empty node never stays. A clone is one reference count.
//! A write copies the nodes on one path, and only those that a clone shares.

use super::packed::Packed;

/// A node: the items themselves at the bottom, nodes above.
#[derive(Debug)]
pub(super) enum Node<C> {
    /// Level 0: items by the lowest digit of their key.
    Bottom(Packed<C>),
    /// A higher level: nodes by that level's digit.
    Inner(Packed<Node<C>>),
}

impl<C> Clone for Node<C> {
    fn clone(&self) -> Self {
        match self {
            Self::Bottom(items) => Self::Bottom(items.clone()),
            Self::Inner(nodes) => Self::Inner(nodes.clone()),
        }
    }
}

impl<C> Node<C> {
    fn empty(level: u32) -> Self {
        if level == 0 { Self::Bottom(Packed::default()) } else { Self::Inner(Packed::default()) }
    }

    /// The digits that have a child or an item, as bits.
    #[inline]
    pub(super) fn present(&self) -> u64 {
        match self {
            Self::Bottom(items) => items.present(),
            Self::Inner(nodes) => nodes.present(),
        }
    }

    /// The node below `digit`; none at the bottom.
    #[inline]
    pub(super) fn child(&self, digit: u32) -> Option<&Self> {
        match self {
            Self::Bottom(_) => None,
            Self::Inner(nodes) => nodes.get(digit),
        }
    }

    /// The item at `digit`; none above the bottom.
    #[inline]
    pub(super) fn item(&self, digit: u32) -> Option<&C> {
        match self {
            Self::Bottom(items) => items.get(digit),
            Self::Inner(_) => None,
        }
    }
}

/// A persistent ordered map with `u64` keys; `BITS` (1 to 6) bits of the key are spent on each level.
#[derive(Debug)]
pub(super) struct Radix<C, const BITS: u32> {
    root: Node<C>,
    height: u32,
}

impl<C, const BITS: u32> Clone for Radix<C, BITS> {
    fn clone(&self) -> Self {
        Self { root: self.root.clone(), height: self.height }
    }
}

impl<C, const BITS: u32> Default for Radix<C, BITS> {
    fn default() -> Self {
        Self { root: Node::empty(0), height: 0 }
    }
}

impl<C, const BITS: u32> Radix<C, BITS> {
    /// The topmost node.
    pub(super) fn root(&self) -> &Node<C> {
        &self.root
    }

    /// The level of the topmost node; 0 is the bottom.
    pub(super) fn height(&self) -> u32 {
        self.height
    }

    fn fits(key: u64, height: u32) -> bool {
        key.checked_shr(BITS * (height + 1)).unwrap_or(0) == 0
    }

    #[inline]
    fn digit(key: u64, level: u32) -> u32 {
        ((key >> (BITS * level)) & ((1 << BITS) - 1)) as u32
    }

    /// The item under `key`.
    pub(super) fn get(&self, key: u64) -> Option<&C> {
        self.bottom(key)?.get(Self::digit(key, 0))
    }

    /// The bottom node that would hold `key`.
    fn bottom(&self, key: u64) -> Option<&Packed<C>> {
        if !Self::fits(key, self.height) {
            return None;
        }
        let (mut node, mut level) = (&self.root, self.height);
        loop {
            match node {
                Node::Bottom(items) => return Some(items),
                Node::Inner(nodes) => node = nodes.get(Self::digit(key, level))?,
            }
            level = level.saturating_sub(1);
        }
    }

    /// A finder of the nodes of many keys.
    pub(super) fn bottoms(&self) -> Bottoms<'_, C, BITS> {
        Bottoms { radix: self, above: None }
    }

    /// The nodes on the level above the bottom, among which is the one that would hold `key`.
    fn above_bottom(&self, key: u64) -> Option<&Packed<Node<C>>> {
        let (mut node, mut level) = (&self.root, self.height);
        loop {
            match node {
                Node::Bottom(_) => return None,
                Node::Inner(nodes) if level == 1 => return Some(nodes),
                Node::Inner(nodes) => node = nodes.get(Self::digit(key, level))?,
            }
            level = level.saturating_sub(1);
        }
    }

    /// The first item whose key is at least `from`, with its key.
    pub(super) fn seek(&self, from: u64) -> Option<(u64, &C)> {
        if !Self::fits(from, self.height) {
            return None;
        }
        Self::seek_in(&self.root, self.height, 0, from)
    }

    fn seek_in(node: &Node<C>, level: u32, base: u64, from: u64) -> Option<(u64, &C)> {
        let shift = BITS * level;
        let first = from.saturating_sub(base) >> shift;
        let mut digits = node.present() & (u64::MAX << first);
        while digits != 0 {
            let digit = digits.trailing_zeros();
            let key = base + (u64::from(digit) << shift);
            let found = match node {
                Node::Bottom(items) => items.get(digit).map(|item| (key, item)),
                Node::Inner(nodes) => {
                    nodes.get(digit).and_then(|child| Self::seek_in(child, level.saturating_sub(1), key, from))
                }
            };
            if found.is_some() {
                return found;
            }
            digits &= digits - 1;
        }
        None
    }

    /// The item with the largest key, with its key.
    pub(super) fn last(&self) -> Option<(u64, &C)> {
        let (mut node, mut level, mut key) = (&self.root, self.height, 0);
        loop {
            let digit = node.present().checked_ilog2()?;
            key += u64::from(digit) << (BITS * level);
            match node {
                Node::Bottom(items) => return items.get(digit).map(|item| (key, item)),
                Node::Inner(nodes) => node = nodes.get(digit)?,
            }
            level = level.saturating_sub(1);
        }
    }

    /// A map of these items, whose keys ascend strictly, built from the bottom up: every node is made once, in its final
    /// size.
    pub(super) fn from_sorted(items: impl Iterator<Item = (u64, C)>) -> Self {
        let mut nodes = Self::pack(items, Node::Bottom);
        let mut height = 0;
        while nodes.len() > 1 || nodes.first().is_some_and(|(prefix, _)| *prefix != 0) {
            nodes = Self::pack(nodes.into_iter(), Node::Inner);
            height += 1;
        }
        nodes.pop().map_or_else(Self::default, |(_, root)| Self { root, height })
    }

    /// One level: the nodes that hold these items, by what their keys have in common.
    fn pack<T>(items: impl Iterator<Item = (u64, T)>, node: impl Fn(Packed<T>) -> Node<C>) -> Vec<(u64, Node<C>)> {
        let (mut nodes, mut here, mut present) = (Vec::new(), Vec::with_capacity(1 << BITS), 0);
        let mut items = items.peekable();
        while let Some((key, item)) = items.next() {
            here.push(item);
            present |= 1 << Self::digit(key, 0);
            if items.peek().is_none_or(|(next, _)| next >> BITS != key >> BITS) {
                nodes.push((key >> BITS, node(Packed::from_items(present, &mut here))));
                present = 0;
            }
        }
        nodes
    }

    /// A cursor for look-ups in ascending order.
    pub(super) fn cursor(&self) -> Cursor<'_, C, BITS> {
        Cursor { radix: self, prefix: 0, bottom: None }
    }
}

impl<C: Clone, const BITS: u32> Radix<C, BITS> {
    /// The item under `key` for change, copying the shared part of its path.
    pub(super) fn get_mut(&mut self, key: u64) -> Option<&mut C> {
        self.get(key)?;
        let (mut node, mut level) = (&mut self.root, self.height);
        loop {
            match node {
                Node::Bottom(items) => return items.get_mut(Self::digit(key, 0)),
                Node::Inner(nodes) => node = nodes.get_mut(Self::digit(key, level))?,
            }
            level = level.saturating_sub(1);
        }
    }

    /// The item under `key` for change, made by `make` when there is none.
    pub(super) fn get_or_insert_with(&mut self, key: u64, make: impl FnOnce() -> C) -> &mut C {
        self.slot(key).get_or_insert_with(make)
    }

    /// Puts `item` under `key` and returns the item it replaces.
    pub(super) fn insert(&mut self, key: u64, item: C) -> Option<C> {
        self.slot(key).replace(item)
    }

    /// The slot of `key`, which the caller must leave filled.
    fn slot(&mut self, key: u64) -> &mut Option<C> {
        self.grow(key);
        let (mut node, mut level) = (&mut self.root, self.height);
        loop {
            match node {
                Node::Bottom(items) => return items.slot(Self::digit(key, 0)),
                Node::Inner(nodes) => {
                    let digit = Self::digit(key, level);
                    level = level.saturating_sub(1);
                    node = nodes.slot(digit).get_or_insert_with(|| Node::empty(level));
                }
            }
        }
    }

    /// Takes the item under `key` out. The nodes it leaves empty go with it.
    pub(super) fn remove(&mut self, key: u64) -> Option<C> {
        self.get(key)?;
        let removed = Self::remove_in(&mut self.root, self.height, key);
        self.shrink();
        removed
    }

    fn remove_in(node: &mut Node<C>, level: u32, key: u64) -> Option<C> {
        let digit = Self::digit(key, level);
        match node {
            Node::Bottom(items) => items.remove(digit),
            Node::Inner(nodes) => {
                let child = nodes.get_mut(digit)?;
                let removed = Self::remove_in(child, level.saturating_sub(1), key);
                if child.present() == 0 {
                    nodes.remove(digit);
                }
                removed
            }
        }
    }

    fn grow(&mut self, key: u64) {
        while !Self::fits(key, self.height) {
            self.height += 1;
            let below = std::mem::replace(&mut self.root, Node::empty(self.height));
            if below.present() != 0
                && let Node::Inner(nodes) = &mut self.root
            {
                *nodes.slot(0) = Some(below);
            }
        }
    }

    fn shrink(&mut self) {
        if self.root.present() == 0 {
            *self = Self::default();
        }
        while self.root.present() == 1
            && let Some(only) = self.root.child(0).cloned()
        {
            self.root = only;
            self.height -= 1;
        }
    }
}

/// Finds bottom nodes, and remembers the nodes among which the last one was: keys near each other share them.
#[derive(Debug)]
pub(super) struct Bottoms<'a, C, const BITS: u32> {
    radix: &'a Radix<C, BITS>,
    above: Option<(u64, &'a Packed<Node<C>>)>,
}

impl<'a, C, const BITS: u32> Bottoms<'a, C, BITS> {
    /// The node that would hold `key`; touches only those above it.
    #[inline]
    pub(super) fn find(&mut self, key: u64) -> Option<&'a Packed<C>> {
        let prefix = key >> (2 * BITS);
        let nodes = match self.above {
            Some((known, nodes)) if known == prefix => nodes,
            _ => {
                if self.radix.height == 0 || !Radix::<C, BITS>::fits(key, self.radix.height) {
                    return self.radix.bottom(key);
                }
                let nodes = self.radix.above_bottom(key)?;
                self.above = Some((prefix, nodes));
                nodes
            }
        };
        match nodes.get(Radix::<C, BITS>::digit(key, 1))? {
            Node::Bottom(items) => Some(items),
            Node::Inner(_) => None,
        }
    }
}

/// Look-ups that remember the bottom node of the last key: neighbours cost no descent.
#[derive(Debug)]
pub(super) struct Cursor<'a, C, const BITS: u32> {
    radix: &'a Radix<C, BITS>,
    prefix: u64,
    bottom: Option<&'a Packed<C>>,
}

impl<'a, C, const BITS: u32> Cursor<'a, C, BITS> {
    /// The item under `key`.
    #[inline]
    pub(super) fn get(&mut self, key: u64) -> Option<&'a C> {
        if self.bottom.is_none() || self.prefix != key >> BITS {
            self.bottom = self.radix.bottom(key);
            self.prefix = key >> BITS;
        }
        self.bottom?.get(Radix::<C, BITS>::digit(key, 0))
    }

    /// The first item whose key is at least `from`, with its key.
    pub(super) fn seek(&mut self, from: u64) -> Option<(u64, &'a C)> {
        if let Some(items) = self.bottom
            && self.prefix == from >> BITS
        {
            let digits = items.present() & (u64::MAX << Radix::<C, BITS>::digit(from, 0));
            if digits != 0 {
                let digit = digits.trailing_zeros();
                return items.get(digit).map(|item| ((self.prefix << BITS) + u64::from(digit), item));
            }
        }
        let (key, _) = self.radix.seek(from)?;
        self.get(key).map(|item| (key, item))
    }
}
