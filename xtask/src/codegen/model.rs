//! The part of botocore's service model that the generator reads.
//!
//! Documentation members are not even deserialised. A shape type or a bound the generator does not
//! know is an error, never a guess.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::ordered::Ordered;

/// A service model: operations and the shapes they use.
#[derive(Debug, Deserialize)]
pub struct Model {
    /// Operations by name.
    pub operations: BTreeMap<String, Operation>,
    /// Shapes by name.
    pub shapes: BTreeMap<String, Shape>,
}

/// One operation.
#[derive(Debug, Deserialize)]
pub struct Operation {
    /// The request's structure.
    pub input: Reference,
    /// The response's structure.
    pub output: Reference,
    /// Structures of the errors it may answer.
    #[serde(default)]
    pub errors: Vec<Reference>,
}

/// A use of a shape.
#[derive(Clone, Debug, Deserialize)]
pub struct Reference {
    /// The shape's name.
    pub shape: String,
    /// The model advises against this member.
    #[serde(default)]
    pub deprecated: bool,
}

/// One shape with everything that decides its Rust type and rules.
#[derive(Debug, Default, Deserialize)]
pub struct Shape {
    #[serde(rename = "type")]
    kind: String,
    /// Values of a string enumeration.
    #[serde(rename = "enum", default)]
    pub values: Vec<String>,
    /// Members of a structure.
    #[serde(default)]
    pub members: Ordered<Reference>,
    /// Members of a structure that must be given.
    #[serde(default)]
    pub required: Vec<String>,
    member: Option<Reference>,
    value: Option<Reference>,
    min: Option<f64>,
    max: Option<f64>,
    /// The pattern a string must match.
    pub pattern: Option<String>,
    /// Values must not reach logs.
    #[serde(default)]
    pub sensitive: bool,
    /// The model advises against the shape.
    #[serde(default)]
    pub deprecated: bool,
    /// The error is the server's, not the caller's.
    #[serde(default)]
    pub fault: bool,
    /// The structure is any JSON value.
    #[serde(default)]
    document: bool,
}

/// What a shape is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind<'a> {
    /// Text.
    String,
    /// Text out of a list of known values.
    Enum,
    /// 32 bits.
    Integer,
    /// 64 bits.
    Long,
    /// A floating-point number.
    Double,
    /// True or false.
    Boolean,
    /// A point in time.
    Timestamp,
    /// Any JSON value.
    Document,
    /// Members.
    Structure,
    /// Elements of the named shape.
    List(&'a str),
    /// Values of the named shape by text.
    Map(&'a str),
}

impl Model {
    /// Reads the model and checks that the generator understands all of it.
    ///
    /// # Errors
    /// Not JSON, a reference to nowhere, an unknown shape type, a shape that holds itself, or a bound
    /// that is no integer.
    pub fn parse(text: &str) -> Result<Self, String> {
        let model: Self = serde_json::from_str(text).map_err(|error| format!("the model is not readable: {error}"))?;
        for (name, shape) in &model.shapes {
            shape.check(&model).map_err(|problem| format!("shape {name}: {problem}"))?;
        }
        let mut finite = BTreeSet::new();
        for name in model.shapes.keys() {
            model.check_finite(name, &mut Vec::new(), &mut finite)?;
        }
        for (name, operation) in &model.operations {
            let used = [&operation.input, &operation.output];
            for reference in used.into_iter().chain(&operation.errors) {
                model.find(&reference.shape).map_err(|problem| format!("operation {name}: {problem}"))?;
            }
        }
        Ok(model)
    }

    /// The shape of that name; every name in a parsed model exists.
    pub fn shape(&self, name: &str) -> &Shape {
        self.find(name).expect("parse() has checked every reference")
    }

    /// What the shape of that name is.
    pub fn kind(&self, name: &str) -> Kind<'_> {
        self.shape(name).kind().expect("parse() has checked every shape")
    }

    /// Refuses shapes that hold themselves: their Rust types would need boxes, and their member
    /// tables would have no end.
    fn check_finite<'a>(
        &'a self,
        name: &'a str,
        above: &mut Vec<&'a str>,
        finite: &mut BTreeSet<&'a str>,
    ) -> Result<(), String> {
        if above.contains(&name) {
            return Err(format!("shape {name} holds itself, which is not built"));
        }
        if finite.contains(name) {
            return Ok(());
        }
        above.push(name);
        let shape = self.find(name)?;
        for (_, member) in &shape.members.0 {
            self.check_finite(&member.shape, above, finite)?;
        }
        if let Kind::List(element) | Kind::Map(element) = shape.kind()? {
            self.check_finite(element, above, finite)?;
        }
        above.pop();
        finite.insert(name);
        Ok(())
    }

    fn find(&self, name: &str) -> Result<&Shape, String> {
        self.shapes.get(name).ok_or_else(|| format!("there is no shape {name}"))
    }
}

impl Shape {
    /// The lower bound of the value or of its length.
    pub fn min(&self) -> Option<i64> {
        self.min.map(|bound| bound as i64)
    }

    /// The upper bound of the value or of its length.
    pub fn max(&self) -> Option<i64> {
        self.max.map(|bound| bound as i64)
    }

    fn check(&self, model: &Model) -> Result<(), String> {
        if let Kind::List(element) | Kind::Map(element) = self.kind()? {
            model.find(element)?;
        }
        for (_, member) in &self.members.0 {
            model.find(&member.shape)?;
        }
        for name in &self.required {
            if !self.members.0.iter().any(|(member, _)| member == name) {
                return Err(format!("required member {name} is missing"));
            }
        }
        match [self.min, self.max].into_iter().flatten().find(|bound| bound.fract() != 0.0) {
            Some(bound) => Err(format!("bound {bound} is no integer")),
            None => Ok(()),
        }
    }

    fn kind(&self) -> Result<Kind<'_>, String> {
        Ok(match self.kind.as_str() {
            "string" if self.values.is_empty() => Kind::String,
            "string" => Kind::Enum,
            "integer" => Kind::Integer,
            "long" => Kind::Long,
            "double" | "float" => Kind::Double,
            "boolean" => Kind::Boolean,
            "timestamp" => Kind::Timestamp,
            "structure" if self.document => Kind::Document,
            "structure" => Kind::Structure,
            "list" => Kind::List(element_of(self.member.as_ref())?),
            "map" => Kind::Map(element_of(self.value.as_ref())?),
            other => return Err(format!("unknown type `{other}`")),
        })
    }
}

fn element_of(reference: Option<&Reference>) -> Result<&str, String> {
    reference.map(|element| element.shape.as_str()).ok_or_else(|| "the element's shape is missing".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(shapes: &str) -> Result<Model, String> {
        Model::parse(&format!(r#"{{"operations":{{}},"shapes":{shapes}}}"#))
    }

    #[test]
    fn shapes_say_what_they_are() {
        let model = parse(
            r#"{"Size":{"type":"string","enum":["S","L"]},"Sizes":{"type":"list","member":{"shape":"Size"}},
                "Any":{"type":"structure","members":{},"document":true},
                "Port":{"type":"integer","min":0,"max":65535.0}}"#,
        )
        .unwrap();
        assert_eq!(model.kind("Size"), Kind::Enum);
        assert_eq!(model.kind("Sizes"), Kind::List("Size"));
        assert_eq!(model.kind("Any"), Kind::Document);
        assert_eq!(model.shape("Port").max(), Some(65535));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        let refused = |shapes: &str| parse(shapes).unwrap_err();
        assert_eq!(refused(r#"{"A":{"type":"blob"}}"#), "shape A: unknown type `blob`");
        assert_eq!(refused(r#"{"A":{"type":"list","member":{"shape":"B"}}}"#), "shape A: there is no shape B");
        assert_eq!(refused(r#"{"A":{"type":"list"}}"#), "shape A: the element's shape is missing");
        assert_eq!(
            refused(
                r#"{"A":{"type":"structure","members":{"b":{"shape":"B"}}},"B":{"type":"list","member":{"shape":"A"}}}"#
            ),
            "shape A holds itself, which is not built"
        );
        assert_eq!(refused(r#"{"A":{"type":"structure","required":["x"]}}"#), "shape A: required member x is missing");
        assert_eq!(refused(r#"{"A":{"type":"double","min":0.5}}"#), "shape A: bound 0.5 is no integer");
    }
}
