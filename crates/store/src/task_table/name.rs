//! A shared text in one word.

use std::borrow::Borrow;
use std::sync::Arc;

/// A text that many hold: half the size of `Arc<str>`, for the price of one more step to its bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Name(Arc<Box<str>>);

impl Name {
    /// A new text.
    pub(super) fn new(text: &str) -> Self {
        Self(Arc::new(text.into()))
    }

    /// The text that is shared already.
    pub(super) fn of(text: Arc<Box<str>>) -> Self {
        Self(text)
    }

    /// The text.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}
