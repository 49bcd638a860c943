//! The built-in node's record in the store: there is one active built-in node, this server's, or none.
//!
//! It is written at start, and again whenever the store holds something else, as after the restore of a backup from
//! before, or from another machine.

use longshore_api::{Clock, Seeds};
use longshore_controllers::{Controller, Fault, Requeue};
use longshore_domain::Scope;
use longshore_domain::node::NodeRecord;
use longshore_store::{Kind, State, Store, Tx, UpdateError, Write};
use serde::{Deserialize, Serialize};

use super::system::{RandomSeeds, SystemClock};
use crate::failure::Failure;

/// Makes `record` the only active built-in node; with `None` there is no such node.
///
/// # Errors
/// The store cannot be written.
pub async fn write(store: &Store, record: Option<NodeRecord>) -> Result<(), Failure> {
    let write = Write {
        scope: Scope::new("", ""),
        principal: "longshore".into(),
        at: SystemClock.now(),
        seed: RandomSeeds.seed(),
        input: Builtin { record },
    };
    let outcome: Result<(), UpdateError<()>> = store.update(write, decide).await;
    outcome.map_err(|error| Failure::Trouble(format!("cannot write the node to the store: {error}")))
}

/// The controller that keeps the record as it is.
pub struct NodeRecordKeeper {
    store: Store,
    record: Option<NodeRecord>,
}

impl NodeRecordKeeper {
    /// Keeps `record`, or that there is none.
    pub fn new(store: Store, record: Option<NodeRecord>) -> Self {
        Self { store, record }
    }
}

impl Controller for NodeRecordKeeper {
    const NAME: &'static str = "builtin-node-record";
    const KINDS: &'static [Kind] = &[Kind::Node];

    async fn reconcile(&mut self) -> Result<Requeue, Fault> {
        if !is_kept(&self.store.view(), self.record.as_ref()) {
            write(&self.store, self.record.clone()).await?;
            tracing::info!("the store holds another state: the built-in node has been entered again");
        }
        Ok(Requeue::OnSignal)
    }
}

/// What the store is told about the built-in node.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Builtin {
    record: Option<NodeRecord>,
}

fn decide(tx: &mut Tx<'_>, write: &Write<Builtin>) -> Result<(), ()> {
    let given = write.input.record.as_ref();
    for other in others(tx.state(), given) {
        tx.put(NodeRecord { active: false, ..other });
    }
    if let Some(given) = given {
        let since = tx.state().node(given.id).map_or(write.at, |known| known.record.registered_at);
        tx.put(NodeRecord { registered_at: since, ..given.clone() });
    }
    Ok(())
}

/// Active built-in nodes beside the given one.
fn others(state: &State, given: Option<&NodeRecord>) -> Vec<NodeRecord> {
    let is_other =
        |record: &NodeRecord| record.builtin && record.active && given.is_none_or(|given| given.id != record.id);
    state.nodes().filter(|node| is_other(&node.record)).map(|node| NodeRecord::clone(&node.record)).collect()
}

fn is_kept(state: &State, given: Option<&NodeRecord>) -> bool {
    let as_given = |given: &NodeRecord| {
        state.node(given.id).is_some_and(|known| {
            *known.record == NodeRecord { registered_at: known.record.registered_at, ..given.clone() }
        })
    };
    others(state, given).is_empty() && given.is_none_or(as_given)
}

#[cfg(test)]
mod tests {
    use longshore_domain::{EcsId, Resources, Timestamp};
    use longshore_store::{Backend, Options};

    use super::*;

    fn node(byte: u8) -> NodeRecord {
        NodeRecord {
            id: EcsId([byte; 16]),
            builtin: true,
            active: true,
            capacity: Resources { cpu: 1024, memory: 512, tcp_ports: vec![], udp_ports: vec![] },
            attributes: vec![],
            engine_version: String::new(),
            registered_at: Timestamp::from_millis(5),
        }
    }

    async fn put(store: &Store, record: NodeRecord) {
        fn decide(tx: &mut Tx<'_>, write: &Write<NodeRecord>) -> Result<(), ()> {
            tx.put(write.input.clone());
            Ok(())
        }
        let (scope, seed) = (Scope::new("", ""), EcsId([0; 16]));
        let write = Write { scope, principal: "test".into(), at: Timestamp::from_millis(1), seed, input: record };
        store.update(write, decide).await.unwrap();
    }

    fn active(store: &Store) -> Vec<EcsId> {
        store.view().nodes().filter(|node| node.record.active).map(|node| node.record.id).collect()
    }

    #[tokio::test]
    async fn what_a_restore_has_changed_is_put_right() {
        let store = Store::open(Options::new(Backend::Memory)).unwrap();
        let mut keeper = NodeRecordKeeper::new(store.clone(), Some(node(1)));
        keeper.reconcile().await.unwrap();
        assert_eq!(active(&store), [node(1).id]);
        let version = store.view().version();
        keeper.reconcile().await.unwrap();
        assert_eq!(store.view().version(), version, "nothing is written without need");
        for other in
            [NodeRecord { active: false, ..node(1) }, node(2), NodeRecord { engine_version: "x".into(), ..node(1) }]
        {
            put(&store, other).await;
            keeper.reconcile().await.unwrap();
            assert_eq!(active(&store), [node(1).id]);
            assert!(is_kept(&store.view(), Some(&node(1))));
        }
        let mut none = NodeRecordKeeper::new(store.clone(), None);
        none.reconcile().await.unwrap();
        assert!(active(&store).is_empty());
    }
}
