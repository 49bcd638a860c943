//! ListClusters: the ARNs of a scope's ACTIVE clusters by name, a page at a time.
//!
//! The virtual `default` is one of them: every operation finds it, so the list shows it.

use std::sync::Arc;

use longshore_domain::{Refusal, arn, cluster};
use longshore_ecs_wire::operations::{ListClustersRequest, ListClustersResponse};
use longshore_store::State;

use crate::page::{self, Listing};
use crate::page_token::PageTokens;
use crate::{Api, Caller};

/// Lists clusters.
///
/// # Errors
/// A wrong page size or token.
pub fn list_clusters(api: &Api, caller: &Caller, input: &ListClustersRequest) -> Result<ListClustersResponse, Refusal> {
    let view = api.view();
    list(&view, &api.page_tokens(&view), caller, input)
}

fn list(
    state: &State,
    tokens: &PageTokens,
    caller: &Caller,
    input: &ListClustersRequest,
) -> Result<ListClustersResponse, Refusal> {
    let ListClustersRequest { next_token, max_results } = input;
    let limit = page::limit(*max_results)?;
    let listing = Listing::new("ListClusters", &caller.scope);
    let after = listing.open_text(tokens, state, next_token.as_deref())?;
    let after = after.as_deref();

    let stored = state.clusters(&caller.scope, after).filter(|cluster| cluster.is_active());
    let mut names: Vec<Arc<str>> = stored.map(|cluster| Arc::clone(&cluster.record.name)).take(limit + 1).collect();
    let is_virtual =
        state.cluster(&caller.scope, cluster::DEFAULT).is_some_and(|default| default.record.incarnation == 0);
    if is_virtual && after.is_none_or(|after| after < cluster::DEFAULT) {
        let place = names.partition_point(|name| **name < *cluster::DEFAULT);
        names.insert(place, cluster::DEFAULT.into());
    }
    let more = names.len() > limit;
    names.truncate(limit);
    let last = names.last().filter(|_| more);
    Ok(ListClustersResponse {
        next_token: last.map(|name| listing.seal(tokens, state, name.as_bytes().to_vec())),
        cluster_arns: Some(names.iter().map(|name| arn::cluster(&caller.scope, name)).collect()),
    })
}
