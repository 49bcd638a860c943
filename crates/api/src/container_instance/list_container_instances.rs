//! ListContainerInstances: the ARNs of one cluster's instances by id, a page at a time.

use std::ops::Bound;

use longshore_domain::container_instance::lists;
use longshore_domain::{EcsId, Refusal, arn};
use longshore_ecs_wire::operations::{ListContainerInstancesRequest, ListContainerInstancesResponse};
use longshore_store::State;

use crate::page::{self, Listing};
use crate::page_token::{self, PageTokens};
use crate::{Api, Caller, resolve};

/// Lists container instances.
///
/// # Errors
/// A wrong page size, status or token; the cluster. `filter` is refused by name before this.
pub fn list_container_instances(
    api: &Api,
    caller: &Caller,
    input: &ListContainerInstancesRequest,
) -> Result<ListContainerInstancesResponse, Refusal> {
    let view = api.view();
    list(&view, &api.page_tokens(&view), caller, input)
}

fn list(
    state: &State,
    tokens: &PageTokens,
    caller: &Caller,
    input: &ListContainerInstancesRequest,
) -> Result<ListContainerInstancesResponse, Refusal> {
    let ListContainerInstancesRequest { cluster, filter: _, next_token, max_results, status } = input;
    let limit = page::limit(*max_results)?;
    let status = status.as_ref();
    lists(status, longshore_domain::container_instance::ContainerInstanceStatus::Active)?;
    let cluster = resolve::active_cluster(state, &caller.scope, cluster.as_deref())?;
    let listing = Listing::new("ListContainerInstances", &caller.scope)
        .by(&cluster.record.incarnation.to_be_bytes())
        .by(status.map_or("", |status| status.as_str()).as_bytes());
    let after = match listing.open(tokens, state, next_token.as_deref())? {
        Some(bytes) => Bound::Excluded(EcsId(bytes.try_into().map_err(|_| page_token::invalid())?)),
        None => Bound::Unbounded,
    };

    let instances = cluster.container_instances.range((after, Bound::Unbounded)).map(|(_, instance)| instance);
    let listed = instances.filter(|instance| lists(status, instance.status) == Ok(true));
    let mut ids: Vec<EcsId> = listed.map(|instance| instance.id).take(limit + 1).collect();
    let more = ids.len() > limit;
    ids.truncate(limit);
    let name = &cluster.record.name;
    Ok(ListContainerInstancesResponse {
        next_token: ids.last().filter(|_| more).map(|id| listing.seal(tokens, state, id.0.to_vec())),
        container_instance_arns: Some(ids.iter().map(|id| arn::container_instance(&caller.scope, name, *id)).collect()),
    })
}
