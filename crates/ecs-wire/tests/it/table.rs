//! The operation table and the member tables.

use longshore_ecs_wire::operations::DesiredStatus;
use longshore_ecs_wire::shapes::SENSITIVE_MEMBERS;
use longshore_ecs_wire::{Kind, Operation, member};

#[test]
fn all_88_operations_are_found_by_their_names() {
    assert_eq!(Operation::ALL.len(), 88);
    for operation in Operation::ALL {
        assert_eq!(Operation::from_name(operation.name()), Some(operation));
        assert_eq!(format!("{operation:?}"), operation.name());
    }
    assert!(Operation::ALL.windows(2).all(|pair| pair[0].name() < pair[1].name()));
}

#[test]
fn other_names_are_no_operations() {
    for name in ["", "listTasks", "ListTasks ", "ListTask", "Zzz", "Aaa"] {
        assert_eq!(Operation::from_name(name), None, "{name:?}");
    }
}

#[test]
fn every_operation_may_fail_on_the_server_s_side() {
    for operation in Operation::ALL {
        assert!(operation.errors().contains(&"ServerException"), "{operation:?}");
        assert!(operation.errors().is_sorted(), "{operation:?}");
    }
}

#[test]
fn a_member_carries_the_model_s_facts() {
    let members = Operation::RunTask.request_members();
    let find = |name: &str| members.iter().find(|member| member.name == name).unwrap();
    assert!(find("taskDefinition").required);
    assert!(!find("cluster").required);
    assert_eq!((find("tags").min, find("tags").max), (Some(0), Some(50)));
    let status = Operation::ListTasks.request_members().iter().find(|m| m.name == "desiredStatus");
    assert_eq!(status.map(|member| member.kind), Some(Kind::Enum(DesiredStatus::VALUES)));
}

#[test]
fn paths_reach_through_structures_and_lists() {
    let paths = member::paths("RunTask", Operation::RunTask.request_members());
    for path in [
        "RunTask.cluster",
        "RunTask.networkConfiguration",
        "RunTask.networkConfiguration.awsvpcConfiguration.subnets",
        "RunTask.overrides.containerOverrides.environment.name",
    ] {
        assert!(paths.iter().any(|one| one == path), "{path}");
    }
    let mut unique = paths.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), paths.len());
}

#[test]
fn an_operation_without_members_has_an_empty_table() {
    let empty: Vec<_> =
        Operation::ALL.into_iter().filter(|operation| operation.response_members().is_empty()).collect();
    for operation in &empty {
        assert!(member::paths("", operation.response_members()).is_empty());
    }
    assert!(empty.contains(&Operation::TagResource));
}

#[test]
fn sensitive_members_are_listed() {
    for (structure, name) in [
        ("ContainerDefinition", "environment"),
        ("ContainerDefinition", "repositoryCredentials"),
        ("ContainerOverride", "environment"),
        ("Session", "tokenValue"),
    ] {
        assert!(SENSITIVE_MEMBERS.contains(&(structure, name)), "{structure}.{name}");
    }
}
