//! The shape rules of the model: what must be given, and the bounds of values and lengths.
//!
//! Generated code lists the rules of a structure as calls into this module; the first one that is
//! broken, in the model's order of members, is the answer. Which error and which text that
//! becomes is the operation's business, and so are enumerations and patterns.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use crate::Member;

/// A structure of the model.
pub trait Shape {
    /// Its members in the model's order.
    const MEMBERS: &'static [Member];

    /// The first rule the value breaks, its own members' values included.
    fn first_violation(&self) -> Option<Violation> {
        None
    }
}

/// A broken rule and where it is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Path of the member in wire names from the request down, with positions in lists:
    /// `containerDefinitions[1].secrets[0].name`.
    pub member: String,
    /// What is wrong with it.
    pub rule: Rule,
}

/// A kind of rule with its bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// The member must be given.
    Required,
    /// The number, or the length of the string or list, must be at least this.
    Min(i64),
    /// The number, or the length of the string or list, must be at most this.
    Max(i64),
}

impl Violation {
    fn new(member: impl Into<String>, rule: Rule) -> Self {
        Self { member: member.into(), rule }
    }

    fn below(self, parent: &str) -> Self {
        Self { member: format!("{parent}.{}", self.member), ..self }
    }
}

/// What has a length: strings in characters, lists and maps in items.
pub trait Length {
    /// The length.
    fn length(&self) -> usize;
}

impl Length for String {
    fn length(&self) -> usize {
        self.chars().count()
    }
}

impl<T> Length for Vec<T> {
    fn length(&self) -> usize {
        self.len()
    }
}

impl<K, V> Length for BTreeMap<K, V> {
    fn length(&self) -> usize {
        self.len()
    }
}

pub(crate) fn required<T>(name: &str, value: &Option<T>) -> Option<Violation> {
    value.is_none().then(|| Violation::new(name, Rule::Required))
}

pub(crate) fn length<T: Length>(name: &str, value: &Option<T>, bounds: RangeInclusive<i64>) -> Option<Violation> {
    let rule = length_rule(value.as_ref()?, &bounds)?;
    Some(Violation::new(name, rule))
}

pub(crate) fn each_length<T: Length>(
    name: &str,
    list: &Option<Vec<T>>,
    bounds: RangeInclusive<i64>,
) -> Option<Violation> {
    list.iter().flatten().enumerate().find_map(|(index, element)| {
        let rule = length_rule(element, &bounds)?;
        Some(Violation::new(format!("{name}[{index}]"), rule))
    })
}

pub(crate) fn value<T: Copy + Into<f64>>(
    name: &str,
    value: &Option<T>,
    bounds: RangeInclusive<i64>,
) -> Option<Violation> {
    let number: f64 = (*value)?.into();
    let rule = if number < *bounds.start() as f64 {
        Rule::Min(*bounds.start())
    } else if number > *bounds.end() as f64 {
        Rule::Max(*bounds.end())
    } else {
        return None;
    };
    Some(Violation::new(name, rule))
}

pub(crate) fn inside<T: Shape>(name: &str, value: &Option<T>) -> Option<Violation> {
    let violation = value.as_ref()?.first_violation()?;
    Some(violation.below(name))
}

pub(crate) fn each<T: Shape>(name: &str, list: &Option<Vec<T>>) -> Option<Violation> {
    list.iter().flatten().enumerate().find_map(|(index, element)| {
        let violation = element.first_violation()?;
        Some(violation.below(&format!("{name}[{index}]")))
    })
}

fn length_rule(value: &impl Length, bounds: &RangeInclusive<i64>) -> Option<Rule> {
    let length = i64::try_from(value.length()).unwrap_or(i64::MAX);
    if length < *bounds.start() {
        Some(Rule::Min(*bounds.start()))
    } else if length > *bounds.end() {
        Some(Rule::Max(*bounds.end()))
    } else {
        None
    }
}
