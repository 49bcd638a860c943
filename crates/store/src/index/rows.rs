//! The tasks of a cluster by position: a persistent radix tree of 16-wide nodes.
//!
//! A bottom node holds the ids beside the pointers to the records, so that listing ids never touches a record. The
//! height follows the largest position. A clone costs one reference count and never sees a later write; a write copies
//! one node a level where a clone shares it.

use std::sync::Arc;

use super::radix::{Cursor, Radix};

const NODE_BITS: u32 = 4;
/// Nodes that are found before the first of them is read; processors wait for fewer reads at once.
const OVERLAPPING: usize = 32;

/// Rows of an id and a record by `u64` position. About 28 bytes a row beside the record when positions are dense.
#[derive(Debug)]
pub struct Rows<T> {
    tree: Radix<Row<T>, NODE_BITS>,
    len: usize,
}

#[derive(Debug)]
struct Row<T> {
    id: [u8; 16],
    record: Arc<T>,
}

impl<T> Clone for Row<T> {
    fn clone(&self) -> Self {
        Self { id: self.id, record: Arc::clone(&self.record) }
    }
}

impl<T> Clone for Rows<T> {
    fn clone(&self) -> Self {
        Self { tree: self.tree.clone(), len: self.len }
    }
}

impl<T> Default for Rows<T> {
    fn default() -> Self {
        Self { tree: Radix::default(), len: 0 }
    }
}

impl<T> Rows<T> {
    /// No rows.
    pub fn new() -> Self {
        Self::default()
    }

    /// These rows, whose positions ascend strictly; much faster than one insert after another.
    pub fn from_sorted(rows: impl Iterator<Item = (u64, [u8; 16], Arc<T>)>) -> Self {
        let mut len = 0;
        let counted = rows.inspect(|_| len += 1);
        let tree = Radix::from_sorted(counted.map(|(position, id, record)| (position, Row { id, record })));
        Self { tree, len }
    }

    /// How many rows; costs nothing.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The record at `position`.
    pub fn get(&self, position: u64) -> Option<&Arc<T>> {
        self.tree.get(position).map(|row| &row.record)
    }

    /// The id at `position`, without a look at the record.
    pub fn id(&self, position: u64) -> Option<[u8; 16]> {
        self.tree.get(position).map(|row| row.id)
    }

    /// Puts a row at `position` and returns the record it replaces, if any.
    pub fn insert(&mut self, position: u64, id: [u8; 16], record: Arc<T>) -> Option<Arc<T>> {
        let replaced = self.tree.insert(position, Row { id, record });
        self.len += usize::from(replaced.is_none());
        replaced.map(|row| row.record)
    }

    /// Takes the row at `position` out.
    pub fn remove(&mut self, position: u64) -> Option<([u8; 16], Arc<T>)> {
        let row = self.tree.remove(position)?;
        self.len -= 1;
        Some((row.id, row.record))
    }

    /// The ids at these positions, in their order. Neighbours cost one descent; a position without a row is skipped.
    ///
    /// The rows of a filtered page lie far apart in memory. So first some of their nodes are found, through others that
    /// many share, and then read one after the other: reads that do not wait for one another overlap.
    pub fn ids(&self, positions: &[u64]) -> Vec<[u8; 16]> {
        let mut ids = vec![[0; 16]; positions.len()];
        let mut places = ids.iter_mut();
        let (mut bottoms, mut rest) = (self.tree.bottoms(), positions);
        while !rest.is_empty() {
            let mut runs = [(None, &[][..]); OVERLAPPING];
            for run in &mut runs {
                let Some(first) = rest.first() else { break };
                let next = rest.iter().position(|position| position >> NODE_BITS != first >> NODE_BITS);
                let (neighbours, others) = rest.split_at(next.unwrap_or(rest.len()));
                *run = (bottoms.find(*first), neighbours);
                rest = others;
            }
            for (node, neighbours) in runs {
                let Some(node) = node else { continue };
                let digits = neighbours.iter().map(|position| position & ((1 << NODE_BITS) - 1));
                match node.by_digit() {
                    Some(rows) => {
                        let rows = digits.filter_map(|digit| rows.get(digit as usize)?.as_ref());
                        rows.zip(places.by_ref()).for_each(|(row, place)| *place = row.id);
                    }
                    None => {
                        let rows = digits.filter_map(|digit| node.get(digit as u32));
                        rows.zip(places.by_ref()).for_each(|(row, place)| *place = row.id);
                    }
                }
            }
        }
        let unused = places.len();
        ids.truncate(ids.len() - unused);
        ids
    }

    /// The rows whose position is at least `position`, ascending.
    pub fn iter_from(&self, position: u64) -> impl Iterator<Item = (u64, [u8; 16], &Arc<T>)> {
        RowsIter { cursor: self.tree.cursor(), next: Some(position) }
    }
}

struct RowsIter<'a, T> {
    cursor: Cursor<'a, Row<T>, NODE_BITS>,
    next: Option<u64>,
}

impl<'a, T> Iterator for RowsIter<'a, T> {
    type Item = (u64, [u8; 16], &'a Arc<T>);

    fn next(&mut self) -> Option<Self::Item> {
        let found = self.cursor.seek(self.next?);
        self.next = found.and_then(|(position, _)| position.checked_add(1));
        found.map(|(position, row)| (position, row.id, &row.record))
    }
}

#[cfg(test)]
mod tests;
