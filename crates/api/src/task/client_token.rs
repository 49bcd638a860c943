//! RunTask's client tokens: the same token with the same parameters answers the original result.

use longshore_domain::idempotency::ClientTokenRecord;
use longshore_domain::task::TaskStatus;
use longshore_domain::{EcsId, ErrorClass, Refusal, Timestamp, arn};
use longshore_ecs_wire::operations::{RunTaskRequest, RunTaskResponse};
use longshore_ecs_wire::shapes::Failure;
use longshore_store::{ClusterState, State};
use sha2::{Digest, Sha256};

use super::render;

/// Failures are repeated in full for this long, then only counted.
const FAILURES_MILLIS: i64 = 3600 * 1000;

/// SHA-256 of the request as it was meant: the cluster by its name, without the token.
pub fn digest(cluster: &str, request: &RunTaskRequest) -> String {
    let mut request = request.clone();
    request.client_token = None;
    request.cluster = Some(cluster.into());
    request.count = Some(request.count.unwrap_or(1));
    let bytes = serde_json::to_vec(&request).unwrap_or_default();
    faster_hex::hex_string(&Sha256::digest(bytes))
}

/// The record of a token that has just been used.
pub fn record(
    cluster: u64,
    token: &str,
    digest: &str,
    created_at: Timestamp,
    tasks: Vec<EcsId>,
    failures: Vec<Failure>,
) -> ClientTokenRecord {
    ClientTokenRecord { cluster, token: token.into(), digest: digest.into(), created_at, tasks, failures }
}

/// The original answer, if this token was used before and still protects.
///
/// # Errors
/// `ConflictException` if it was used with other parameters.
pub fn replay(
    state: &State,
    cluster: &ClusterState,
    token: &str,
    digest: &str,
    now: Timestamp,
) -> Result<Option<RunTaskResponse>, Refusal> {
    let Some(record) = cluster.client_tokens.get(token) else { return Ok(None) };
    let tasks: Vec<_> = record.tasks.iter().filter_map(|id| cluster.task(*id)).collect();
    if !record.lives(now, tasks.iter().map(|task| task.stopped_at)) {
        return Ok(None);
    }
    if *record.digest != *digest {
        let scope = &cluster.record.scope;
        let arns = record.tasks.iter().map(|id| arn::task(scope, &cluster.record.name, *id));
        let message = "The client token was used before with other parameters.";
        return Err(Refusal { class: ErrorClass::Conflict, message: message.into(), resource_ids: arns.collect() });
    }
    let shown = tasks.iter().map(|task| match task.last_status {
        TaskStatus::Stopped => render::stopped_replay(cluster, task),
        _ => render::task(state, cluster, task, true),
    });
    let young = now.millis() - record.created_at.millis() < FAILURES_MILLIS;
    let failures = if young || record.failures.is_empty() {
        record.failures.clone()
    } else {
        vec![Failure { reason: Some(format!("{} failures", record.failures.len())), ..Failure::default() }]
    };
    Ok(Some(RunTaskResponse { tasks: Some(shown.collect()), failures: Some(failures) }))
}
