//! A task as it is kept in memory: one allocation of 128 bytes, and a box for what few tasks have.
//!
//! What many tasks share stands once: in a [`Template`], a [`Place`], or as the name under which an index has it. The
//! cluster, the id and the sequence number are not here: whoever finds the task knows them.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use longshore_domain::task::{DesiredStatus, LaunchType, TaskRecord, TaskStatus};
use longshore_domain::{EcsId, Resources, Timestamp};

use super::filter::TaskLife;
use super::interner::{Collected, Interner};
use super::name::Name;
use super::particulars::{Particulars, bytes_of_hex};
use super::rare::{End, Odd, Rare};
use super::template::{Mark, Template};

/// A task without what it shares with others.
#[derive(Debug, Clone)]
pub(crate) struct CompactTask {
    pub(super) template: Arc<Template>,
    pub(super) place: Arc<Place>,
    pub(super) group: Option<Name>,
    pub(super) started_by: Option<Name>,
    pub(super) rare: Option<Box<Rare>>,
    pub(super) created_at: Timestamp,
    /// connectivityAt, pullStartedAt, pullStoppedAt and startedAt in milliseconds after the creation.
    pub(super) early: [i32; 4],
    pub(super) particulars: Particulars,
    pub(super) version: u16,
    /// Which of `early` there are, as bits.
    pub(super) early_present: u8,
    pub(super) group_kind: GroupKind,
    pub(super) desired_status: DesiredStatus,
    pub(super) last_status: TaskStatus,
}

/// Where a task is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Place {
    /// The machine.
    pub(super) node: Option<EcsId>,
    /// The container instance.
    pub(super) container_instance: Option<EcsId>,
}

impl Place {
    fn of(task: &TaskRecord) -> Self {
        Self { node: task.node, container_instance: task.container_instance }
    }
}

/// What a task's group says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GroupKind {
    /// `family:` and its family; there is no name.
    Family,
    /// `service:` and the name.
    Service,
    /// `daemon:` and the name.
    Daemon,
    /// The name alone.
    Other,
}

/// The kind of a task's group, and the name in it.
pub(super) fn group_of(task: &TaskRecord) -> (GroupKind, &str) {
    if let Some(service) = task.service() {
        (GroupKind::Service, service)
    } else if let Some(daemon) = task.daemon() {
        (GroupKind::Daemon, daemon)
    } else if task.group.strip_prefix("family:") == Some(&task.family) {
        (GroupKind::Family, "")
    } else {
        (GroupKind::Other, &task.group)
    }
}

/// The values that the tasks of a table share.
#[derive(Debug, Clone, Default)]
pub(super) struct Shared {
    templates: Interner<Template>,
    places: Interner<Place>,
    texts: Interner<Box<str>>,
    hasher: RandomState,
}

impl Shared {
    /// A text that other tasks may have, too.
    pub(super) fn text(&mut self, text: &str) -> Name {
        Name::of(self.texts.intern(self.hasher.hash_one(text), |known| **known == *text, || text.into()))
    }

    fn template(&mut self, task: &TaskRecord) -> Arc<Template> {
        let hash = Template::hash(task, &self.hasher);
        self.templates.intern(hash, |known| known.is_of(task), || Template::of(task))
    }

    fn place(&mut self, task: &TaskRecord) -> Arc<Place> {
        let place = Place::of(task);
        self.places.intern(self.hasher.hash_one(place), |known| *known == place, || place)
    }

    /// The template of a task among those that are collected for this table, with its number there.
    pub(super) fn collect_template(
        &self,
        task: &TaskRecord,
        templates: &mut Collected<Template>,
    ) -> (u32, Arc<Template>) {
        let hash = Template::hash(task, &self.hasher);
        templates.intern(hash, |known| known.is_of(task), || Template::of(task))
    }

    /// The place of a task among those that are collected for this table, with its number there.
    pub(super) fn collect_place(&self, task: &TaskRecord, places: &mut Collected<Place>) -> (u32, Arc<Place>) {
        let place = Place::of(task);
        places.intern(self.hasher.hash_one(place), |known| *known == place, || place)
    }

    /// Takes over what was collected for it; there was nothing of these kinds.
    pub(super) fn take_collected(&mut self, templates: Collected<Template>, places: Collected<Place>) {
        (self.templates, self.places) = (templates.into_interner(), places.into_interner());
    }

    /// Notes that a task has gone, or changed.
    pub(super) fn depart(&mut self) {
        self.templates.depart();
        self.places.depart();
        self.texts.depart();
    }

    /// How many values there are.
    pub(super) fn len(&self) -> usize {
        self.templates.len() + self.places.len() + self.texts.len()
    }
}

impl CompactTask {
    /// The compact form of a task. The names are those of the index; a group that nothing is listed by has none there.
    pub(super) fn new(task: &TaskRecord, group: Option<Name>, started_by: Option<Name>, shared: &mut Shared) -> Self {
        let kind = (shared.template(task), shared.place(task));
        Self::of_kind(task, kind, group, started_by, shared)
    }

    /// The same, with its template and its place.
    pub(super) fn of_kind(
        task: &TaskRecord,
        (template, place): (Arc<Template>, Arc<Place>),
        group: Option<Name>,
        started_by: Option<Name>,
        shared: &mut Shared,
    ) -> Self {
        let (group_kind, group_name) = group_of(task);
        let group = group.or_else(|| (group_kind == GroupKind::Other).then(|| shared.text(group_name)));
        let mut odd = Odd::default();
        let (early, early_present) = early(task, &mut odd);
        let particulars = particulars(task, &mut odd, shared);
        let version = u16::try_from(task.version).unwrap_or_else(|_| {
            odd.version = Some(task.version);
            0
        });
        Self {
            template,
            place,
            group,
            started_by,
            rare: rare(task, odd, shared),
            created_at: task.created_at,
            early,
            particulars,
            version,
            early_present,
            group_kind,
            desired_status: task.desired_status,
            last_status: task.last_status,
        }
    }

    /// Family and revision of its definition.
    pub(crate) fn definition(&self) -> (&Arc<str>, u32) {
        (&self.template.record().family, self.template.record().revision)
    }

    /// Its launch type.
    pub(super) fn launch_type(&self) -> LaunchType {
        self.template.record().launch_type
    }

    /// What it takes of its machine, and the machine; nothing, once it has stopped.
    pub(crate) fn taken(&self) -> Option<(EcsId, &Resources)> {
        let node = self.place.node.filter(|_| self.last_status != TaskStatus::Stopped)?;
        Some((node, &self.template.record().resources))
    }

    /// `stoppedAt`.
    pub(crate) fn stopped_at(&self) -> Option<Timestamp> {
        self.rare.as_ref()?.end.as_ref()?.stopped_at
    }

    /// Where it is in its life.
    pub(super) fn life(&self) -> TaskLife {
        TaskLife {
            desired_status: self.desired_status,
            last_status: self.last_status,
            node: self.place.node,
            stopped_at: self.stopped_at(),
        }
    }

    /// Whether it is listed by the same values as a task.
    pub(super) fn is_listed_like(&self, task: &TaskRecord) -> bool {
        let (kind, group) = group_of(task);
        self.desired_status == task.desired_status
            && self.started_by.as_ref().map(Name::as_str) == task.started_by.as_deref()
            && self.group_kind == kind
            && self.group.as_ref().map_or("", Name::as_str) == group
            && self.place.container_instance == task.container_instance
            && self.template.record().family == task.family
            && self.template.record().launch_type == task.launch_type
    }
}

fn early(task: &TaskRecord, odd: &mut Odd) -> ([i32; 4], u8) {
    let times = [task.connectivity_at, task.pull_started_at, task.pull_stopped_at, task.started_at];
    let (mut early, mut present) = ([0; 4], 0);
    for (at, time) in times.into_iter().enumerate() {
        let Some(time) = time else { continue };
        let after = time.millis().checked_sub(task.created_at.millis()).and_then(|after| i32::try_from(after).ok());
        match after {
            Some(after) => {
                early[at] = after;
                present |= 1 << at;
            }
            None => odd.early[at] = Some(time),
        }
    }
    (early, present)
}

fn particulars(task: &TaskRecord, odd: &mut Odd, shared: &mut Shared) -> Particulars {
    let mut bytes = Vec::with_capacity(48);
    for container in &task.containers {
        if let Some(id) = container.runtime_id.as_deref() {
            match bytes_of_hex(id) {
                Some(id) => bytes.extend(id),
                None => odd.texts.push(Name::new(id)),
            }
        }
        if let Some(reason) = &container.reason {
            odd.texts.push(shared.text(reason));
        }
        for binding in &container.network_bindings {
            let port = binding.host_port.unwrap_or_default();
            match Mark::of_port(binding.host_port) {
                Mark::Absent => {}
                // A port of this mark has no other bytes.
                Mark::Short => bytes.extend(&port.to_le_bytes()[..2]),
                Mark::Long => bytes.extend(port.to_le_bytes()),
            }
        }
    }
    Particulars::new(&bytes)
}

fn rare(task: &TaskRecord, odd: Odd, shared: &mut Shared) -> Option<Box<Rare>> {
    let end = End {
        stopping_at: task.stopping_at,
        execution_stopped_at: task.execution_stopped_at,
        stopped_at: task.stopped_at,
        stop_code: task.stop_code,
        stopped_reason: task.stopped_reason.as_deref().map(|reason| shared.text(reason)),
    };
    let is_odd = odd.version.is_some() || !odd.texts.is_empty() || odd.early.iter().any(Option::is_some);
    // A record that cannot be written as JSON has never come this far.
    let mut json = |text: serde_json::Result<String>| text.ok().map(|text| shared.text(&text));
    let rare = Rare {
        overrides: task.overrides.as_deref().and_then(|overrides| json(serde_json::to_string(overrides))),
        tags: (!task.tags.is_empty()).then(|| json(serde_json::to_string(&task.tags))).flatten(),
        end: (end != End::default()).then(|| Box::new(end)),
        odd: is_odd.then(|| Box::new(odd)),
    };
    rare.boxed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_one_allocation_of_128_bytes() {
        // Two words of it are the counts of its `Arc`.
        assert_eq!(size_of::<CompactTask>(), 112);
    }
}
