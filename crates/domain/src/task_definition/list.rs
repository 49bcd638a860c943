//! Which definitions and families the two list operations return, and in what order.
//!
//! `familyPrefix` of ListTaskDefinitions is the FULL name of a family in spite of its name; of
//! ListTaskDefinitionFamilies it is a true prefix. Source: the API model's text on both operations.

use std::cmp::Ordering;

use longshore_ecs_wire::shapes::{SortOrder, TaskDefinitionFamilyStatus, TaskDefinitionStatus as StatusFilter};

use super::record::TaskDefinitionStatus;
use crate::Refusal;

/// Refuses a status that ListTaskDefinitions does not know.
///
/// # Errors
/// InvalidParameterException by the template `… should be one of […]`.
pub fn check_status(status: Option<&StatusFilter>) -> Result<(), Refusal> {
    if status.is_some_and(|status| !status.is_known()) {
        return Err(one_of("Task definition status", StatusFilter::VALUES));
    }
    Ok(())
}

/// Refuses a status that ListTaskDefinitionFamilies does not know.
///
/// # Errors
/// InvalidParameterException by the template `… should be one of […]`.
pub fn check_family_status(status: Option<&TaskDefinitionFamilyStatus>) -> Result<(), Refusal> {
    if status.is_some_and(|status| !status.is_known()) {
        return Err(one_of("Task definition family status", TaskDefinitionFamilyStatus::VALUES));
    }
    Ok(())
}

fn one_of(what: &str, values: &[&str]) -> Refusal {
    Refusal::invalid_parameter(format!("{what} should be one of [{}]", values.join(",")))
}

/// Whether ListTaskDefinitions with these filters returns a definition; no status means ACTIVE.
pub fn lists_definition(
    family_prefix: Option<&str>,
    wanted: Option<&StatusFilter>,
    family: &str,
    status: TaskDefinitionStatus,
) -> bool {
    let wanted = wanted.map_or(TaskDefinitionStatus::Active.as_str(), StatusFilter::as_str);
    family_prefix.is_none_or(|name| name == family) && wanted == status.as_str()
}

/// Whether ListTaskDefinitionFamilies with these filters returns a family that has any definition left.
///
/// A family is ACTIVE while it has an ACTIVE revision, else INACTIVE; no status means ALL.
pub fn lists_family(
    family_prefix: Option<&str>,
    wanted: Option<&TaskDefinitionFamilyStatus>,
    family: &str,
    has_active_revision: bool,
) -> bool {
    family_prefix.is_none_or(|prefix| family.starts_with(prefix))
        && match wanted {
            Some(TaskDefinitionFamilyStatus::Active) => has_active_revision,
            Some(TaskDefinitionFamilyStatus::Inactive) => !has_active_revision,
            Some(TaskDefinitionFamilyStatus::All) | None => true,
            Some(TaskDefinitionFamilyStatus::Unknown(_)) => false,
        }
}

/// ListTaskDefinitions' order: by family, then by revision as a number; the whole turned round for DESC.
pub fn listing_order(sort: Option<&SortOrder>, left: (&str, u32), right: (&str, u32)) -> Ordering {
    match sort {
        Some(SortOrder::Desc) => right.cmp(&left),
        _ => left.cmp(&right),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use StatusFilter as Filter;
    use TaskDefinitionFamilyStatus as FamilyStatus;
    use TaskDefinitionStatus::{Active, DeleteInProgress, Inactive};

    #[test]
    fn definitions_are_matched_by_whole_family_and_status() {
        for (prefix, wanted, family, status, listed) in [
            (None, None, "web", Active, true),
            (None, None, "web", Inactive, false),
            (None, None, "web", DeleteInProgress, false),
            (Some("web"), None, "web", Active, true),
            (Some("we"), None, "web", Active, false),
            (None, Some(Filter::Inactive), "web", Inactive, true),
            (None, Some(Filter::DeleteInProgress), "web", DeleteInProgress, true),
            (None, Some(Filter::Inactive), "web", Active, false),
        ] {
            assert_eq!(
                lists_definition(prefix, wanted.as_ref(), family, status),
                listed,
                "{prefix:?} {wanted:?} {family} {status:?}"
            );
        }
    }

    #[test]
    fn families_are_matched_by_prefix_and_status() {
        for (prefix, wanted, active, listed) in [
            (None, None, false, true),
            (Some("we"), None, true, true),
            (Some("eb"), None, true, false),
            (None, Some(FamilyStatus::All), false, true),
            (None, Some(FamilyStatus::Active), true, true),
            (None, Some(FamilyStatus::Active), false, false),
            (None, Some(FamilyStatus::Inactive), false, true),
            (None, Some(FamilyStatus::Inactive), true, false),
        ] {
            assert_eq!(lists_family(prefix, wanted.as_ref(), "web", active), listed, "{prefix:?} {wanted:?}");
        }
    }

    #[test]
    fn revisions_sort_as_numbers() {
        let mut all = vec![("web", 10), ("api", 2), ("web", 9), ("web-2", 1)];
        all.sort_by(|left, right| listing_order(None, *left, *right));
        assert_eq!(all, [("api", 2), ("web", 9), ("web", 10), ("web-2", 1)]);
        all.sort_by(|left, right| listing_order(Some(&SortOrder::Desc), *left, *right));
        assert_eq!(all, [("web-2", 1), ("web", 10), ("web", 9), ("api", 2)]);
    }

    #[test]
    fn unknown_statuses_are_refused() {
        assert_eq!(check_status(Some(&Filter::Active)), Ok(()));
        assert_eq!(
            check_status(Some(&Filter::Unknown("x".into()))),
            Err(Refusal::invalid_parameter(
                "Task definition status should be one of [ACTIVE,INACTIVE,DELETE_IN_PROGRESS]"
            ))
        );
        assert_eq!(
            check_family_status(Some(&FamilyStatus::Unknown("x".into()))),
            Err(Refusal::invalid_parameter("Task definition family status should be one of [ACTIVE,INACTIVE,ALL]"))
        );
    }
}
