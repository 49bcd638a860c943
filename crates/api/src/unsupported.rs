//! What is not built yet, said by name: the two lists in `docs/`, which may only shrink.

use std::sync::LazyLock;

use longshore_domain::Refusal;
use longshore_ecs_wire::Operation;
use serde_json::Value;

use crate::Answer;

/// Operations that are not built yet, one name a line.
pub const OPERATIONS: &str = include_str!("../../../docs/unsupported-operations.txt");
/// Members of built operations that are not honoured yet, `Operation.member.member` a line; `[]` enters a list.
pub const MEMBERS: &str = include_str!("../../../docs/unsupported-members.txt");

/// The lines of a list, without comments and blanks.
pub fn lines(list: &str) -> impl Iterator<Item = &str> {
    list.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// The answer of an operation that is not built yet.
pub fn operation(operation: Operation) -> Answer {
    let message = format!("{} is not supported yet by this version of Longshore.", operation.name());
    Answer::error(400, "UnsupportedOperationException", Some(&message), &[])
}

static PATHS: LazyLock<Vec<(&'static str, Vec<&'static str>)>> = LazyLock::new(|| {
    let paths = lines(MEMBERS).filter_map(|line| line.split_once('.'));
    paths.map(|(operation, path)| (operation, path.split('.').collect())).collect()
});

/// Whether an operation has members that are not honoured yet.
pub fn has_members(operation: Operation) -> bool {
    PATHS.iter().any(|(of, _)| *of == operation.name())
}

/// Refuses a request that uses a member which is not honoured yet. Absent, null, false and empty values use nothing.
///
/// # Errors
/// An `InvalidParameterException` that names the member.
pub fn members(operation: Operation, input: &Value) -> Result<(), Refusal> {
    for (of, path) in PATHS.iter() {
        if *of == operation.name() && uses(input, path) {
            return Err(Refusal::invalid_parameter(format!(
                "{}: {} is not supported yet by this version of Longshore.",
                operation.name(),
                path.join(".")
            )));
        }
    }
    Ok(())
}

fn uses(value: &Value, path: &[&str]) -> bool {
    let Some((first, rest)) = path.split_first() else {
        return match value {
            Value::Null | Value::Bool(false) => false,
            Value::String(text) => !text.is_empty(),
            Value::Array(items) => !items.is_empty(),
            Value::Object(members) => !members.is_empty(),
            Value::Bool(true) | Value::Number(_) => true,
        };
    };
    let (name, list) = first.strip_suffix("[]").map_or((*first, false), |name| (name, true));
    match value.get(name) {
        Some(Value::Array(items)) if list => items.iter().any(|item| uses(item, rest)),
        Some(value) if !list => uses(value, rest),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_member_is_used_when_it_says_something() {
        assert!(uses(&json!({"a": {"b": [1]}}), &["a", "b"]));
        assert!(uses(&json!({"a": [{"b": 0}]}), &["a[]", "b"]));
        for nothing in [json!({}), json!({"a": null}), json!({"a": {"b": []}}), json!({"a": {"b": false}})] {
            assert!(!uses(&nothing, &["a", "b"]), "{nothing}");
        }
    }

    #[test]
    fn every_line_names_an_operation() {
        for line in lines(OPERATIONS) {
            assert!(Operation::from_name(line).is_some(), "{line}");
        }
        for (operation, _) in PATHS.iter() {
            assert!(Operation::from_name(operation).is_some(), "{operation}");
        }
    }
}
