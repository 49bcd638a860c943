//! Exact bytes of a few answers and requests.

use std::collections::BTreeMap;

use longshore_ecs_wire::Timestamp;
use longshore_ecs_wire::operations::{ListTasksResponse, RunTaskRequest};
use longshore_ecs_wire::shapes::{
    Compatibility, Container, ContainerDefinition, HealthStatus, LaunchType, NetworkBinding, Task, TaskOverride,
    TransportProtocol,
};

fn text(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap()
}

#[test]
fn a_page_of_list_tasks() {
    let mut page = ListTasksResponse {
        task_arns: Some(vec!["arn:aws:ecs:us-east-1:000000000000:task/default/0a".into()]),
        next_token: Some("t".into()),
    };
    assert_eq!(text(&page), r#"{"taskArns":["arn:aws:ecs:us-east-1:000000000000:task/default/0a"],"nextToken":"t"}"#);
    page = ListTasksResponse { task_arns: Some(vec![]), next_token: None };
    assert_eq!(text(&page), r#"{"taskArns":[]}"#);
    assert_eq!(serde_json::from_str::<ListTasksResponse>(r#"{"taskArns":[]}"#).unwrap(), page);
}

#[test]
fn a_task_in_the_model_s_order() {
    let task = Task {
        task_arn: Some("arn:t".into()),
        last_status: Some("RUNNING".into()),
        launch_type: Some(LaunchType::Ec2),
        health_status: Some(HealthStatus::UnknownValue),
        created_at: Some(Timestamp::from_millis(1_479_765_460_842)),
        version: Some(3),
        overrides: Some(TaskOverride { container_overrides: Some(vec![]), ..TaskOverride::default() }),
        containers: Some(vec![Container {
            name: Some("web".into()),
            exit_code: Some(0),
            network_bindings: Some(vec![NetworkBinding {
                bind_ip: Some("127.0.0.1".into()),
                protocol: Some(TransportProtocol::Tcp),
                ..NetworkBinding::default()
            }]),
            ..Container::default()
        }]),
        tags: Some(vec![]),
        ..Task::default()
    };
    let golden = concat!(
        r#"{"containers":[{"name":"web","exitCode":0,"#,
        r#""networkBindings":[{"bindIP":"127.0.0.1","protocol":"tcp"}]}],"#,
        r#""createdAt":1479765460.842,"healthStatus":"UNKNOWN","lastStatus":"RUNNING","#,
        r#""launchType":"EC2","overrides":{"containerOverrides":[]},"tags":[],"taskArn":"arn:t","#,
        r#""version":3}"#
    );
    assert_eq!(text(&task), golden);
    assert_eq!(serde_json::from_str::<Task>(golden).unwrap(), task);
}

#[test]
fn a_definition_with_maps_acronyms_and_keywords() {
    let golden = concat!(
        r#"{"name":"web","cpu":64,"dockerLabels":{"a":"1","b":"2"},"#,
        r#""resourceRequirements":[{"value":"1","type":"GPU"}]}"#
    );
    let definition: ContainerDefinition = serde_json::from_str(golden).unwrap();
    let labels = BTreeMap::from([("a".into(), "1".into()), ("b".into(), "2".into())]);
    assert_eq!(definition.docker_labels, Some(labels));
    let requirements = definition.resource_requirements.as_ref().unwrap();
    assert_eq!(requirements[0].r#type.as_ref().map(|kind| kind.as_str()), Some("GPU"));
    assert_eq!(text(&definition), golden);
    assert_eq!(Compatibility::from("FARGATE"), Compatibility::Fargate);
}

#[test]
fn a_request_with_an_acronym_in_a_name() {
    let request = RunTaskRequest { enable_ecs_managed_tags: Some(true), ..RunTaskRequest::default() };
    assert_eq!(text(&request), r#"{"enableECSManagedTags":true}"#);
}
