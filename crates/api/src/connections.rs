//! Which machines have a session with this server now.
//!
//! Not state: it lives in memory and begins empty. Whoever holds the sessions tells of each beginning and end;
//! `agentConnected` reads it. Sessions of one machine may overlap (a new one begins before the end of the old one is
//! noticed), so they are counted.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use longshore_domain::EcsId;

/// The sessions by machine; clones share them.
#[derive(Debug, Clone, Default)]
pub struct Connections {
    sessions: Arc<RwLock<HashMap<EcsId, usize>>>,
}

impl Connections {
    /// A session of this machine has begun.
    pub fn connected(&self, node: EcsId) {
        *self.sessions.write().unwrap_or_else(PoisonError::into_inner).entry(node).or_insert(0) += 1;
    }

    /// A session of this machine has ended.
    pub fn disconnected(&self, node: EcsId) {
        let mut sessions = self.sessions.write().unwrap_or_else(PoisonError::into_inner);
        match sessions.get_mut(&node) {
            Some(count) if *count > 1 => *count -= 1,
            _ => {
                sessions.remove(&node);
            }
        }
    }

    /// Whether this machine has a session.
    pub fn is_connected(&self, node: EcsId) -> bool {
        self.sessions.read().unwrap_or_else(PoisonError::into_inner).contains_key(&node)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_connected_until_its_last_session_ends() {
        let connections = Connections::default();
        let (node, other) = (EcsId([1; 16]), EcsId([2; 16]));
        connections.disconnected(node);
        assert!(!connections.is_connected(node));
        let shared = connections.clone();
        shared.connected(node);
        shared.connected(node);
        connections.disconnected(node);
        assert!(connections.is_connected(node));
        assert!(!connections.is_connected(other));
        connections.disconnected(node);
        assert!(!connections.is_connected(node));
    }
}
