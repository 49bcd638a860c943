//! The model's facts about members, as tables.
//!
//! Tests walk these tables to see that every input member is either honoured or listed as not
//! built; documentation and tools may read them. Bounds of list elements stand in the rules only.

/// What the model says about one member of a structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// The name on the wire.
    pub name: &'static str,
    /// The type of its value.
    pub kind: Kind,
    /// It must be given.
    pub required: bool,
    /// Lower bound of a number, of a string's length in characters, or of a list's length.
    pub min: Option<i64>,
    /// Upper bound of the same.
    pub max: Option<i64>,
    /// The regular expression a string must match, in the model's notation.
    pub pattern: Option<&'static str>,
    /// Its value must not reach logs.
    pub sensitive: bool,
}

/// The type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A string.
    String,
    /// A string, with the values the model lists.
    Enum(&'static [&'static str]),
    /// A number of 32 bits.
    Integer,
    /// A number of 64 bits.
    Long,
    /// A floating-point number.
    Double,
    /// `true` or `false`.
    Boolean,
    /// Epoch seconds.
    Timestamp,
    /// Any JSON value.
    Document,
    /// An object with these members.
    Structure(&'static [Member]),
    /// An array of such elements.
    List(&'static Kind),
    /// An object with arbitrary names and such values.
    Map(&'static Kind),
}

impl Member {
    /// A member without rules.
    pub const fn new(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, required: false, min: None, max: None, pattern: None, sensitive: false }
    }

    /// The same member, required.
    pub const fn required(self) -> Self {
        Self { required: true, ..self }
    }

    /// The same member with a lower bound.
    pub const fn min(self, min: i64) -> Self {
        Self { min: Some(min), ..self }
    }

    /// The same member with an upper bound.
    pub const fn max(self, max: i64) -> Self {
        Self { max: Some(max), ..self }
    }

    /// The same member with a pattern.
    pub const fn pattern(self, pattern: &'static str) -> Self {
        Self { pattern: Some(pattern), ..self }
    }

    /// The same member, sensitive.
    pub const fn sensitive(self) -> Self {
        Self { sensitive: true, ..self }
    }

    /// The members of the structure that the value is, or that its elements or map values are.
    pub const fn members(&self) -> &'static [Self] {
        self.kind.members()
    }
}

impl Kind {
    const fn members(&self) -> &'static [Member] {
        match self {
            Self::Structure(members) => members,
            Self::List(element) | Self::Map(element) => element.members(),
            _ => &[],
        }
    }
}

/// The paths of all members below `prefix`, each before its own members, in the model's order:
/// `RunTask.networkConfiguration.awsvpcConfiguration.subnets`. Lists and maps add nothing to the
/// path.
pub fn paths(prefix: &str, members: &[Member]) -> Vec<String> {
    let mut found = Vec::new();
    for member in members {
        let path = format!("{prefix}.{}", member.name);
        found.push(path.clone());
        found.extend(paths(&path, member.members()));
    }
    found
}
