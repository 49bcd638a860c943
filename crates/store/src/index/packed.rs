//! A copy-on-write array of up to 64 optional items that stores only the items it has.
//!
//! It is the node of every tree in this module: a word says which digits are present, the items stand in digit
//! order in one shared allocation. An unshared array is edited in place, a shared one is copied first.

use std::sync::Arc;

/// Up to 64 items by digit (0..64). Capacity is a power of two, so that appending is cheap and few bytes are idle.
#[derive(Debug)]
pub(super) struct Packed<C> {
    present: u64,
    slots: Arc<[Option<C>]>,
}

impl<C> Clone for Packed<C> {
    fn clone(&self) -> Self {
        Self { present: self.present, slots: Arc::clone(&self.slots) }
    }
}

impl<C> Default for Packed<C> {
    fn default() -> Self {
        Self { present: 0, slots: Arc::default() }
    }
}

impl<C> Packed<C> {
    /// These items, which are emptied: the first is at the lowest digit of `present`, and so on.
    pub(super) fn from_items(present: u64, items: &mut Vec<C>) -> Self {
        let capacity = items.len().next_power_of_two();
        let mut items = items.drain(..);
        Self { present, slots: (0..capacity).map(|_| items.next()).collect() }
    }

    /// The digits that have an item, as bits.
    pub(super) fn present(&self) -> u64 {
        self.present
    }

    /// The item at `digit` (below 64).
    #[inline]
    pub(super) fn get(&self, digit: u32) -> Option<&C> {
        if (self.present >> digit) & 1 == 0 {
            return None;
        }
        self.slots.get(self.rank(digit))?.as_ref()
    }

    /// The slots by digit, if no digit is absent before the last one.
    #[inline]
    pub(super) fn by_digit(&self) -> Option<&[Option<C>]> {
        (self.present & self.present.wrapping_add(1) == 0).then_some(&self.slots)
    }

    /// How many items stand before `digit`. The first branch spares the count in the dense case.
    #[inline]
    fn rank(&self, digit: u32) -> usize {
        let below = (1u64 << digit) - 1;
        let before = self.present & below;
        if before == below { digit as usize } else { before.count_ones() as usize }
    }

    fn len(&self) -> usize {
        self.present.count_ones() as usize
    }
}

impl<C: Clone> Packed<C> {
    /// The item at `digit` for change; copies the array when a clone shares it.
    pub(super) fn get_mut(&mut self, digit: u32) -> Option<&mut C> {
        if (self.present >> digit) & 1 == 0 {
            return None;
        }
        let at = self.rank(digit);
        Arc::make_mut(&mut self.slots).get_mut(at)?.as_mut()
    }

    /// The slot of `digit`, empty when there was no item; the caller must leave an item in it.
    pub(super) fn slot(&mut self, digit: u32) -> &mut Option<C> {
        let (at, len) = (self.rank(digit), self.len());
        if (self.present >> digit) & 1 == 1 {
            return &mut Arc::make_mut(&mut self.slots)[at];
        }
        let slots = Self::own(&mut self.slots, len + 1);
        slots[at..=len].rotate_right(1);
        self.present |= 1 << digit;
        &mut slots[at]
    }

    /// Takes the item at `digit` out.
    pub(super) fn remove(&mut self, digit: u32) -> Option<C> {
        if (self.present >> digit) & 1 == 0 {
            return None;
        }
        let (at, len) = (self.rank(digit), self.len());
        let slots = Self::own(&mut self.slots, len);
        let removed = slots[at].take();
        slots[at..len].rotate_left(1);
        self.present &= !(1 << digit);
        if len == 1 {
            self.slots = Arc::default();
        } else if (len - 1) * 4 <= self.slots.len() {
            self.slots = Self::resized(&mut self.slots, len - 1);
        }
        removed
    }

    /// The slots as this array's own, with room for `len` items.
    fn own(slots: &mut Arc<[Option<C>]>, len: usize) -> &mut [Option<C>] {
        if slots.len() < len || Arc::get_mut(slots).is_none() {
            *slots = Self::resized(slots, len);
        }
        Arc::make_mut(slots)
    }

    /// The same items in a new allocation with room for `len`; moved when nobody else holds the old one.
    fn resized(slots: &mut Arc<[Option<C>]>, len: usize) -> Arc<[Option<C>]> {
        let capacity = len.next_power_of_two();
        match Arc::get_mut(slots) {
            Some(own) => (0..capacity).map(|at| own.get_mut(at).and_then(Option::take)).collect(),
            None => (0..capacity).map(|at| slots.get(at).cloned().flatten()).collect(),
        }
    }
}
