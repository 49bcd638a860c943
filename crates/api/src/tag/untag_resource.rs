//! UntagResource: takes tags off a resource. Keys that it does not have are ignored.

use longshore_domain::{Refusal, tags};
use longshore_ecs_wire::operations::{UntagResourceRequest, UntagResourceResponse};
use longshore_store::{Tx, Write};

use super::resource::Resource;
use crate::{Api, Caller, shape_rules};

/// Takes tags off.
///
/// # Errors
/// A wrong key; the resource.
pub async fn untag_resource(
    api: &Api,
    caller: &Caller,
    input: UntagResourceRequest,
) -> Result<UntagResourceResponse, Refusal> {
    input.tag_keys.iter().flatten().try_for_each(|key| tags::validate_tag_key(key))?;
    shape_rules::check(&input)?;
    api.update(caller, input, decide).await
}

fn decide(tx: &mut Tx<'_>, write: &Write<UntagResourceRequest>) -> Result<UntagResourceResponse, Refusal> {
    let UntagResourceRequest { resource_arn, tag_keys } = &write.input;
    let keys = tag_keys.as_deref().unwrap_or_default();
    let resource = Resource::find(tx.state(), &write.scope, resource_arn.as_deref().unwrap_or_default())?;
    let left = tags::without(resource.tags(), keys);
    resource.put_tags(tx, left, write.at);
    Ok(UntagResourceResponse {})
}
