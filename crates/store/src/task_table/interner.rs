//! Values that many tasks share, each once.
//!
//! The caller hashes and compares, so that a value need not exist to be looked for. Every task that has a value holds a
//! reference to it; a value that only the interner still holds is idle and dropped by the next sweep. A sweep comes when
//! as many tasks have departed as a quarter of the values that the last one left, so it costs each departure a constant,
//! and idle values stay few beside the others.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use imbl::GenericHashMap;
use imbl::shared_ptr::DefaultSharedPtr;

/// Departures before a sweep, however few values there are.
const AT_LEAST: usize = 64;

/// A persistent set of shared values. A clone costs a reference count.
pub(super) struct Interner<T> {
    values: GenericHashMap<u64, Arc<T>, BuildHasherDefault<Hashed>, DefaultSharedPtr>,
    /// Tasks that have departed since the last sweep.
    departed: usize,
    /// Values that the last sweep left.
    left: usize,
}

impl<T> Clone for Interner<T> {
    fn clone(&self) -> Self {
        Self { values: self.values.clone(), departed: self.departed, left: self.left }
    }
}

impl<T> Default for Interner<T> {
    fn default() -> Self {
        Self { values: GenericHashMap::default(), departed: 0, left: 0 }
    }
}

impl<T> std::fmt::Debug for Interner<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} values", self.values.len())
    }
}

impl<T> Interner<T> {
    /// The value with this hash for which `is` holds, made by `make` if there is none. Values with equal hashes stand
    /// under the next free number; where a sweep has left a gap before one of them, it may come to be there twice.
    pub(super) fn intern(&mut self, hash: u64, is: impl Fn(&T) -> bool, make: impl FnOnce() -> T) -> Arc<T> {
        let mut key = hash;
        while let Some(value) = self.values.get(&key) {
            if is(value) {
                return Arc::clone(value);
            }
            key = key.wrapping_add(1);
        }
        let value = Arc::new(make());
        self.values.insert(key, Arc::clone(&value));
        value
    }

    /// Notes that a task has gone, or changed, and sweeps when enough have.
    pub(super) fn depart(&mut self) {
        self.departed += 1;
        if self.departed >= (self.left / 4).max(AT_LEAST) {
            let idle = self.values.iter().filter(|(_, value)| Arc::strong_count(value) == 1);
            let idle: Vec<u64> = idle.map(|(key, _)| *key).collect();
            for key in idle {
                self.values.remove(&key);
            }
            (self.departed, self.left) = (0, self.values.len());
        }
    }

    /// How many values there are, idle ones included.
    pub(super) fn len(&self) -> usize {
        self.values.len()
    }
}

/// Values as they are collected before there is a table, numbered in the order in which they came.
#[derive(Debug)]
pub(super) struct Collected<T> {
    numbers: HashMap<u64, u32, BuildHasherDefault<Hashed>>,
    values: Vec<Arc<T>>,
}

impl<T> Default for Collected<T> {
    fn default() -> Self {
        Self { numbers: HashMap::default(), values: Vec::new() }
    }
}

impl<T> Collected<T> {
    /// The value with this hash for which `is` holds, made by `make` if there is none, and its number.
    pub(super) fn intern(&mut self, hash: u64, is: impl Fn(&T) -> bool, make: impl FnOnce() -> T) -> (u32, Arc<T>) {
        let mut key = hash;
        while let Some(number) = self.numbers.get(&key) {
            match self.values.get(*number as usize) {
                Some(value) if is(value) => return (*number, Arc::clone(value)),
                _ => key = key.wrapping_add(1),
            }
        }
        let (number, value) = (self.values.len() as u32, Arc::new(make()));
        self.numbers.insert(key, number);
        self.values.push(Arc::clone(&value));
        (number, value)
    }

    /// The values by their numbers.
    pub(super) fn values(&self) -> &[Arc<T>] {
        &self.values
    }

    /// The same values for a table.
    pub(super) fn into_interner(self) -> Interner<T> {
        let value = |(key, number)| Some((key, Arc::clone(self.values.get(number as usize)?)));
        Interner { values: self.numbers.into_iter().filter_map(value).collect(), departed: 0, left: 0 }
    }
}

/// Takes a key that is a hash already for its hash.
#[derive(Default)]
pub(super) struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_are_one_and_equal_hashes_are_not() {
        let mut interner = Interner::default();
        let mut text = |text: &'static str| interner.intern(7, |known| *known == text, || text);
        let (a, b, again) = (text("a"), text("b"), text("a"));
        assert!(Arc::ptr_eq(&a, &again) && *a != *b);
        assert_eq!(interner.len(), 2);
    }

    #[test]
    fn what_nobody_holds_goes_soon() {
        let mut interner = Interner::default();
        let mut most = 0;
        let kept = interner.intern(u64::MAX, |known| *known == u64::MAX, || u64::MAX);
        for number in 0..100_000u64 {
            drop(interner.intern(number, |known| *known == number, || number));
            interner.depart();
            most = most.max(interner.len());
        }
        assert!(most <= 2 * AT_LEAST + 2, "{most}");
        assert!(Arc::ptr_eq(&kept, &interner.intern(u64::MAX, |known| *known == u64::MAX, || 0)));
    }
}
