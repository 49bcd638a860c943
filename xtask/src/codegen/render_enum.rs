//! An enumeration of strings.

use super::model::Shape;
use super::names::variant;
use super::source::Source;

/// Appends the enumeration `name` to the file.
///
/// # Errors
/// Two values would get the same variant.
pub fn enumeration(source: &mut Source<'_>, name: &str, shape: &Shape) -> Result<(), String> {
    let variants: Vec<String> = shape.values.iter().map(|value| variant(value)).collect();
    for (index, one) in variants.iter().enumerate() {
        if variants.iter().skip(index + 1).any(|other| other == one) {
            return Err(format!("{name}: two values become {one}"));
        }
    }
    source.import("crate::string_enum", "string_enum");
    source.push("\nstring_enum! {\n");
    source.push(&format!("    /// `{name}` of the ECS API model.\n    {name} {{\n"));
    for (variant, value) in variants.iter().zip(&shape.values) {
        source.push(&format!("        {variant} = {value:?},\n"));
    }
    source.push("    }\n}\n");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::source::tests::small_model;
    use super::*;

    #[test]
    fn variants_carry_their_values() {
        let model = small_model();
        let mut source = Source::new(&model, ["Size"]);
        enumeration(&mut source, "Size", model.shape("Size")).unwrap();
        let text = source.finish("About.");
        assert!(text.contains("        Small = \"SMALL\",\n        UnknownValue = \"UNKNOWN\",\n"));
    }

    #[test]
    fn values_that_collide_are_refused() {
        let model = small_model();
        let mut source = Source::new(&model, []);
        let shape: Shape = serde_json::from_str(r#"{"type":"string","enum":["a-b","A_B"]}"#).unwrap();
        let refused = enumeration(&mut source, "Size", &shape);
        assert_eq!(refused, Err("Size: two values become AB".to_owned()));
    }
}
