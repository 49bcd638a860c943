//! What is forgiven in a request and what is not.

use longshore_ecs_wire::Document;
use longshore_ecs_wire::operations::{ListTasksRequest, RunTaskRequest};
use longshore_ecs_wire::shapes::{DeploymentLifecycleHook, KeyValuePair, Tag};

fn list_tasks(text: &str) -> Result<ListTasksRequest, serde_json::Error> {
    serde_json::from_str(text)
}

#[test]
fn null_is_absent() {
    let request = list_tasks(r#"{"cluster":null,"maxResults":null}"#).unwrap();
    assert_eq!(request, ListTasksRequest::default());
}

#[test]
fn unknown_members_are_ignored() {
    let request = list_tasks(r#"{"new":{"deep":[1,{"x":null}]},"cluster":"a","Cluster":"b"}"#).unwrap();
    assert_eq!(request.cluster.as_deref(), Some("a"));
}

#[test]
fn the_last_of_two_counts() {
    let request = list_tasks(r#"{"cluster":"a","cluster":"b"}"#).unwrap();
    assert_eq!(request.cluster.as_deref(), Some("b"));
}

#[test]
fn wrong_types_are_errors() {
    for wrong in [
        r#"{"cluster":1}"#,
        r#"{"cluster":["a"]}"#,
        r#"{"maxResults":"10"}"#,
        r#"{"maxResults":1.5}"#,
        r#"{"maxResults":2147483648}"#,
        r#"{"desiredStatus":7}"#,
        r#"{"cluster":"a"} x"#,
        r#"{"cluster":"#,
        "[]",
        "null",
        "\"{}\"",
    ] {
        assert!(list_tasks(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn an_array_is_no_structure() {
    assert!(serde_json::from_str::<Tag>(r#"["key","value"]"#).is_err());
    assert!(serde_json::from_str::<RunTaskRequest>(r#"{"tags":[["key","value"]]}"#).is_err());
    assert!(serde_json::from_str::<KeyValuePair>("[]").is_err());
    assert!(serde_json::from_str::<Tag>(r#"{"key":"k","value":"v"}"#).is_ok());
}

#[test]
fn a_list_holds_no_null() {
    assert!(serde_json::from_str::<RunTaskRequest>(r#"{"tags":[null]}"#).is_err());
}

#[test]
fn a_document_is_any_value() {
    let text = r#"{"hookDetails":{"a":[1,-2.5,"x",null,true,{}]}}"#;
    let hook: DeploymentLifecycleHook = serde_json::from_str(text).unwrap();
    let Some(Document::Object(details)) = &hook.hook_details else {
        panic!("{hook:?}");
    };
    let expected = Document::List(vec![
        Document::Integer(1),
        Document::Number(-2.5),
        Document::String("x".into()),
        Document::Null,
        Document::Boolean(true),
        Document::Object([].into()),
    ]);
    assert_eq!(details.get("a"), Some(&expected));
    assert_eq!(serde_json::to_string(&hook).unwrap(), text);
}
