//! A copy-on-write run of small items in ascending order, the array behind every flat representation.
//!
//! The order is the caller's: a run only knows places. Spare room stays below a quarter, so that a run costs hardly
//! more than its items.

use std::sync::Arc;

/// A shared array. A clone costs one reference count; a shared run is copied by the next write, in one pass.
#[derive(Debug, Clone, Default)]
pub(super) struct Run<E>(Arc<Vec<E>>);

impl<E: Copy> Run<E> {
    /// A run of exactly these items.
    pub(super) fn from_vec(mut items: Vec<E>) -> Self {
        items.shrink_to_fit();
        Self(Arc::new(items))
    }

    /// A run of these items, with the room that the caller has left for more.
    pub(super) fn with_room(items: Vec<E>) -> Self {
        Self(Arc::new(items))
    }

    /// The items in order.
    #[inline]
    pub(super) fn items(&self) -> &[E] {
        &self.0
    }

    /// Puts `item` before the item at `at`, which is at most the length.
    pub(super) fn insert(&mut self, at: usize, item: E) {
        let len = self.0.len();
        let room = len + 1 + len / 8;
        if let Some(items) = Arc::get_mut(&mut self.0) {
            if items.len() == items.capacity() {
                items.reserve_exact(room - len);
            }
            items.insert(at, item);
            return;
        }
        let mut items = Vec::with_capacity(room);
        items.extend_from_slice(&self.0[..at]);
        items.push(item);
        items.extend_from_slice(&self.0[at..]);
        self.0 = Arc::new(items);
    }

    /// Takes the item at `at`, which is below the length, out.
    pub(super) fn remove(&mut self, at: usize) {
        if let Some(items) = Arc::get_mut(&mut self.0) {
            items.remove(at);
            if items.len() + items.len() / 4 + 4 < items.capacity() {
                items.shrink_to_fit();
            }
            return;
        }
        let mut items = Vec::with_capacity(self.0.len() - 1);
        items.extend_from_slice(&self.0[..at]);
        items.extend_from_slice(&self.0[at + 1..]);
        self.0 = Arc::new(items);
    }
}
