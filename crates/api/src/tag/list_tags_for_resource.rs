//! ListTagsForResource: all tags of one resource, the system's included.

use longshore_domain::Refusal;
use longshore_ecs_wire::operations::{ListTagsForResourceRequest, ListTagsForResourceResponse};

use super::resource::Resource;
use crate::{Api, Caller, shape_rules};

/// Lists the tags of a resource.
///
/// # Errors
/// The resource.
pub fn list_tags_for_resource(
    api: &Api,
    caller: &Caller,
    input: &ListTagsForResourceRequest,
) -> Result<ListTagsForResourceResponse, Refusal> {
    let ListTagsForResourceRequest { resource_arn } = input;
    shape_rules::check(input)?;
    let resource = Resource::find(&api.view(), &caller.scope, resource_arn.as_deref().unwrap_or_default())?;
    Ok(ListTagsForResourceResponse { tags: Some(resource.tags().to_vec()) })
}
