//! A table from all of its tasks at once, as at start: each task is made compact when it comes, and everything else is
//! built when all are there, in order and once.
//!
//! Tasks may come in any order. Beside the compact tasks about 60 bytes a task are needed until the table stands.
//! The result is what inserting one task after another leads to, numbered without gaps where those would cost more.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use longshore_domain::resources::Ledger;
use longshore_domain::task::{DesiredStatus, LaunchType, TaskRecord, TaskStatus};
use longshore_domain::{EcsId, Timestamp};

use super::compact::{CompactTask, GroupKind, Place, Shared, group_of};
use super::indexes::{Indexes, Sets};
use super::interner::Collected;
use super::name::Name;
use super::numbering::Numbering;
use super::template::Template;
use super::{TaskCounts, TaskTable};
use crate::index::{IdMap, PositionSet, Rows};

/// In place of a number: the task has no such value.
const NONE: u32 = u32::MAX;

/// Tasks of one cluster that become a table.
#[derive(Debug, Default)]
pub(crate) struct Bulk {
    entries: Vec<Entry>,
    tasks: Vec<Option<Arc<CompactTask>>>,
    shared: Shared,
    templates: Collected<Template>,
    places: Collected<Place>,
    /// Of each template the family's number.
    family_of: Vec<u32>,
    /// Of each place the numbers of the container instance and of the machine.
    instance_of: Vec<[u32; 2]>,
    families: Names,
    starters: Names,
    services: Names,
    daemons: Names,
    instances: Ids,
    nodes: Ids,
}

/// What tasks of one cluster are to the rest of the state.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// The table.
    pub(crate) table: TaskTable,
    /// For each machine what they take of it, and the sequence numbers of those that are not STOPPED.
    pub(crate) nodes: Vec<(EcsId, Ledger, PositionSet)>,
    /// How many have each definition: family, revision, tasks. One definition may come several times.
    pub(crate) definitions: Vec<(Arc<str>, u32, u64)>,
    /// Those that have a `stoppedAt`.
    pub(crate) stopped: Vec<(Timestamp, EcsId)>,
}

/// A task: its order, and the numbers of what it is listed by.
#[derive(Debug, Clone, Copy)]
struct Entry {
    sequence: u64,
    id: EcsId,
    task: u32,
    template: u32,
    place: u32,
    service: u32,
    daemon: u32,
    starter: u32,
    desired_status: DesiredStatus,
    last_status: TaskStatus,
    ended: bool,
}

impl Bulk {
    /// Adds a task. Of two with one sequence number the later counts.
    pub(crate) fn add(&mut self, task: &TaskRecord) {
        let (mut service, mut daemon) = ((NONE, None), (NONE, None));
        match group_of(task) {
            (GroupKind::Service, name) => service = self.services.number(name),
            (GroupKind::Daemon, name) => daemon = self.daemons.number(name),
            (GroupKind::Family | GroupKind::Other, _) => {}
        }
        let starter = task.started_by.as_deref().map_or((NONE, None), |starter| self.starters.number(starter));
        let (template, shared_template) = self.shared.collect_template(task, &mut self.templates);
        if self.family_of.len() < self.templates.values().len() {
            self.family_of.push(self.families.number(&task.family).0);
        }
        let (place, shared_place) = self.shared.collect_place(task, &mut self.places);
        if self.instance_of.len() < self.places.values().len() {
            let instance = task.container_instance.map_or(NONE, |instance| self.instances.number(instance));
            self.instance_of.push([instance, task.node.map_or(NONE, |node| self.nodes.number(node))]);
        }
        let kind = (shared_template, shared_place);
        let compact = CompactTask::of_kind(task, kind, service.1.or(daemon.1), starter.1, &mut self.shared);
        self.entries.push(Entry {
            sequence: task.sequence,
            id: task.id,
            task: self.tasks.len() as u32,
            template,
            place,
            service: service.0,
            daemon: daemon.0,
            starter: starter.0,
            desired_status: task.desired_status,
            last_status: task.last_status,
            ended: compact.stopped_at().is_some(),
        });
        self.tasks.push(Some(Arc::new(compact)));
    }

    /// The table of this cluster incarnation.
    pub(crate) fn finish(mut self, cluster: u64) -> Loaded {
        if !self.entries.is_sorted_by_key(|entry| entry.sequence) {
            self.entries.sort_by_key(|entry| entry.sequence);
        }
        self.entries.dedup_by(|later, earlier| {
            let same = later.sequence == earlier.sequence;
            if same {
                *earlier = *later;
            }
            same
        });
        let (nodes, definitions) = (self.on_nodes(), self.definitions());
        let ended = self.entries.iter().filter(|entry| entry.ended);
        let stopped_at = |entry: &Entry| Some((self.tasks[entry.task as usize].as_ref()?.stopped_at()?, entry.id));
        let stopped = ended.filter_map(stopped_at).collect();
        Loaded { table: self.table(cluster), nodes, definitions, stopped }
    }

    fn definitions(&self) -> Vec<(Arc<str>, u32, u64)> {
        let mut uses = vec![0; self.templates.values().len()];
        self.entries.iter().for_each(|entry| uses[entry.template as usize] += 1);
        let templates = self.templates.values().iter().map(|template| template.record()).zip(uses);
        templates.filter(|(_, uses)| *uses > 0).map(|(of, uses)| (Arc::clone(&of.family), of.revision, uses)).collect()
    }

    fn on_nodes(&self) -> Vec<(EcsId, Ledger, PositionSet)> {
        let node = |entry: &Entry| {
            let [_, node] = self.instance_of[entry.place as usize];
            if entry.last_status == TaskStatus::Stopped { NONE } else { node }
        };
        let grouped = Grouped::new(&self.entries, self.nodes.values.len(), |_, entry| entry.sequence, node);
        let mut ledgers = vec![Ledger::default(); self.nodes.values.len()];
        for entry in &self.entries {
            if let Some(ledger) = ledgers.get_mut(node(entry) as usize) {
                ledger.take(&self.templates.values()[entry.template as usize].record().resources);
            }
        }
        let sets = (0..self.nodes.values.len()).map(|node| PositionSet::from_sorted(grouped.of(node)));
        let nodes = self.nodes.values.iter().zip(ledgers).zip(sets);
        nodes.filter(|(_, set)| !set.is_empty()).map(|((node, ledger), set)| (*node, ledger, set)).collect()
    }

    /// The table of the entries, which are in order.
    fn table(mut self, cluster: u64) -> TaskTable {
        let len = self.entries.len() as u64;
        let end = self.entries.last().map_or(0, |last| last.sequence.saturating_add(1));
        // A number a task costs less than rows of which a third are gaps.
        let gaps = end > len + len / 2;
        let position = |at: usize, entry: &Entry| if gaps { at as u64 } else { entry.sequence };
        let mut tasks = std::mem::take(&mut self.tasks);
        let ordered = || self.entries.iter().enumerate().map(|(at, entry)| (position(at, entry), entry));
        let (rows, ids, indexes) = std::thread::scope(|scope| {
            let indexes = scope.spawn(|| self.indexes(&position));
            let ids = IdMap::from_distinct(ordered().map(|(position, entry)| (&entry.id.0, position)));
            let rows = Rows::from_sorted(ordered().filter_map(|(position, entry)| {
                let task = tasks.get_mut(entry.task as usize)?.take()?;
                Some((position, entry.id.0, task))
            }));
            (rows, ids, indexes.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        });
        let (counts, unstopped) = self.counts();
        let numbering = if gaps {
            Numbering::new(self.entries.iter().map(|entry| entry.sequence).collect())
        } else {
            Numbering::default()
        };
        let end = if gaps { len } else { end };
        self.shared.take_collected(self.templates, self.places);
        TaskTable { cluster, numbering, end, rows, ids, indexes, shared: self.shared, counts, unstopped }
    }

    fn counts(&self) -> ([TaskCounts; LaunchType::ALL.len()], usize) {
        let mut counts = [TaskCounts::default(); LaunchType::ALL.len()];
        for entry in &self.entries {
            let launch_type = self.templates.values()[entry.template as usize].record().launch_type;
            if let Some(count) = counts[launch_type as usize].of_mut(entry.last_status) {
                *count += 1;
            }
        }
        (counts, self.entries.iter().filter(|entry| entry.last_status != TaskStatus::Stopped).count())
    }

    fn indexes(&self, position: &impl Fn(usize, &Entry) -> u64) -> Indexes {
        let sets = |values, value: &dyn Fn(&Entry) -> u32| sets(&self.entries, values, position, value);
        let named = |names: &Names, value: &dyn Fn(&Entry) -> u32| {
            let sets = names.values.iter().cloned().zip(sets(names.values.len(), value));
            sets.filter(|(_, sets)| !sets.is_empty()).collect()
        };
        let launch_type = |entry: &Entry| self.templates.values()[entry.template as usize].record().launch_type as u32;
        let mut launch_types = sets(LaunchType::ALL.len(), &launch_type).into_iter();
        let instances = sets(self.instances.values.len(), &|entry| self.instance_of[entry.place as usize][0]);
        let instances = self.instances.values.iter().copied().zip(instances);
        Indexes {
            all: sets(1, &|_| 0).pop().unwrap_or_default(),
            launch_types: std::array::from_fn(|_| launch_types.next().unwrap_or_default()),
            families: named(&self.families, &|entry| self.family_of[entry.template as usize]),
            starters: named(&self.starters, &|entry| entry.starter),
            services: named(&self.services, &|entry| entry.service),
            daemons: named(&self.daemons, &|entry| entry.daemon),
            container_instances: instances.filter(|(_, sets)| !sets.is_empty()).collect(),
        }
    }
}

/// For each of so many values the positions of the tasks that have it.
fn sets(
    entries: &[Entry],
    values: usize,
    position: &impl Fn(usize, &Entry) -> u64,
    value: &dyn Fn(&Entry) -> u32,
) -> Vec<Sets> {
    let of = |entry: &Entry| match value(entry) {
        NONE => NONE,
        value => value * 2 + entry.desired_status as u32,
    };
    let grouped = Grouped::new(entries, values * 2, position, of);
    (0..values).map(|value| Sets::from_sorted([grouped.of(value * 2), grouped.of(value * 2 + 1)])).collect()
}

/// Members by group, those of one group together and ascending.
struct Grouped {
    members: Vec<u64>,
    /// Where each group ends; it begins where the one before ends.
    ends: Vec<usize>,
}

impl Grouped {
    /// The entries as members of so many groups; [`NONE`] is no group.
    fn new(
        entries: &[Entry],
        groups: usize,
        member: impl Fn(usize, &Entry) -> u64,
        group: impl Fn(&Entry) -> u32,
    ) -> Self {
        let mut ends = vec![0; groups];
        for entry in entries {
            if let Some(count) = ends.get_mut(group(entry) as usize) {
                *count += 1;
            }
        }
        // First where each group begins; while it is filled, up to where it is.
        let mut end = 0;
        for group in &mut ends {
            end += std::mem::replace(group, end);
        }
        let mut members = vec![0; end];
        for (at, entry) in entries.iter().enumerate() {
            if let Some(end) = ends.get_mut(group(entry) as usize) {
                members[*end] = member(at, entry);
                *end += 1;
            }
        }
        Self { members, ends }
    }

    fn of(&self, group: usize) -> &[u64] {
        let start = group.checked_sub(1).map_or(0, |before| self.ends[before]);
        let range: Range<usize> = start..self.ends[group];
        &self.members[range]
    }
}

/// Texts in the order in which they first came.
#[derive(Debug, Default)]
struct Names {
    numbers: HashMap<Name, u32>,
    values: Vec<Name>,
}

impl Names {
    fn number(&mut self, text: &str) -> (u32, Option<Name>) {
        if let Some((name, number)) = self.numbers.get_key_value(text) {
            return (*number, Some(name.clone()));
        }
        let (number, name) = (self.values.len() as u32, Name::new(text));
        self.numbers.insert(name.clone(), number);
        self.values.push(name.clone());
        (number, Some(name))
    }
}

/// Ids in the order in which they first came.
#[derive(Debug, Default)]
struct Ids {
    numbers: HashMap<EcsId, u32>,
    values: Vec<EcsId>,
}

impl Ids {
    fn number(&mut self, id: EcsId) -> u32 {
        *self.numbers.entry(id).or_insert_with(|| {
            self.values.push(id);
            self.values.len() as u32 - 1
        })
    }
}
