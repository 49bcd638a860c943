//! ListTaskDefinitions: ARNs by family, then by revision as a number; a page at a time, from either end.
//!
//! A page is a range of the table that begins at its cursor. It ends early after [`MOST_EXAMINED`] revisions, so that
//! no number of revisions of another status makes a page without bound; it may then hold less than was asked for.

use std::ops::Bound;
use std::sync::Arc;

use longshore_domain::task_definition::TaskDefinitionRecord;
use longshore_domain::task_definition::list::{check_status, lists_definition};
use longshore_domain::{Refusal, Scope};
use longshore_ecs_wire::operations::{ListTaskDefinitionsRequest, ListTaskDefinitionsResponse};
use longshore_ecs_wire::shapes::SortOrder;
use longshore_store::State;
use longshore_store::state::DefinitionKey;

use crate::page::{self, Listing};
use crate::page_token::{self, PageTokens};
use crate::{Api, Caller};

/// A page looks at no more revisions than this.
pub const MOST_EXAMINED: usize = 10_000;

/// Lists definitions.
///
/// # Errors
/// An unknown status or order; a wrong page size or token.
pub fn list_task_definitions(
    api: &Api,
    caller: &Caller,
    input: &ListTaskDefinitionsRequest,
) -> Result<ListTaskDefinitionsResponse, Refusal> {
    let view = api.view();
    list(&view, &api.page_tokens(&view), caller, input)
}

fn list(
    state: &State,
    tokens: &PageTokens,
    caller: &Caller,
    input: &ListTaskDefinitionsRequest,
) -> Result<ListTaskDefinitionsResponse, Refusal> {
    let ListTaskDefinitionsRequest { family_prefix, status, sort, next_token, max_results } = input;
    let limit = page::limit(*max_results)?;
    check_status(status.as_ref())?;
    let descending = is_descending(sort.as_ref())?;
    let family = family_prefix.as_deref();
    let listing = Listing::new("ListTaskDefinitions", &caller.scope)
        .by(if family.is_some() { b"family" } else { b"" })
        .by(family.unwrap_or_default().as_bytes())
        .by(status.as_ref().map_or("ACTIVE", |status| status.as_str()).as_bytes())
        .by(if descending { b"DESC" } else { b"ASC" });
    let cursor = listing.open(tokens, state, next_token.as_deref())?.map(|bytes| key_of(&caller.scope, &bytes));
    let cursor = cursor.transpose()?;

    let (first, last) = ends(&caller.scope, family);
    let range = match (cursor, descending) {
        (None, _) => (first, last),
        (Some(cursor), false) => (Bound::Excluded(cursor), last),
        (Some(cursor), true) => (first, Bound::Excluded(cursor)),
    };
    let records = state.task_definitions(range);
    let wanted =
        |record: &TaskDefinitionRecord| lists_definition(family, status.as_ref(), &record.family, record.status);
    let page = if descending { cut(records.rev(), limit, wanted) } else { cut(records, limit, wanted) };
    Ok(ListTaskDefinitionsResponse {
        task_definition_arns: Some(page.arns),
        next_token: page.cursor.map(|cursor| listing.seal(tokens, state, cursor)),
    })
}

fn is_descending(sort: Option<&SortOrder>) -> Result<bool, Refusal> {
    match sort {
        None | Some(SortOrder::Asc) => Ok(false),
        Some(SortOrder::Desc) => Ok(true),
        Some(SortOrder::Unknown(_)) => Err(Refusal::invalid_parameter("sort should be one of [ASC,DESC]")),
    }
}

/// Where the revisions of a family, or else of a scope, begin and end.
fn ends(scope: &Scope, family: Option<&str>) -> (Bound<DefinitionKey>, Bound<DefinitionKey>) {
    let from = Bound::Included((scope.clone(), Arc::from(family.unwrap_or_default()), 0));
    let to = match family {
        Some(family) => Bound::Included((scope.clone(), Arc::from(family), u32::MAX)),
        None => {
            let next_region = format!("{}\0", scope.region);
            Bound::Excluded((Scope::new(Arc::clone(&scope.account), next_region), Arc::from(""), 0))
        }
    };
    (from, to)
}

#[derive(Default)]
struct Page {
    arns: Vec<String>,
    /// The last revision examined, if there may be more.
    cursor: Option<Vec<u8>>,
}

fn cut<'a>(
    records: impl Iterator<Item = &'a Arc<TaskDefinitionRecord>>,
    limit: usize,
    wanted: impl Fn(&TaskDefinitionRecord) -> bool,
) -> Page {
    let mut page = Page::default();
    let mut last: Option<&TaskDefinitionRecord> = None;
    for (examined, record) in records.enumerate() {
        let is_wanted = wanted(record);
        if examined == MOST_EXAMINED || (is_wanted && page.arns.len() == limit) {
            page.cursor = last.map(cursor_of);
            break;
        }
        if is_wanted {
            page.arns.push(record.arn());
        }
        last = Some(record);
    }
    page
}

fn cursor_of(record: &TaskDefinitionRecord) -> Vec<u8> {
    [&record.revision.to_be_bytes()[..], record.family.as_bytes()].concat()
}

fn key_of(scope: &Scope, cursor: &[u8]) -> Result<DefinitionKey, Refusal> {
    let (revision, family) = cursor.split_first_chunk().ok_or_else(page_token::invalid)?;
    let family = std::str::from_utf8(family).map_err(|_| page_token::invalid())?;
    Ok((scope.clone(), family.into(), u32::from_be_bytes(*revision)))
}
