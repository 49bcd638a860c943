//! Shape rules: the first broken one, with the path of its member.

use longshore_ecs_wire::operations::{
    CreateDaemonRequest, ListTasksRequest, RegisterTaskDefinitionRequest, RunTaskRequest,
};
use longshore_ecs_wire::{Rule, Shape, Violation};

fn broken<T: Shape + serde::de::DeserializeOwned>(request: &str) -> Option<(String, Rule)> {
    let request: T = serde_json::from_str(request).unwrap();
    request.first_violation().map(|Violation { member, rule }| (member, rule))
}

fn at(member: &str, rule: Rule) -> Option<(String, Rule)> {
    Some((member.to_owned(), rule))
}

#[test]
fn a_request_without_rules_breaks_none() {
    assert_eq!(broken::<ListTasksRequest>("{}"), None);
}

#[test]
fn a_required_member_must_be_given() {
    assert_eq!(broken::<RunTaskRequest>("{}"), at("taskDefinition", Rule::Required));
    assert_eq!(broken::<RunTaskRequest>(r#"{"taskDefinition":""}"#), None);
}

#[test]
fn nested_rules_say_where() {
    assert_eq!(
        broken::<RunTaskRequest>(r#"{"networkConfiguration":{"awsvpcConfiguration":{}}}"#),
        at("networkConfiguration.awsvpcConfiguration.subnets", Rule::Required)
    );
    assert_eq!(
        broken::<RegisterTaskDefinitionRequest>(
            r#"{"family":"f","containerDefinitions":[{},{"secrets":[{"name":"n","valueFrom":"v"},{"name":"n"}]}]}"#
        ),
        at("containerDefinitions[1].secrets[1].valueFrom", Rule::Required)
    );
}

#[test]
fn lengths_count_characters_and_items() {
    let tagged = |key: &str, count: usize| {
        let tags: Vec<String> = (0..count).map(|_| format!(r#"{{"key":"{key}"}}"#)).collect();
        broken::<RunTaskRequest>(&format!(r#"{{"taskDefinition":"d","tags":[{}]}}"#, tags.join(",")))
    };
    assert_eq!(tagged(&"é".repeat(128), 50), None);
    assert_eq!(tagged(&"é".repeat(129), 1), at("tags[0].key", Rule::Max(128)));
    assert_eq!(tagged("", 1), at("tags[0].key", Rule::Min(1)));
    assert_eq!(tagged("k", 51), at("tags", Rule::Max(50)));
}

#[test]
fn numbers_keep_their_bounds() {
    let weighted = |weight: i32| {
        broken::<RunTaskRequest>(&format!(
            r#"{{"taskDefinition":"d","capacityProviderStrategy":[{{"capacityProvider":"p","weight":{weight}}}]}}"#
        ))
    };
    assert_eq!(weighted(0), None);
    assert_eq!(weighted(1000), None);
    assert_eq!(weighted(-1), at("capacityProviderStrategy[0].weight", Rule::Min(0)));
    assert_eq!(weighted(1001), at("capacityProviderStrategy[0].weight", Rule::Max(1000)));
}

#[test]
fn floating_point_bounds_hold_between_whole_numbers() {
    let draining = |percent: f64| {
        broken::<CreateDaemonRequest>(&format!(
            r#"{{"daemonName":"d","daemonTaskDefinitionArn":"a","capacityProviderArns":[],"deploymentConfiguration":{{"drainPercent":{percent}}}}}"#
        ))
    };
    assert_eq!(draining(100.0), None);
    assert_eq!(draining(100.5), at("deploymentConfiguration.drainPercent", Rule::Max(100)));
    assert_eq!(draining(-0.5), at("deploymentConfiguration.drainPercent", Rule::Min(0)));
}
