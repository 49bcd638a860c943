//! What tasks are listed by: for each dimension and value the positions of the tasks, by desired status.
//!
//! The name under which an index has a value is the one that tasks share; it goes with its last task.

use std::borrow::Borrow;
use std::hash::Hash;

use imbl::HashMap;
use longshore_domain::EcsId;
use longshore_domain::task::{DesiredStatus, LaunchType, TaskRecord};

use super::compact::{CompactTask, GroupKind, group_of};
use super::filter::Dimension;
use super::name::Name;
use crate::index::PositionSet;

/// Positions by desired status.
#[derive(Debug, Clone, Default)]
pub(super) struct Sets([PositionSet; 2]);

impl Sets {
    /// The positions by desired status, each list ascending.
    pub(super) fn from_sorted(positions: [&[u64]; 2]) -> Self {
        Self(positions.map(PositionSet::from_sorted))
    }

    fn of(&self, desired_status: DesiredStatus) -> &PositionSet {
        &self.0[desired_status as usize]
    }

    fn of_mut(&mut self, desired_status: DesiredStatus) -> &mut PositionSet {
        &mut self.0[desired_status as usize]
    }

    /// Whether no task has the value.
    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(PositionSet::is_empty)
    }

    /// Moves the member at each rank of `old` to its new position; both ascend.
    fn renumber(&mut self, old: &[u64], new_of: &impl Fn(usize) -> u64) {
        for set in &mut self.0 {
            let mut rank = 0;
            let moved = set.iter_from(0).map(|position| {
                rank += steps_to(old.get(rank..).unwrap_or_default(), position);
                new_of(rank)
            });
            *set = moved.collect();
        }
    }
}

/// How many of the ascending positions stand below one that is among them: gallops.
fn steps_to(positions: &[u64], position: u64) -> usize {
    let mut step = 1;
    while positions.get(step).is_some_and(|other| *other <= position) {
        step *= 2;
    }
    let (start, end) = (step / 2, step.min(positions.len()));
    start + positions.get(start..end).unwrap_or_default().partition_point(|other| *other < position)
}

/// Every index of one table.
#[derive(Debug, Clone, Default)]
pub(super) struct Indexes {
    /// Every task.
    pub(super) all: Sets,
    /// By launch type.
    pub(super) launch_types: [Sets; LaunchType::ALL.len()],
    /// By family.
    pub(super) families: HashMap<Name, Sets>,
    /// By startedBy.
    pub(super) starters: HashMap<Name, Sets>,
    /// By the service in the group.
    pub(super) services: HashMap<Name, Sets>,
    /// By the daemon in the group.
    pub(super) daemons: HashMap<Name, Sets>,
    /// By container instance.
    pub(super) container_instances: HashMap<EcsId, Sets>,
}

impl Indexes {
    /// The positions of the tasks with this desired status and this value; none, where there is no such task.
    pub(super) fn get(&self, desired_status: DesiredStatus, dimension: &Dimension) -> Option<&PositionSet> {
        let sets = match dimension {
            Dimension::All => Some(&self.all),
            Dimension::Family(family) => self.families.get(&**family),
            Dimension::StartedBy(starter) => self.starters.get(&**starter),
            Dimension::Service(service) => self.services.get(&**service),
            Dimension::Daemon(daemon) => self.daemons.get(&**daemon),
            Dimension::ContainerInstance(instance) => self.container_instances.get(instance),
            Dimension::LaunchType(launch_type) => self.launch_types.get(*launch_type as usize),
        };
        sets.map(|sets| sets.of(desired_status)).filter(|set| !set.is_empty())
    }

    /// Enters a task; the names of its group, if anything is listed by that, and of its startedBy.
    pub(super) fn enter(&mut self, task: &TaskRecord, position: u64) -> (Option<Name>, Option<Name>) {
        let status = task.desired_status;
        #[cfg(feature = "planted-bugs")]
        let lost = crate::planted::has(crate::planted::Bug::LostIndexUpdate)
            && status == DesiredStatus::Stopped
            && position.is_multiple_of(5);
        #[cfg(not(feature = "planted-bugs"))]
        let lost = false;
        if !lost {
            self.all.of_mut(status).insert(position);
        }
        self.launch_types[task.launch_type as usize].of_mut(status).insert(position);
        add_name(&mut self.families, &task.family, status, position);
        if let Some(instance) = task.container_instance {
            self.container_instances.entry(instance).or_default().of_mut(status).insert(position);
        }
        let group = match group_of(task) {
            (GroupKind::Service, service) => Some(add_name(&mut self.services, service, status, position)),
            (GroupKind::Daemon, daemon) => Some(add_name(&mut self.daemons, daemon, status, position)),
            (GroupKind::Family | GroupKind::Other, _) => None,
        };
        let starter = task.started_by.as_deref();
        (group, starter.map(|starter| add_name(&mut self.starters, starter, status, position)))
    }

    /// Moves the task at each rank of `old`, the ascending positions of all tasks, to its new position.
    pub(super) fn renumber(&mut self, old: &[u64], new_of: &impl Fn(usize) -> u64) {
        self.all.renumber(old, new_of);
        self.launch_types.iter_mut().for_each(|sets| sets.renumber(old, new_of));
        for map in [&mut self.families, &mut self.starters, &mut self.services, &mut self.daemons] {
            map.iter_mut().for_each(|(_, sets)| sets.renumber(old, new_of));
        }
        self.container_instances.iter_mut().for_each(|(_, sets)| sets.renumber(old, new_of));
    }

    /// Strikes a task out.
    pub(super) fn leave(&mut self, task: &CompactTask, position: u64) {
        let status = task.desired_status;
        self.all.of_mut(status).remove(position);
        self.launch_types[task.launch_type() as usize].of_mut(status).remove(position);
        strike(&mut self.families, &**task.definition().0, status, position);
        if let Some(instance) = task.place.container_instance {
            strike(&mut self.container_instances, &instance, status, position);
        }
        match (task.group_kind, &task.group) {
            (GroupKind::Service, Some(service)) => strike(&mut self.services, service.as_str(), status, position),
            (GroupKind::Daemon, Some(daemon)) => strike(&mut self.daemons, daemon.as_str(), status, position),
            _ => {}
        }
        if let Some(starter) = &task.started_by {
            strike(&mut self.starters, starter.as_str(), status, position);
        }
    }
}

fn add_name(map: &mut HashMap<Name, Sets>, name: &str, status: DesiredStatus, position: u64) -> Name {
    if let Some((known, sets)) = map.get_key_value_mut(name) {
        sets.of_mut(status).insert(position);
        return known.clone();
    }
    let new = Name::new(name);
    map.entry(new.clone()).or_default().of_mut(status).insert(position);
    new
}

fn strike<K, Q>(map: &mut HashMap<K, Sets>, value: &Q, status: DesiredStatus, position: u64)
where
    K: Borrow<Q> + Clone + Eq + Hash,
    Q: Eq + Hash + ?Sized,
{
    if let Some(sets) = map.get_mut(value) {
        sets.of_mut(status).remove(position);
        if sets.is_empty() {
            map.remove(value);
        }
    }
}
