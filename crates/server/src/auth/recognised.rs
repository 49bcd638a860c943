//! Who was recognised, held without counting owners.
//!
//! Every core serves the same few callers. If each request owned a share of its caller, all cores
//! would write the same counter for every request; so a request only guards the list in which its
//! caller is.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use arc_swap::Guard;

use super::key_ring::Derived;
use crate::http::service::Caller;

/// The caller of one request; it reads like a [`Caller`].
pub struct Recognised(Held);

enum Held {
    /// A caller in a list of the key ring.
    Known { list: Guard<Arc<Vec<Arc<Derived>>>>, index: usize },
    /// A caller of one's own.
    Own(Arc<Caller>),
}

impl Recognised {
    /// The caller of the signing key at `index`; `None` when the list has none there.
    pub(super) fn known(list: Guard<Arc<Vec<Arc<Derived>>>>, index: usize) -> Option<Self> {
        list.get(index)?;
        Some(Self(Held::Known { list, index }))
    }
}

impl From<Arc<Caller>> for Recognised {
    fn from(caller: Arc<Caller>) -> Self {
        Self(Held::Own(caller))
    }
}

impl Deref for Recognised {
    type Target = Caller;

    fn deref(&self) -> &Caller {
        match &self.0 {
            Held::Known { list, index } => list[*index].caller(),
            Held::Own(caller) => caller,
        }
    }
}

impl fmt::Debug for Recognised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Caller::fmt(self, f)
    }
}

impl PartialEq for Recognised {
    fn eq(&self, other: &Self) -> bool {
        Caller::eq(self, other)
    }
}
