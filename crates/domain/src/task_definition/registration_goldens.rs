//! Whole registrations before and after: `tests/golden/task_definition/NAME.{request,definition}.json`.
//!
//! The definition is what RegisterTaskDefinition returns but for the members that are facts of the registration.

use longshore_ecs_wire::operations::RegisterTaskDefinitionRequest;
use longshore_ecs_wire::shapes::TaskDefinition;
use serde_json::Value;

use super::{compatibilities, normalise, requires_attributes, validate};

macro_rules! golden {
    ($name:literal) => {
        (
            include_str!(concat!("../../tests/golden/task_definition/", $name, ".request.json")),
            include_str!(concat!("../../tests/golden/task_definition/", $name, ".definition.json")),
        )
    };
}

const GOLDENS: &[(&str, &str)] = &[golden!("minimal"), golden!("fargate"), golden!("everything")];

fn registered(request: RegisterTaskDefinitionRequest) -> TaskDefinition {
    let mut definition = normalise(request);
    definition.compatibilities = Some(compatibilities(&definition));
    definition.requires_attributes = Some(requires_attributes(&definition));
    definition
}

#[test]
fn registrations_are_filled_in_as_recorded() {
    for (request, definition) in GOLDENS {
        let request: RegisterTaskDefinitionRequest = serde_json::from_str(request).unwrap();
        assert_eq!(validate(&request), Ok(()));
        let expected: Value = serde_json::from_str(definition).unwrap();
        let registered = serde_json::to_value(registered(request)).unwrap();
        assert_eq!(registered, expected, "now: {registered:#}");
    }
}

/// What a client does that copies a definition: register again what Describe returned.
#[test]
fn registering_a_registered_definition_changes_nothing() {
    for (_, definition) in GOLDENS {
        let again: RegisterTaskDefinitionRequest = serde_json::from_str(definition).unwrap();
        assert_eq!(validate(&again), Ok(()));
        let expected: Value = serde_json::from_str(definition).unwrap();
        assert_eq!(serde_json::to_value(registered(again)).unwrap(), expected);
    }
}
