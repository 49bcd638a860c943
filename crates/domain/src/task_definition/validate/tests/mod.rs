//! One table an area: what is given, what is refused with which words, and what just passes.
//!
//! Rows are patches of a minimal definition. `app` is laid over its one container, `more` are further containers, and
//! everything else is laid over the definition; `null` takes a member away.

mod containers;
mod dependencies;
mod environment;
mod fargate;
mod logging;
mod names;
mod network;
mod order;
mod properties;
mod sizes;
mod tags;
mod volumes;

use serde_json::{Map, Value, json};

use super::validate;
use crate::Refusal;
use longshore_ecs_wire::operations::RegisterTaskDefinitionRequest;

/// Where a text comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    /// A real answer, or a report that quotes one.
    Seen,
    /// Made after the house style: the rule is known, the text is not.
    Inferred,
}
use Mark::{Inferred, Seen};

type Row = (Mark, Value, &'static str);

fn minimal() -> Value {
    json!({"family": "web", "containerDefinitions": [{"name": "app", "image": "nginx", "memory": 128}]})
}

fn fargate() -> Value {
    json!({
        "family": "web",
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "cpu": "256",
        "memory": "512",
        "containerDefinitions": [{"name": "app", "image": "nginx"}],
    })
}

fn lay_over(members: &mut Map<String, Value>, patch: &Value) {
    for (name, value) in patch.as_object().unwrap() {
        if value.is_null() {
            members.remove(name);
        } else {
            members.insert(name.clone(), value.clone());
        }
    }
}

fn patched(mut base: Value, patch: &Value) -> RegisterTaskDefinitionRequest {
    let mut patch = patch.clone();
    let members = patch.as_object_mut().unwrap();
    let (app, more) = (members.remove("app"), members.remove("more"));
    let containers = base["containerDefinitions"].as_array_mut().unwrap();
    if let Some(app) = app {
        lay_over(containers[0].as_object_mut().unwrap(), &app);
    }
    if let Some(Value::Array(more)) = more {
        containers.extend(more);
    }
    lay_over(base.as_object_mut().unwrap(), &patch);
    serde_json::from_value(base).unwrap()
}

fn assert_refused(base: fn() -> Value, rows: &[Row]) {
    for (mark, patch, text) in rows {
        assert_eq!(validate(&patched(base(), patch)), Err(Refusal::client(*text)), "{mark:?} {patch}");
    }
}

fn assert_accepted(base: fn() -> Value, patches: &[Value]) {
    for patch in patches {
        assert_eq!(validate(&patched(base(), patch)), Ok(()), "{patch}");
    }
}

#[test]
fn the_bases_are_accepted() {
    assert_accepted(minimal, &[json!({})]);
    assert_accepted(fargate, &[json!({})]);
}
