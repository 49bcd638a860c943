//! One operation's file, and a shared shape's file.

use super::model::{Kind, Model};
use super::render_enum::enumeration;
use super::render_structure::structure;
use super::source::Source;
use super::usage::Usage;

/// The file of an operation: its errors, its request and response, and the shapes only it uses.
pub fn file(model: &Model, usage: &Usage<'_>, operation: &str) -> Result<String, String> {
    let own: Vec<&str> = usage.owned_by(operation).collect();
    let mut source = Source::new(model, own.iter().copied());
    let facts = &model.operations[operation];
    let roots = [facts.input.shape.as_str(), facts.output.shape.as_str()];
    for name in roots {
        if own.contains(&name) {
            shape(&mut source, usage, name)?;
        }
    }
    errors(&mut source, operation)?;
    for name in own.iter().filter(|name| !roots.contains(name)) {
        shape(&mut source, usage, name)?;
    }
    Ok(source.finish(&format!("`{operation}`: request, response, errors, and the shapes no other operation uses.")))
}

/// The file of a shape that several operations use.
pub fn shared_file(model: &Model, usage: &Usage<'_>, name: &str) -> Result<String, String> {
    let mut source = Source::new(model, [name]);
    shape(&mut source, usage, name)?;
    Ok(source.finish(&format!("`{name}`, which several operations use.")))
}

fn shape(source: &mut Source<'_>, usage: &Usage<'_>, name: &str) -> Result<(), String> {
    let model = source.model();
    match model.kind(name) {
        Kind::Enum => enumeration(source, name, model.shape(name)),
        _ => structure(source, name, usage.in_requests(name)),
    }
}

/// The errors the model lists for the operation, sorted.
///
/// Beside `message` an error may carry `resourceIds`; any other member is refused, so that it is
/// not lost.
fn errors(source: &mut Source<'_>, operation: &str) -> Result<(), String> {
    let model = source.model();
    let mut names: Vec<&str> = Vec::new();
    names.extend(model.operations[operation].errors.iter().map(|error| error.shape.as_str()));
    names.sort_unstable();
    source.import("crate::error", "operation_errors");
    source.push("\noperation_errors! {\n");
    source.push(&format!("    /// The errors the model lists for `{operation}`.\n"));
    source.push(&format!("    {operation}Error {{\n"));
    for name in names {
        let shape = model.shape(name);
        let mut extra = "";
        for (member, _) in &shape.members.0 {
            match member.as_str() {
                "message" => {}
                "resourceIds" => extra = " { resource_ids }",
                other => return Err(format!("{name}: member {other} is not built")),
            }
        }
        let status = if shape.fault { 500 } else { 400 };
        source.push(&format!("        {name}{extra} = {status},\n"));
    }
    source.push("    }\n}\n");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::source::tests::small_model;
    use super::*;

    #[test]
    fn an_operation_holds_its_own_shapes_only() {
        let model = small_model();
        let text = file(&model, &Usage::of(&model), "PutBox").unwrap();
        for own in ["pub struct PutBoxRequest", "pub struct PutBoxResponse", "pub struct Label "] {
            assert!(text.contains(own), "{own} is not in\n{text}");
        }
        assert!(!text.contains("    Size {"));
        assert!(text.contains(
            "    PutBoxError {\n        ConflictException { resource_ids } = 400,\n        ServerException = 500,\n    }\n"
        ));
    }

    #[test]
    fn a_shared_shape_has_its_own_file() {
        let model = small_model();
        let text = shared_file(&model, &Usage::of(&model), "Size").unwrap();
        assert!(text.contains("    Size {\n        Small = \"SMALL\","));
    }
}
