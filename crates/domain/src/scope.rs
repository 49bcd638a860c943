//! The pair under which everything lives: account and region. Two scopes never see each other.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Account and region of a caller and of everything that caller makes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Scope {
    /// Twelve digits.
    pub account: Arc<str>,
    /// Region name, `us-east-1` when a request says none.
    pub region: Arc<str>,
}

impl Scope {
    /// A scope of this account and region.
    pub fn new(account: impl Into<Arc<str>>, region: impl Into<Arc<str>>) -> Self {
        Self { account: account.into(), region: region.into() }
    }

    /// The one availability zone there is in the region: its first.
    pub fn availability_zone(&self) -> String {
        format!("{}a", self.region)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.account, self.region)
    }
}
