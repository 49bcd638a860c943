//! A structure: its fields, its member table, its rules, and how it is read and written.

use super::model::{Kind, Model, Reference, Shape};
use super::names::field;
use super::render_rules;
use super::source::Source;

/// Appends the structure `name` to the file. Rules are written for shapes that arrive in requests.
pub fn structure(source: &mut Source<'_>, name: &str, in_requests: bool) -> Result<(), String> {
    let shape = source.model().shape(name);
    let mut text = format!(
        "\n/// `{name}` of the ECS API model.\n#[derive(Clone, Debug, Default, PartialEq)]\npub struct {name} {{\n"
    );
    for (member, reference) in &shape.members.0 {
        text.push_str(&format!(
            "    /// {}\n    pub {}: Option<{}>,\n",
            facts(source.model(), shape, member, reference),
            field(member),
            source.rust_type(&reference.shape)
        ));
    }
    text.push_str("}\n");
    source.push(&text);
    table(source, name, shape, in_requests)?;
    wire(source, name, shape);
    Ok(())
}

/// The member's docstring: what the model says about it in numbers.
fn facts(model: &Model, shape: &Shape, member: &str, reference: &Reference) -> String {
    let mut text = format!("Member `{member}`.");
    if shape.required.iter().any(|required| required == member) {
        text.push_str(" Required.");
    }
    let target = model.shape(&reference.shape);
    let what = match model.kind(&reference.shape) {
        Kind::String => "Length",
        Kind::List(_) | Kind::Map(_) => "Items",
        _ => "Value",
    };
    match (target.min(), target.max()) {
        (Some(min), Some(max)) => text.push_str(&format!(" {what} {min}–{max}.")),
        (Some(min), None) => text.push_str(&format!(" {what} at least {min}.")),
        (None, Some(max)) => text.push_str(&format!(" {what} at most {max}.")),
        (None, None) => {}
    }
    if reference.deprecated || target.deprecated {
        text.push_str(" Deprecated.");
    }
    if sensitive(model, &reference.shape) {
        text.push_str(" Sensitive.");
    }
    text
}

/// Whether values of the shape must not reach logs.
pub fn sensitive(model: &Model, shape: &str) -> bool {
    model.shape(shape).sensitive
        || match model.kind(shape) {
            Kind::List(element) | Kind::Map(element) => sensitive(model, element),
            _ => false,
        }
}

/// Appends the member table and the rules.
fn table(source: &mut Source<'_>, name: &str, shape: &Shape, in_requests: bool) -> Result<(), String> {
    source.import("crate", "Member");
    source.import("crate", "Shape");
    source.push(&format!("\nimpl Shape for {name} {{\n"));
    source.push("    const MEMBERS: &'static [Member] = &[\n");
    for (member, reference) in &shape.members.0 {
        let text = member_text(source, shape, member, reference);
        source.push(&text);
    }
    source.push("    ];\n");
    if in_requests {
        render_rules::first_violation(source, name)?;
    }
    source.push("}\n");
    Ok(())
}

/// Appends how the members are read and written.
fn wire(source: &mut Source<'_>, name: &str, shape: &Shape) {
    source.import("serde::de", "MapAccess");
    source.import("serde::ser", "SerializeMap");
    for item in ["Wire", "self", "structure"] {
        source.import("crate::structure", item);
    }
    let members = &shape.members.0;
    let fields: Vec<String> = members.iter().map(|(member, _)| field(member)).collect();
    let mut text = format!("\nimpl Wire for {name} {{\n");
    if members.is_empty() {
        text.push_str(
            "    fn read<'de, M: MapAccess<'de>>(&mut self, _: usize, map: &mut M) -> Result<(), M::Error> {\n        \
             structure::skip(map)\n    }\n\n    \
             fn write<M: SerializeMap>(&self, _: &mut M) -> Result<(), M::Error> {\n        Ok(())\n    }\n",
        );
    } else {
        text.push_str(
            "    fn read<'de, M: MapAccess<'de>>(&mut self, position: usize, map: &mut M) -> Result<(), M::Error> {\n        \
             match position {\n",
        );
        for (position, field) in fields.iter().enumerate() {
            text.push_str(&format!("            {position} => self.{field} = map.next_value()?,\n"));
        }
        text.push_str(
            "            _ => structure::skip(map)?,\n        }\n        Ok(())\n    }\n\n    \
             fn write<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {\n",
        );
        for ((member, _), field) in members.iter().zip(&fields) {
            text.push_str(&format!("        structure::entry(map, \"{member}\", &self.{field})?;\n"));
        }
        text.push_str("        Ok(())\n    }\n");
    }
    text.push_str(&format!("}}\n\nstructure!({name});\n"));
    source.push(&text);
}

fn member_text(source: &mut Source<'_>, shape: &Shape, member: &str, reference: &Reference) -> String {
    source.import("crate", "Kind");
    let kind = kind_text(source, &reference.shape);
    let mut text = format!("        Member::new(\"{member}\", {kind})");
    if shape.required.iter().any(|required| required == member) {
        text.push_str(".required()");
    }
    let target = source.model().shape(&reference.shape);
    if let Some(min) = target.min() {
        text.push_str(&format!(".min({min})"));
    }
    if let Some(max) = target.max() {
        text.push_str(&format!(".max({max})"));
    }
    if let Some(pattern) = &target.pattern {
        text.push_str(&format!(".pattern({pattern:?})"));
    }
    if sensitive(source.model(), &reference.shape) {
        text.push_str(".sensitive()");
    }
    text.push_str(",\n");
    text
}

fn kind_text(source: &mut Source<'_>, shape: &str) -> String {
    match source.model().kind(shape) {
        Kind::String => "Kind::String".to_owned(),
        Kind::Integer => "Kind::Integer".to_owned(),
        Kind::Long => "Kind::Long".to_owned(),
        Kind::Double => "Kind::Double".to_owned(),
        Kind::Boolean => "Kind::Boolean".to_owned(),
        Kind::Timestamp => "Kind::Timestamp".to_owned(),
        Kind::Document => "Kind::Document".to_owned(),
        Kind::Enum => format!("Kind::Enum({}::VALUES)", source.named(shape)),
        Kind::Structure => format!("Kind::Structure({}::MEMBERS)", source.named(shape)),
        Kind::List(element) => format!("Kind::List(&{})", kind_text(source, element)),
        Kind::Map(value) => format!("Kind::Map(&{})", kind_text(source, value)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::source::tests::small_model;
    use super::*;

    fn rendered(name: &str) -> String {
        let model = small_model();
        let mut source = Source::new(&model, [name]);
        structure(&mut source, name, false).unwrap();
        source.finish("About.")
    }

    #[test]
    fn fields_are_optional_and_keep_their_wire_names() {
        let text = rendered("PutBoxRequest");
        for line in [
            "use crate::shapes::{Label, Size};",
            "    /// Member `type`. Required.\n",
            "    pub r#type: Option<Size>,\n",
            "    /// Member `labels`. Items 0–5.\n",
            "    pub bind_ip: Option<String>,\n",
            "            2 => self.bind_ip = map.next_value()?,\n",
            "        structure::entry(map, \"bindIP\", &self.bind_ip)?;\n",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }

    #[test]
    fn the_member_table_holds_every_fact() {
        let text = rendered("Label");
        assert!(
            text.contains(
                "Member::new(\"key\", Kind::String).required().min(1).max(8).pattern(\"[a-z]+\").sensitive(),"
            )
        );
        assert!(text.contains("/// Member `weight`. Value at least 0. Deprecated.\n"));
        let text = rendered("PutBoxRequest");
        assert!(text.contains("Member::new(\"labels\", Kind::List(&Kind::Structure(Label::MEMBERS))).min(0).max(5),"));
        assert!(text.contains("Member::new(\"names\", Kind::List(&Kind::String)).sensitive(),"));
    }
}
