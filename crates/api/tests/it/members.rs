//! The two lists of what is not built yet, held against the code: nothing is in neither, nothing in both.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use longshore_api::unsupported::{MEMBERS, OPERATIONS, lines};
use longshore_ecs_wire::{Kind, Member, Operation};
use serde_json::{Value, json};

use crate::harness::world;

/// Files of `domain` in which an operation's request is taken apart, beside the operation's own file.
const TAKEN_APART_IN: [(&str, &str); 2] = [
    ("CreateCluster", "../domain/src/cluster/create.rs"),
    ("RegisterTaskDefinition", "../domain/src/task_definition/defaults.rs"),
];

/// `enableECSManagedTags` as `enable_ecs_managed_tags`.
fn snake(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut out = String::new();
    for (at, c) in chars.iter().enumerate() {
        let lower = |at: Option<usize>| at.and_then(|at| chars.get(at)).is_some_and(|c| !c.is_ascii_uppercase());
        if c.is_ascii_uppercase() && at > 0 && (lower(at.checked_sub(1)) || lower(Some(at + 1))) {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

fn sources(folder: &Path, found: &mut BTreeMap<String, PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else {
            found.insert(path.file_stem().unwrap().to_str().unwrap().to_owned(), path);
        }
    }
}

/// The operations that have a source file.
fn built() -> Vec<(Operation, PathBuf)> {
    let mut files = BTreeMap::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    Operation::ALL
        .into_iter()
        .filter_map(|operation| Some((operation, files.remove(&snake(operation.name()))?)))
        .collect()
}

/// The code of a file: without comments that stand on a line of their own, and without its tests.
fn code(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    let text = text.split("#[cfg(test)]").next().unwrap();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).map(|line| line.to_owned() + "\n").collect()
}

fn words(text: &str) -> Vec<&str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').collect()
}

#[test]
fn names_become_rusts() {
    for (name, rust) in [
        ("ListTasks", "list_tasks"),
        ("enableECSManagedTags", "enable_ecs_managed_tags"),
        ("nextToken", "next_token"),
        ("tags", "tags"),
    ] {
        assert_eq!(snake(name), rust);
    }
}

#[test]
fn every_member_of_a_built_operation_is_honoured_or_listed() {
    let listed: Vec<&str> = lines(MEMBERS).collect();
    let built = built();
    assert!(built.len() >= 22, "only {} operations have a file", built.len());
    for (operation, path) in built {
        let mut text = code(&path);
        for (_, other) in TAKEN_APART_IN.iter().filter(|(of, _)| *of == operation.name()) {
            text += &code(&Path::new(env!("CARGO_MANIFEST_DIR")).join(other));
        }
        for Member { name, .. } in operation.request_members() {
            if listed.contains(&format!("{operation:?}.{name}").as_str()) {
                continue;
            }
            let rust = snake(name);
            assert!(words(&text).contains(&rust.as_str()), "{operation:?}.{name} is neither honoured nor listed");
            let ignored = text.lines().find(|line| line.trim_start().starts_with(&format!("{rust}: _,")));
            assert!(
                ignored.is_none_or(|line| line.contains("//") && !line.contains("Not built")),
                "{operation:?}.{name} is left out without saying why"
            );
        }
    }
}

#[test]
fn what_is_bound_to_nothing_because_it_is_not_built_is_listed() {
    let listed: Vec<&str> = lines(MEMBERS).collect();
    for (operation, path) in built() {
        for line in code(&path).lines().filter(|line| line.contains("// Not built")) {
            let rust = line.trim().split(':').next().unwrap();
            let member = operation.request_members().iter().find(|member| snake(member.name) == rust).unwrap();
            let path = format!("{}.{}", operation.name(), member.name);
            assert!(listed.contains(&path.as_str()), "{path} is not built and not listed");
        }
    }
}

/// An input that uses the member at `path` and nothing else; lists on the way are written with `[]`.
fn input(members: &[Member], path: &[&str], line: &str) -> Value {
    let (first, rest) = path.split_first().unwrap();
    let name = first.trim_end_matches("[]");
    let member = members.iter().find(|member| member.name == name).unwrap_or_else(|| panic!("{line}: no {name}"));
    let value = if rest.is_empty() {
        example(&member.kind)
    } else {
        let inside = input(member.members(), rest, line);
        let list = matches!(member.kind, Kind::List(_));
        assert_eq!(first.ends_with("[]"), list, "{line}: `[]` stands after lists");
        if list { json!([inside]) } else { inside }
    };
    json!({ name: value })
}

fn example(kind: &Kind) -> Value {
    match kind {
        Kind::String => json!("x"),
        Kind::Enum(values) => json!(values[0]),
        Kind::Integer | Kind::Long | Kind::Double | Kind::Timestamp => json!(1),
        Kind::Boolean => json!(true),
        Kind::Document => json!({"x": 1}),
        Kind::Structure(members) => json!({ members[0].name: example(&members[0].kind) }),
        Kind::List(element) => json!([example(element)]),
        Kind::Map(value) => json!({ "x": example(value) }),
    }
}

#[tokio::test]
async fn every_listed_member_is_real_and_refused_by_name() {
    let world = world().await;
    let built = built();
    for line in lines(MEMBERS) {
        let (name, path) = line.split_once('.').unwrap();
        let (operation, _) = built.iter().find(|(operation, _)| operation.name() == name).expect(line);
        let members = operation.request_members();
        let plain = line.replace("[]", "");
        assert!(longshore_ecs_wire::member::paths(name, members).contains(&plain), "{line} is no member");
        let body = input(members, &path.split('.').collect::<Vec<_>>(), line);
        let answer = world.api.call(&world.caller, Some(name), Bytes::from(body.to_string())).await;
        let error: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(answer.status, 400, "{line}");
        assert_eq!(error["__type"], "InvalidParameterException", "{line}");
        let text = format!("{name}: {path} is not supported yet by this version of Longshore.");
        assert_eq!(error["message"], json!(text));
    }
}

#[tokio::test]
async fn every_operation_is_answered_or_listed_never_both() {
    let world = world().await;
    let listed: Vec<&str> = lines(OPERATIONS).collect();
    let files: Vec<&str> = built().iter().map(|(operation, _)| operation.name()).collect();
    for operation in Operation::ALL {
        let name = operation.name();
        let answer = world.api.call(&world.caller, Some(name), Bytes::new()).await;
        let body: Value = serde_json::from_slice(&answer.body).unwrap();
        let unbuilt = body["__type"] == "UnsupportedOperationException";
        assert_eq!(unbuilt, listed.contains(&name), "{name}: {body}");
        assert_eq!(unbuilt, !files.contains(&name), "{name} has a file and is not called, or is called without one");
        if unbuilt {
            assert_eq!(answer.status, 400);
            assert_eq!(body["message"], json!(format!("{name} is not supported yet by this version of Longshore.")));
        }
    }
    let mut once = listed.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), listed.len(), "an operation stands in the list twice");
}
