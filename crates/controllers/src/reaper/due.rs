//! What has come to its end, found in a state and judged against one.

use std::sync::Arc;

use longshore_domain::idempotency::{AFTER_LAST_TASK_MILLIS, ClientTokenRecord, LIFE_MILLIS};
use longshore_domain::task::TaskKey;
use longshore_domain::{EcsId, Scope, Timestamp};
use longshore_store::{ClusterState, Record, State};
use serde::{Deserialize, Serialize};

use super::earliest_end;

/// So many client tokens are looked at before others get their turn.
const TOKENS_AT_ONCE: usize = 4_096;

/// A record that has come to its end, by its key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Due {
    /// A task that was kept for long enough.
    Task(TaskKey),
    /// A token that protects nothing any more: cluster and token.
    ClientToken(u64, Arc<str>),
    /// A membership in a cluster that nothing can name any more: cluster and id.
    ContainerInstance(u64, EcsId),
    /// A cluster that nothing can name any more.
    Cluster(u64),
    /// A deleted task definition that no task has: scope, family and revision.
    TaskDefinition(Scope, Arc<str>, u32),
}

/// Up to `most` records that are due, found without looking at those that are not. A cluster comes after what is in it.
pub(super) fn find(state: &State, now: Timestamp, retention_millis: i64, most: usize) -> Vec<Due> {
    let tasks = state.stopped().take_while(|(at, _)| is_kept_long_enough(*at, now, retention_millis));
    let tasks = tasks.map(|(_, key)| Due::Task(*key));
    let tokens = state.client_tokens().take_while(|(created_at, ..)| now.millis_since(*created_at) >= LIFE_MILLIS);
    let tokens = tokens.map(|(_, cluster, token)| Due::ClientToken(*cluster, Arc::clone(token)));
    let clusters =
        state.all_clusters().filter(|cluster| is_out_of_use(state, cluster)).flat_map(|cluster| whole(cluster));
    let definitions = state.deletable_definitions();
    let definitions = definitions
        .map(|record| Due::TaskDefinition(record.scope.clone(), Arc::clone(&record.family), record.revision));
    tasks.chain(tokens).chain(clusters).chain(definitions).take(most).collect()
}

/// A cluster with what is in it beside tasks.
fn whole(cluster: &ClusterState) -> impl Iterator<Item = Due> {
    let incarnation = cluster.record.incarnation;
    let instances = cluster.container_instances.keys().map(move |id| Due::ContainerInstance(incarnation, *id));
    let tokens = cluster.client_tokens.keys().map(move |token| Due::ClientToken(incarnation, Arc::clone(token)));
    instances.chain(tokens).chain(std::iter::once(Due::Cluster(incarnation)))
}

/// The record itself, if it is there and due. Task definitions are judged together: see [`super::retire`].
pub(super) fn record_if_due(state: &State, due: &Due, now: Timestamp, retention_millis: i64) -> Option<Record> {
    match due {
        Due::Task(key) => {
            let stopped_at = state.task_life(*key)?.stopped_at?;
            let over = is_kept_long_enough(stopped_at, now, retention_millis);
            over.then(|| state.task(*key).map(Record::from)).flatten()
        }
        Due::ClientToken(cluster, token) => {
            let cluster = state.cluster_by_incarnation(*cluster)?;
            let token = cluster.client_tokens.get(token)?;
            let over = is_out_of_use(state, cluster) || !protects(cluster, token, now);
            over.then(|| Record::ClientToken(Arc::clone(token)))
        }
        Due::ContainerInstance(cluster, id) => {
            let cluster = state.cluster_by_incarnation(*cluster).filter(|cluster| is_out_of_use(state, cluster))?;
            cluster.container_instances.get(id).map(|instance| Record::ContainerInstance(Arc::clone(instance)))
        }
        Due::Cluster(cluster) => {
            let cluster = state.cluster_by_incarnation(*cluster).filter(|cluster| is_out_of_use(state, cluster))?;
            let empty = cluster.container_instances.is_empty() && cluster.client_tokens.is_empty();
            empty.then(|| Record::Cluster(Arc::clone(&cluster.record)))
        }
        Due::TaskDefinition(scope, family, revision) => {
            state.task_definition(scope, family, *revision).map(|record| Record::TaskDefinition(Arc::clone(record)))
        }
    }
}

/// When the client tokens are to be looked at, given when that was planned; `None`: there are none.
pub(super) fn next_sweep(state: &State, planned: Option<Timestamp>) -> Option<Timestamp> {
    let (oldest, ..) = state.client_tokens().next()?;
    planned.or_else(|| Some(earliest_end(*oldest)))
}

/// The tokens that protect nothing any more, and when the next one may come to its end (`None`: there is no other).
pub(super) async fn sweep_client_tokens(state: &State, now: Timestamp) -> (Vec<Due>, Option<Timestamp>) {
    let (mut dead, mut earliest) = (Vec::new(), None::<Timestamp>);
    for (count, (created_at, cluster, token)) in state.client_tokens().enumerate() {
        if count % TOKENS_AT_ONCE == TOKENS_AT_ONCE - 1 {
            tokio::task::yield_now().await;
        }
        let young = earliest_end(*created_at) > now;
        let end = if young { Some(earliest_end(*created_at)) } else { end_of(state, *cluster, token, now) };
        match end {
            Some(end) => earliest = Some(earliest.map_or(end, |earliest| earliest.min(end))),
            None => dead.push(Due::ClientToken(*cluster, Arc::clone(token))),
        }
        if young {
            // The rest are younger still.
            break;
        }
    }
    (dead, earliest)
}

/// The earliest end of a token that protects now.
fn end_of(state: &State, cluster: u64, token: &Arc<str>, now: Timestamp) -> Option<Timestamp> {
    let cluster = state.cluster_by_incarnation(cluster)?;
    let token = cluster.client_tokens.get(token).filter(|token| protects(cluster, token, now))?;
    // A task that runs can stop now at the earliest.
    let last_stop = stops(cluster, token).map(|stop| stop.unwrap_or(now)).max();
    let by_tasks = last_stop.unwrap_or(token.created_at).plus_millis(AFTER_LAST_TASK_MILLIS);
    Some(by_tasks.min(token.created_at.plus_millis(LIFE_MILLIS)))
}

fn protects(cluster: &ClusterState, token: &ClientTokenRecord, now: Timestamp) -> bool {
    token.lives(now, stops(cluster, token))
}

/// When each of the token's tasks stopped, if it has; tasks that are gone do not appear.
fn stops(cluster: &ClusterState, token: &ClientTokenRecord) -> impl Iterator<Item = Option<Timestamp>> {
    token.tasks.iter().filter_map(|id| cluster.tasks.life(*id)).map(|life| life.stopped_at)
}

fn is_kept_long_enough(stopped_at: Timestamp, now: Timestamp, retention_millis: i64) -> bool {
    now.millis_since(stopped_at) >= retention_millis
}

/// Whether a cluster is deleted, its name means another one now, and none of its tasks is kept.
fn is_out_of_use(state: &State, cluster: &ClusterState) -> bool {
    !cluster.is_active() && !state.is_latest(cluster) && cluster.tasks.is_empty()
}
