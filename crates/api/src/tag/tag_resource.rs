//! TagResource: adds tags to a resource, or gives new values to those it has.

use longshore_domain::{Refusal, tags};
use longshore_ecs_wire::operations::{TagResourceRequest, TagResourceResponse};
use longshore_store::{Tx, Write};

use super::resource::Resource;
use crate::{Api, Caller, shape_rules};

/// Tags a resource.
///
/// # Errors
/// A wrong tag; the resource; more than 50 tags in all.
pub async fn tag_resource(
    api: &Api,
    caller: &Caller,
    input: TagResourceRequest,
) -> Result<TagResourceResponse, Refusal> {
    tags::validate_tags(input.tags.as_deref().unwrap_or_default())?;
    shape_rules::check(&input)?;
    api.update(caller, input, decide).await
}

fn decide(tx: &mut Tx<'_>, write: &Write<TagResourceRequest>) -> Result<TagResourceResponse, Refusal> {
    let TagResourceRequest { resource_arn, tags: given } = &write.input;
    let given = given.as_deref().unwrap_or_default();
    let resource = Resource::find(tx.state(), &write.scope, resource_arn.as_deref().unwrap_or_default())?;
    let merged = tags::merge(resource.tags(), given);
    tags::check_count(tags::counted(&merged))?;
    resource.put_tags(tx, merged, write.at);
    Ok(TagResourceResponse {})
}
