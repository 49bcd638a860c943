//! What is behind the listener, put together: store, API, controllers, built-in node.

use std::sync::Arc;
use std::time::Duration;

use longshore_api::Api;
use longshore_ecs_wire::Operation;
use longshore_store::lock::DirectoryLock;
use longshore_store::{Options, Store, StoreError};

use super::Backend;
use super::builtin_node::BuiltinNode;
use super::node_record;
use super::system::{RandomSeeds, SystemClock};
use crate::config::{BuiltinNode as BuiltinNodeKind, Config, StoreKind};
use crate::failure::Failure;
use crate::http::Readiness;
use crate::metrics::Registry;

/// Starts what is behind the listener.
///
/// # Errors
/// When a part does not start.
pub async fn start(config: &Config, registry: &mut Registry) -> Result<Backend, Failure> {
    std::fs::create_dir_all(&config.data_dir)
        .map_err(|error| Failure::Trouble(format!("cannot make {}: {error}", config.data_dir.display())))?;
    let (store, lock) = open(config).await?;
    super::gauges::register(registry, &store);
    let api = Api::new(store.clone(), Arc::new(SystemClock), Arc::new(RandomSeeds)).await.map_err(trouble)?;
    let trusted = config.credentials.is_some() || config.allow_privileged_unauthenticated;
    let api = api.with_privileged(trusted);
    let node = match config.builtin_node {
        BuiltinNodeKind::OnDemand => Some(BuiltinNode::start(config, &api).await?),
        BuiltinNodeKind::None => {
            node_record::write(&store, None).await?;
            None
        }
    };
    let record = node.as_ref().map(|node| node.record().clone());
    let controllers = super::controllers::start(&store, Duration::from_secs(config.task_retention_seconds), record)?;
    let runner = node.as_ref().map(|node| Arc::clone(node.node()));
    let engine = node.as_ref().map(|node| Arc::clone(node.engine()));
    if let Some(node) = &runner {
        super::gauges::register_node(registry, Arc::clone(node));
    }
    let ready: Readiness = match runner.clone() {
        Some(node) => Arc::new(move || BuiltinNode::ready(&node)),
        None => Arc::new(|| Ok(())),
    };
    let closing = store.clone();
    let stop = Box::pin(async move {
        if let Some(node) = node {
            node.stop().await;
        }
        controllers.stop().await;
        if let Err(error) = closing.close().await {
            tracing::warn!(%error, "the store was not closed; nothing is lost, the next start recovers it");
        }
        drop(lock);
    });
    let operations = Operation::ALL.iter().map(|operation| operation.name()).collect();
    Ok(Backend { api, operations, ready, stop, engine, node: runner })
}

/// The store; where it does not lock the data directory itself, the lock. The node's id lives there in any case.
async fn open(config: &Config) -> Result<(Store, Option<DirectoryLock>), Failure> {
    let directory = config.data_dir.clone();
    let (backend, lock) = match config.store {
        StoreKind::Sqlite => (longshore_store::Backend::Sqlite(directory), None),
        StoreKind::Memory => {
            (longshore_store::Backend::Memory, Some(DirectoryLock::take(&directory).map_err(trouble)?))
        }
    };
    let opened = tokio::task::spawn_blocking(move || Store::open(Options::new(backend))).await;
    Ok((opened.map_err(|error| Failure::Trouble(error.to_string()))?.map_err(trouble)?, lock))
}

#[expect(clippy::needless_pass_by_value, reason = "it is what map_err hands over")]
fn trouble(error: StoreError) -> Failure {
    Failure::Trouble(error.to_string())
}
