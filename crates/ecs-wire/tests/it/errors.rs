//! The modelled errors of an operation.

use longshore_ecs_wire::operations::{ListTasksError, RunTaskError};
use longshore_ecs_wire::{ApiError, Operation};

#[test]
fn an_error_knows_its_code_status_and_text() {
    let error = ListTasksError::ClusterNotFoundException { message: "Cluster not found.".into() };
    assert_eq!(error.code(), "ClusterNotFoundException");
    assert_eq!(error.message(), "Cluster not found.");
    assert_eq!(error.http_status(), 400);
    assert_eq!(error.resource_ids(), None);
    assert_eq!(error.to_string(), "ClusterNotFoundException: Cluster not found.");
}

#[test]
fn a_server_fault_is_500() {
    let error = ListTasksError::ServerException { message: String::new() };
    assert_eq!(error.http_status(), 500);
}

#[test]
fn a_conflict_names_its_resources() {
    let error = RunTaskError::ConflictException { message: "m".into(), resource_ids: vec!["arn:t".into()] };
    assert_eq!(error.resource_ids(), Some(["arn:t".to_owned()].as_slice()));
    assert_eq!(RunTaskError::from_code("ConflictException", "m".into(), vec!["arn:t".into()]), Some(error));
}

#[test]
fn only_modelled_codes_become_errors() {
    assert_eq!(ListTasksError::from_code("ConflictException", "m".into(), vec![]), None);
    assert_eq!(
        ListTasksError::from_code("ClientException", "m".into(), vec!["lost".into()]),
        Some(ListTasksError::ClientException { message: "m".into() })
    );
}

#[test]
fn the_table_lists_the_same_codes() {
    assert_eq!(
        Operation::ListTasks.errors(),
        [
            "AccessDeniedException",
            "ClientException",
            "ClusterNotFoundException",
            "InvalidParameterException",
            "ServerException",
            "ServiceNotFoundException",
        ]
    );
}
