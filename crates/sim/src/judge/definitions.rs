//! What is known of task definitions: which revision each registration got.

use std::collections::BTreeMap;

/// Registrations that were acknowledged: ARN, and the tag that each was given.
#[derive(Debug, Default)]
pub(crate) struct Definitions {
    known: BTreeMap<String, String>,
    highest: BTreeMap<String, u64>,
}

impl Definitions {
    /// The highest revision of a family that was acknowledged.
    pub fn highest(&self, family: &str) -> u64 {
        self.highest.get(family).copied().unwrap_or_default()
    }

    /// A registration was acknowledged that began when `before` was the highest revision.
    pub fn registered(&mut self, family: &str, revision: u64, arn: &str, tag: &str, before: u64) -> Result<(), String> {
        if revision <= before {
            return Err(format!("{arn} was registered after revision {before}"));
        }
        if let Some(other) = self.known.insert(arn.to_owned(), tag.to_owned()) {
            return Err(format!("{arn} was given to {other} and to {tag}"));
        }
        let highest = self.highest.entry(family.to_owned()).or_default();
        *highest = (*highest).max(revision);
        Ok(())
    }

    /// ARN and tag of everything acknowledged.
    pub fn all(&self) -> Vec<(String, String)> {
        self.known.iter().map(|(arn, tag)| (arn.clone(), tag.clone())).collect()
    }
}
