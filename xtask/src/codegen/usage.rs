//! Which operations use a shape, and in which direction.
//!
//! A structure or enumeration that only one operation uses is written into that operation's file;
//! all others get a file of their own. Rules are written only for shapes that arrive in requests.

use std::collections::{BTreeMap, BTreeSet};

use super::model::{Kind, Model};

/// Where every structure and enumeration is used.
pub struct Usage<'a> {
    operations: BTreeMap<&'a str, BTreeSet<&'a str>>,
    inputs: BTreeSet<&'a str>,
}

impl<'a> Usage<'a> {
    /// Walks all requests and responses of the model. Errors are no shapes: they are variants of
    /// their operations' error enumerations.
    pub fn of(model: &'a Model) -> Self {
        let mut operations: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        let mut inputs = BTreeSet::new();
        for (name, operation) in &model.operations {
            let input = reachable(model, &operation.input.shape);
            for shape in input.union(&reachable(model, &operation.output.shape)) {
                operations.entry(shape).or_default().insert(name);
            }
            inputs.extend(input);
        }
        Self { operations, inputs }
    }

    /// Shapes that more than one operation uses.
    pub fn shared(&self) -> impl Iterator<Item = &'a str> {
        self.operations.iter().filter(|(_, users)| users.len() > 1).map(|(shape, _)| *shape)
    }

    /// Shapes that only `operation` uses.
    pub fn owned_by(&self, operation: &str) -> impl Iterator<Item = &'a str> {
        self.operations
            .iter()
            .filter(move |(_, users)| users.len() == 1 && users.contains(operation))
            .map(|(shape, _)| *shape)
    }

    /// Every structure and enumeration, sorted.
    pub fn all(&self) -> impl Iterator<Item = &'a str> {
        self.operations.keys().copied()
    }

    /// Whether the shape can arrive in a request.
    pub fn in_requests(&self, shape: &str) -> bool {
        self.inputs.contains(shape)
    }
}

/// The structures and enumerations that `from` holds, itself included.
fn reachable<'a>(model: &'a Model, from: &'a str) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut open = vec![from];
    while let Some(name) = open.pop() {
        match model.kind(name) {
            Kind::List(element) | Kind::Map(element) => open.push(element),
            Kind::Structure if found.insert(name) => {
                let members = &model.shape(name).members.0;
                open.extend(members.iter().map(|(_, member)| member.shape.as_str()));
            }
            Kind::Enum => {
                found.insert(name);
            }
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::source::tests::small_model;
    use super::*;

    #[test]
    fn shapes_belong_to_one_operation_or_to_all() {
        let model = small_model();
        let usage = Usage::of(&model);
        assert_eq!(usage.shared().collect::<Vec<_>>(), ["Size"]);
        assert_eq!(usage.owned_by("PutBox").collect::<Vec<_>>(), ["Label", "PutBoxRequest", "PutBoxResponse"]);
        assert!(usage.in_requests("Label"));
        assert!(!usage.in_requests("PutBoxResponse"));
    }
}
