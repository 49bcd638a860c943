//! The operation table, the two module lists, and the list of sensitive members.

use std::fmt::Write as _;

use super::model::{Kind, Model};
use super::names::snake_case;
use super::render_structure::sensitive as is_sensitive;
use super::source::MARK;
use super::usage::Usage;

/// `operations/mod.rs`: modules and flat names.
pub fn operations(model: &Model, usage: &Usage<'_>) -> String {
    let mut text = format!("{MARK}\n//! The operations of the ECS API: one file each, all types under flat names.\n\n");
    for name in model.operations.keys() {
        let _ = writeln!(text, "mod {};", snake_case(name));
    }
    text.push_str("mod table;\n\npub use table::Operation;\n");
    for name in model.operations.keys() {
        let mut types: Vec<String> = usage.owned_by(name).map(str::to_owned).collect();
        types.push(format!("{name}Error"));
        types.sort_unstable();
        let _ = writeln!(text, "pub use {}::{{{}}};", snake_case(name), types.join(", "));
    }
    text
}

/// `shapes/mod.rs`: every shape below requests and responses under a flat name, wherever its file
/// lies.
pub fn shapes(model: &Model, usage: &Usage<'_>) -> String {
    let mut text = format!(
        "{MARK}\n//! The shapes that requests and responses hold, under flat names.\n//!\n\
         //! A shape that only one operation uses lies in that operation's file.\n\n"
    );
    for name in usage.shared() {
        let _ = writeln!(text, "mod {};", snake_case(name));
    }
    text.push_str("mod sensitive;\n\npub use sensitive::SENSITIVE_MEMBERS;\n");
    for name in usage.shared() {
        let _ = writeln!(text, "pub use {}::{name};", snake_case(name));
    }
    for (name, operation) in &model.operations {
        let roots = [operation.input.shape.as_str(), operation.output.shape.as_str()];
        let own: Vec<&str> = usage.owned_by(name).filter(|shape| !roots.contains(shape)).collect();
        if !own.is_empty() {
            let _ = writeln!(text, "pub use crate::operations::{{{}}};", own.join(", "));
        }
    }
    text
}

/// `shapes/sensitive.rs`: members whose values must not reach logs.
pub fn sensitive(model: &Model, usage: &Usage<'_>) -> String {
    let mut text = format!(
        "{MARK}\n//! Members whose values must not reach logs.\n\n\
         /// Structure and wire name of every member the model marks as sensitive.\n\
         pub const SENSITIVE_MEMBERS: &[(&str, &str)] = &[\n"
    );
    for name in usage.all().filter(|name| model.kind(name) == Kind::Structure) {
        for (member, reference) in &model.shape(name).members.0 {
            if is_sensitive(model, &reference.shape) {
                let _ = writeln!(text, "    ({name:?}, {member:?}),");
            }
        }
    }
    text.push_str("];\n");
    text
}

/// `operations/table.rs`: the enumeration of all operations with what the model says of each.
pub fn table(model: &Model) -> String {
    let count = model.operations.len();
    let mut text = format!("{MARK}\n//! The table of all operations.\n\nuse crate::{{Member, Shape}};\n\n");
    text.push_str("/// An operation of the ECS API.\n");
    text.push_str("#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]\n");
    text.push_str("pub enum Operation {\n");
    for name in model.operations.keys() {
        let _ = writeln!(text, "    /// `{name}`.\n    {name},");
    }
    let _ = writeln!(
        text,
        "}}\n\nimpl Operation {{\n    /// All operations, sorted by name.\n    pub const ALL: [Self; {count}] = ["
    );
    for name in model.operations.keys() {
        let _ = writeln!(text, "        Self::{name},");
    }
    text.push_str("    ];\n");
    lookup(&mut text, model);
    text.push_str("}\n");
    text
}

fn lookup(text: &mut String, model: &Model) {
    method(text, model, "The name on the wire.", "name(self) -> &'static str", |name| format!("{name:?}"));
    text.push_str(
        "\n    /// The operation of that name; a binary search, exact in case.\n    \
         pub fn from_name(name: &str) -> Option<Self> {\n        \
         let found = Self::ALL.binary_search_by(|operation| operation.name().cmp(name));\n        \
         found.ok().and_then(|index| Self::ALL.get(index).copied())\n    }\n",
    );
    method(
        text,
        model,
        "The codes of the errors the model lists, sorted.",
        "errors(self) -> &'static [&'static str]",
        |name| format!("super::{name}Error::CODES"),
    );
    method(text, model, "The members of the request.", "request_members(self) -> &'static [Member]", |name| {
        format!("super::{}::MEMBERS", model.operations[name].input.shape)
    });
    method(text, model, "The members of the response.", "response_members(self) -> &'static [Member]", |name| {
        format!("super::{}::MEMBERS", model.operations[name].output.shape)
    });
}

fn method(text: &mut String, model: &Model, about: &str, signature: &str, value: impl Fn(&str) -> String) {
    let _ = writeln!(text, "\n    /// {about}\n    pub const fn {signature} {{\n        match self {{");
    for name in model.operations.keys() {
        let _ = writeln!(text, "            Self::{name} => {},", value(name));
    }
    text.push_str("        }\n    }\n");
}

#[cfg(test)]
mod tests {
    use super::super::source::tests::small_model;
    use super::*;

    #[test]
    fn the_table_lists_every_operation() {
        let text = table(&small_model());
        assert!(text.contains("pub const ALL: [Self; 2] = ["));
        assert!(text.contains("Self::GetBox => \"GetBox\","));
        assert!(text.contains("Self::PutBox => super::PutBoxError::CODES,"));
        assert!(text.contains("Self::PutBox => super::PutBoxRequest::MEMBERS,"));
    }

    #[test]
    fn names_are_flat_wherever_the_file_lies() {
        let model = small_model();
        let usage = Usage::of(&model);
        assert!(
            operations(&model, &usage)
                .contains("pub use put_box::{Label, PutBoxError, PutBoxRequest, PutBoxResponse};")
        );
        let shapes = shapes(&model, &usage);
        assert!(shapes.contains("pub use size::Size;"));
        assert!(shapes.contains("pub use crate::operations::{Label};"));
        assert!(!shapes.contains("PutBoxRequest"));
    }

    #[test]
    fn sensitive_members_are_listed_through_lists() {
        let model = small_model();
        let text = sensitive(&model, &Usage::of(&model));
        assert!(text.contains("    (\"Label\", \"key\"),\n    (\"PutBoxRequest\", \"names\"),\n]"));
    }
}
