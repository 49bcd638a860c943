//! The kinds of listings: every filter, and every combination that ListTasks allows.

use super::fleet::{self, Traits};

/// What ListTasks is asked for: members of the request, and their values.
pub type Filter = Vec<(&'static str, String)>;

/// Which members a filter has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Dimensions {
    family: bool,
    service: bool,
    starter: bool,
    instance: bool,
    launch_type: bool,
    daemon: bool,
}

impl Dimensions {
    /// Every combination that is not refused: `startedBy` stands alone, `serviceName` goes with `launchType` only,
    /// everything else goes together. `desiredStatus` goes with each.
    pub const LEGAL: [Self; 19] = [
        Self::of(""),
        Self::of("f"),
        Self::of("s"),
        Self::of("b"),
        Self::of("c"),
        Self::of("l"),
        Self::of("d"),
        Self::of("sl"),
        Self::of("fl"),
        Self::of("fc"),
        Self::of("cl"),
        Self::of("fcl"),
        Self::of("df"),
        Self::of("dc"),
        Self::of("dl"),
        Self::of("dfc"),
        Self::of("dfl"),
        Self::of("dcl"),
        Self::of("dfcl"),
    ];

    /// By letter: **f**amily, **s**erviceName, started**b**y, **c**ontainerInstance, **l**aunchType, **d**aemonName.
    const fn of(letters: &str) -> Self {
        let mut dimensions =
            Self { family: false, service: false, starter: false, instance: false, launch_type: false, daemon: false };
        let letters = letters.as_bytes();
        let mut at = 0;
        while at < letters.len() {
            match letters[at] {
                b'f' => dimensions.family = true,
                b's' => dimensions.service = true,
                b'b' => dimensions.starter = true,
                b'c' => dimensions.instance = true,
                b'l' => dimensions.launch_type = true,
                _ => dimensions.daemon = true,
            }
            at += 1;
        }
        dimensions
    }

    /// The filter over these that a task matches, if it has all of them.
    pub fn filter_of(self, task: &Traits) -> Option<Filter> {
        let launch_type = if task.instance.is_some() { "EC2" } else { "FARGATE" };
        let members = [
            (self.family, "family", Some(fleet::family(task.family))),
            (self.service, "serviceName", task.service.map(fleet::service)),
            (self.starter, "startedBy", Some(fleet::starter(task.starter))),
            (self.instance, "containerInstance", task.instance.map(|index| fleet::instance_id(index).to_string())),
            (self.launch_type, "launchType", Some(launch_type.to_owned())),
            (self.daemon, "daemonName", task.daemon.map(fleet::daemon)),
        ];
        let wanted = members.into_iter().filter(|(wanted, ..)| *wanted);
        wanted.map(|(_, name, value)| value.map(|value| (name, value))).collect()
    }

    /// Its name in tables.
    pub fn name(self) -> String {
        let names = [
            (self.daemon, "daemonName"),
            (self.service, "serviceName"),
            (self.starter, "startedBy"),
            (self.family, "family"),
            (self.instance, "containerInstance"),
            (self.launch_type, "launchType"),
        ];
        let names: Vec<&str> = names.into_iter().filter_map(|(has, name)| has.then_some(name)).collect();
        if names.is_empty() { "no filter".to_owned() } else { names.join(" + ") }
    }
}

/// One kind of listing: dimensions and desired status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kind {
    /// What it filters by.
    pub dimensions: Dimensions,
    /// Whether it lists what is STOPPED.
    pub stopped: bool,
}

impl Kind {
    /// Every kind: RUNNING first.
    pub fn all() -> impl Iterator<Item = Self> {
        let of = |stopped| Dimensions::LEGAL.into_iter().map(move |dimensions| Self { dimensions, stopped });
        of(false).chain(of(true))
    }

    /// Its name in tables.
    pub fn name(self) -> String {
        format!("{}, {}", self.dimensions.name(), self.status())
    }

    /// The desired status as the API has it.
    pub fn status(self) -> &'static str {
        if self.stopped { "STOPPED" } else { "RUNNING" }
    }
}

/// Where in its traversal a page lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Position {
    /// Asked for without a token.
    First,
    /// Neither first nor last.
    Middle,
    /// The last of several.
    Last,
}

impl Position {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::First, Self::Middle, Self::Last];

    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Middle => "middle",
            Self::Last => "last",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_legal_combinations_are_those_of_the_rules() {
        let mut legal = BTreeSet::new();
        for bits in 0..64u8 {
            let has = |bit: u8| bits >> bit & 1 == 1;
            let [family, service, starter, instance, launch_type, daemon] = [0, 1, 2, 3, 4, 5].map(has);
            let alone = !starter || bits.count_ones() == 1;
            let in_service = !service || !(family || instance || daemon);
            if alone && in_service {
                legal.insert(Dimensions { family, service, starter, instance, launch_type, daemon });
            }
        }
        assert_eq!(Dimensions::LEGAL.into_iter().collect::<BTreeSet<_>>(), legal);
        assert_eq!(Kind::all().count(), 38);
    }

    #[test]
    fn a_filter_has_the_values_of_its_task() {
        let task = Traits { family: 3, service: None, daemon: Some(1), starter: 0, instance: None, stopped: false };
        let filter = Dimensions::of("dfl").filter_of(&task).unwrap();
        assert_eq!(
            filter,
            [("family", fleet::family(3)), ("launchType", "FARGATE".into()), ("daemonName", fleet::daemon(1))]
        );
        assert_eq!(Dimensions::of("s").filter_of(&task), None);
        assert_eq!(Dimensions::of("dfl").name(), "daemonName + family + launchType");
    }
}
