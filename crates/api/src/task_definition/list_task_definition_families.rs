//! ListTaskDefinitionFamilies: names of the families that have any revision left, a page at a time.
//!
//! `familyPrefix` is a true prefix here. A page is a range of families from its cursor on; it ends early once it has
//! looked at [`MOST_EXAMINED`] revisions, and may then hold less than was asked for.

use longshore_domain::Refusal;
use longshore_domain::task_definition::TaskDefinitionStatus;
use longshore_domain::task_definition::list::{check_family_status, lists_family};
use longshore_ecs_wire::operations::{ListTaskDefinitionFamiliesRequest, ListTaskDefinitionFamiliesResponse};
use longshore_store::State;

use super::list_task_definitions::MOST_EXAMINED;
use crate::page::{self, Listing};
use crate::page_token::PageTokens;
use crate::{Api, Caller};

/// Lists families.
///
/// # Errors
/// An unknown status; a wrong page size or token.
pub fn list_task_definition_families(
    api: &Api,
    caller: &Caller,
    input: &ListTaskDefinitionFamiliesRequest,
) -> Result<ListTaskDefinitionFamiliesResponse, Refusal> {
    let view = api.view();
    list(&view, &api.page_tokens(&view), caller, input)
}

fn list(
    state: &State,
    tokens: &PageTokens,
    caller: &Caller,
    input: &ListTaskDefinitionFamiliesRequest,
) -> Result<ListTaskDefinitionFamiliesResponse, Refusal> {
    let ListTaskDefinitionFamiliesRequest { family_prefix, status, next_token, max_results } = input;
    let limit = page::limit(*max_results)?;
    check_family_status(status.as_ref())?;
    let (scope, prefix) = (&caller.scope, family_prefix.as_deref().unwrap_or_default());
    let listing = Listing::new("ListTaskDefinitionFamilies", scope)
        .by(prefix.as_bytes())
        .by(status.as_ref().map_or("ALL", |status| status.as_str()).as_bytes());
    let after = listing.open_text(tokens, state, next_token.as_deref())?;

    let from = after.as_deref().unwrap_or(prefix);
    let families = state.families(scope, from).map(|record| &*record.family);
    let families = families.skip_while(|family| after.as_deref() == Some(*family));
    let (mut found, mut examined) = (Vec::new(), 0);
    let (mut last, mut cursor) = (None, None);
    for family in families.take_while(|family| family.starts_with(prefix)) {
        let mut latest_first = state.revisions(scope, family).rev().inspect(|_| examined += 1).peekable();
        let has_any = latest_first.peek().is_some();
        let has_active = latest_first.any(|record| record.status == TaskDefinitionStatus::Active);
        drop(latest_first);
        let is_listed = has_any && lists_family(Some(prefix), status.as_ref(), family, has_active);
        if (is_listed && found.len() == limit) || examined > MOST_EXAMINED && last.is_some() {
            cursor = last;
            break;
        }
        if is_listed {
            found.push(family.to_owned());
        }
        examined += 1;
        last = Some(family);
    }
    Ok(ListTaskDefinitionFamiliesResponse {
        families: Some(found),
        next_token: cursor.map(|family| listing.seal(tokens, state, family.as_bytes().to_vec())),
    })
}
