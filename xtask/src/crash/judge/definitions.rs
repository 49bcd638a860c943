//! What is known of each family: revisions count up by one, each belongs to one call, none is used twice, and what
//! was deregistered stays so.

use std::collections::{BTreeMap, HashMap};

use super::super::call::{Answer, Call, DefinitionSeen, Name, Outcome};
use super::{Evidence, Judge, Violation, keep_earliest, keep_latest};

/// What is known of one family.
#[derive(Debug, Default)]
pub(super) struct FamilyFacts {
    revisions: BTreeMap<u32, RevisionFacts>,
    /// When the RegisterTaskDefinition with each marker began, and its number.
    registered: HashMap<u64, Evidence>,
    /// Markers of calls without an answer of which a look at all revisions found nothing.
    absent: HashMap<u64, Evidence>,
    /// Numbers of calls that deregistered a revision, whether they were answered or not.
    deregistered: Vec<(u32, u64)>,
}

#[derive(Debug)]
struct RevisionFacts {
    marker: u64,
    /// The earliest answer that showed it.
    known: Evidence,
    /// The earliest answer that showed it INACTIVE.
    inactive: Option<Evidence>,
    /// The latest call that found it ACTIVE, when that began.
    active: Option<Evidence>,
}

impl FamilyFacts {
    /// Whether a call other than `number` deregistered this revision, or may have.
    pub(super) fn somebody_deregistered(&self, revision: u32, number: u64) -> bool {
        self.deregistered.iter().any(|(one, call)| *one == revision && *call != number)
            || self.revisions.get(&revision).is_some_and(|facts| facts.inactive.is_some())
    }
}

impl Judge {
    pub(super) fn announce_register(&mut self, family: &Name, marker: u64, begin: Evidence) {
        self.families.entry(family.clone()).or_default().registered.insert(marker, begin);
    }

    pub(super) fn announce_deregister(&mut self, family: &Name, revision: u32, number: u64) {
        self.families.entry(family.clone()).or_default().deregistered.push((revision, number));
    }

    pub(super) fn take_register(&mut self, call: &Call, family: &Name, marker: u64) -> Result<(), Violation> {
        let Outcome::Answered(Answer::Definition(seen)) = &call.outcome else { return Ok(()) };
        if seen.marker != marker || !seen.active {
            let text = format!("{family}:{} has marker {}, not {marker}", seen.revision, seen.marker);
            return Err(Violation::new("revisions are never used twice", text, [call.number]));
        }
        self.see_definition(call, family, seen)
    }

    pub(super) fn take_definition(&mut self, call: &Call, family: &Name) -> Result<(), Violation> {
        let Outcome::Answered(Answer::Definition(seen)) = &call.outcome else { return Ok(()) };
        self.see_definition(call, family, seen)
    }

    fn see_definition(&mut self, call: &Call, family: &Name, seen: &DefinitionSeen) -> Result<(), Violation> {
        let facts = self.families.entry(family.clone()).or_default();
        let name = format!("{family}:{}", seen.revision);
        let Some(registered) = facts.registered.get(&seen.marker).copied() else {
            let text = format!("nobody registered {name}");
            return Err(Violation::new("only what was asked for", text, [call.number]));
        };
        if let Some(absent) = facts.absent.get(&seen.marker) {
            let text = format!("{name} had not been registered after the crash, and then was");
            let calls = [registered.call, absent.call, call.number];
            return Err(Violation::new("a call happens before its end", text, calls));
        }
        let twice = facts.revisions.iter().find(|(at, one)| **at != seen.revision && one.marker == seen.marker);
        if let Some((other, _)) = twice {
            let text = format!("{family}:{other} and {name} are of one call");
            return Err(Violation::new("nothing runs twice", text, [registered.call, call.number]));
        }
        let known = Evidence::end(call);
        let revision = facts.revisions.entry(seen.revision).or_insert(RevisionFacts {
            marker: seen.marker,
            known,
            inactive: None,
            active: None,
        });
        if revision.marker != seen.marker {
            let text = format!("{name} had marker {} and has {}", revision.marker, seen.marker);
            return Err(Violation::new("revisions are never used twice", text, [revision.known.call, call.number]));
        }
        if known.at < revision.known.at {
            revision.known = known;
        }
        if seen.active {
            keep_latest(&mut revision.active, Evidence::begin(call));
        } else {
            keep_earliest(&mut revision.inactive, known);
        }
        if let (Some(inactive), Some(active)) = (revision.inactive, revision.active)
            && active.at > inactive.at
        {
            let text = format!("{name} was INACTIVE and is ACTIVE again");
            return Err(Violation::new("statuses never go back", text, [inactive.call, active.call]));
        }
        if !seen.active && !facts.deregistered.iter().any(|(one, _)| *one == seen.revision) {
            let text = format!("{name} is INACTIVE and nobody deregistered it");
            return Err(Violation::new("only what was asked for", text, [call.number]));
        }
        facts.in_order(family)
    }

    /// All revisions of a family, by a look while nobody else called.
    ///
    /// # Errors
    /// One that is missing, or that stands on the wrong list. Those returned are to be described, then
    /// [`Judge::settle_family`] called.
    pub fn listed_revisions(
        &self,
        family: &Name,
        active: &[u32],
        inactive: &[u32],
        look: u64,
    ) -> Result<Vec<u32>, Violation> {
        let mut all: Vec<u32> = active.iter().chain(inactive).copied().collect();
        all.sort_unstable();
        let count = u32::try_from(all.len()).unwrap_or(u32::MAX);
        if !all.iter().copied().eq(1..=count) {
            let text = format!("{family} has the revisions {all:?}");
            return Err(Violation::new("revisions are never used twice", text, [look]));
        }
        let Some(facts) = self.families.get(family) else { return Ok(all) };
        for (revision, known) in &facts.revisions {
            if !all.contains(revision) {
                let text = format!("{family}:{revision} is not listed");
                return Err(Violation::new("nothing is lost", text, [known.known.call, look]));
            }
            if let Some(inactive) = known.inactive.filter(|_| active.contains(revision)) {
                let text = format!("{family}:{revision} was INACTIVE and is listed as ACTIVE");
                return Err(Violation::new("statuses never go back", text, [inactive.call, look]));
            }
        }
        Ok(all.into_iter().filter(|revision| !facts.revisions.contains_key(revision)).collect())
    }

    /// All revisions of a family are known, by a look while nobody else called.
    pub fn settle_family(&mut self, family: &Name, look: u64, at: u64) {
        let Some(facts) = self.families.get_mut(family) else { return };
        let known: Vec<u64> = facts.revisions.values().map(|revision| revision.marker).collect();
        let absent = facts.registered.keys().copied().filter(|marker| !known.contains(marker));
        let absent: Vec<u64> = absent.filter(|marker| !facts.absent.contains_key(marker)).collect();
        facts.absent.extend(absent.into_iter().map(|marker| (marker, Evidence { at, call: look })));
    }

    /// The families that were registered.
    pub fn family_names(&self) -> Vec<Name> {
        let mut names: Vec<Name> = self.families.keys().cloned().collect();
        names.sort_unstable();
        names
    }

    /// The latest revision of a family that is known.
    pub fn latest_revision(&self, family: &Name) -> Option<u32> {
        self.families.get(family)?.revisions.keys().next_back().copied()
    }
}

impl FamilyFacts {
    /// A call that began after another was answered got a higher revision.
    fn in_order(&self, family: &Name) -> Result<(), Violation> {
        let mut latest: Option<Evidence> = None;
        for (revision, facts) in &self.revisions {
            if let Some(earlier) = latest.filter(|earlier| earlier.at > facts.known.at) {
                let text = format!("{family}:{revision} was known before a lower revision was asked for");
                return Err(Violation::new("order is creation order", text, [facts.known.call, earlier.call]));
            }
            if let Some(registered) = self.registered.get(&facts.marker) {
                keep_latest(&mut latest, *registered);
            }
        }
        Ok(())
    }
}
