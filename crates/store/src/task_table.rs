//! The tasks of one cluster and the indexes that make a page of ListTasks cost the same at one task and at a million.
//!
//! For each (desired status, dimension, value) there is an ordered set of sequence numbers. A page is the intersection
//! of at most four such sets from a cursor on, and the ids of its members; it never touches a record.

use std::sync::Arc;

use imbl::HashMap;
use longshore_domain::EcsId;
use longshore_domain::task::{DesiredStatus, LaunchType, TaskRecord, TaskStatus};

use crate::index::{IdMap, PositionSet, Rows, Work, page};

/// What tasks are listed by, with the value.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Dimension {
    /// Every task.
    All,
    /// `family`.
    Family(Arc<str>),
    /// `startedBy`.
    StartedBy(Arc<str>),
    /// `serviceName`.
    Service(Arc<str>),
    /// `daemonName`.
    Daemon(Arc<str>),
    /// `containerInstance`.
    ContainerInstance(EcsId),
    /// `launchType`.
    LaunchType(LaunchType),
}

/// Which tasks a listing wants: one desired status, and every one of these dimensions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskFilter {
    /// Desired status.
    pub desired_status: DesiredStatus,
    /// All of these; empty: every task.
    pub dimensions: Vec<Dimension>,
}

/// One page of task ids.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TaskPage {
    /// Ids in creation order.
    pub ids: Vec<EcsId>,
    /// Sequence number after which the next page begins.
    pub cursor: Option<u64>,
    /// Whether there may be more after it.
    pub more: bool,
}

/// How many tasks of a launch type are in which part of life.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TaskCounts {
    /// Last status RUNNING.
    pub running: usize,
    /// Last status before RUNNING.
    pub pending: usize,
}

/// The tasks of one cluster incarnation.
#[derive(Debug, Clone, Default)]
pub struct TaskTable {
    rows: Rows<TaskRecord>,
    ids: IdMap,
    index: HashMap<(DesiredStatus, Dimension), PositionSet>,
    counts: [TaskCounts; 4],
    unstopped: usize,
}

impl TaskTable {
    /// A task by id.
    pub fn get(&self, id: EcsId) -> Option<&Arc<TaskRecord>> {
        self.rows.get(self.position(id)?)
    }

    /// The task with this sequence number.
    pub fn get_by_sequence(&self, sequence: u64) -> Option<&Arc<TaskRecord>> {
        self.rows.get(sequence)
    }

    fn position(&self, id: EcsId) -> Option<u64> {
        self.ids.find(&id.0, |position| self.rows.id(position) == Some(id.0))
    }

    /// How many tasks there are, STOPPED ones included.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many are not STOPPED.
    pub fn unstopped(&self) -> usize {
        self.unstopped
    }

    /// Counts of a launch type.
    pub fn counts(&self, launch_type: LaunchType) -> TaskCounts {
        self.counts[launch_type as usize]
    }

    /// How many match a filter of at most one dimension.
    pub fn count(&self, desired_status: DesiredStatus, dimension: Dimension) -> usize {
        self.index.get(&(desired_status, dimension)).map_or(0, PositionSet::len)
    }

    /// All tasks of one dimension, in creation order.
    pub fn of(&self, desired_status: DesiredStatus, dimension: Dimension) -> impl Iterator<Item = &Arc<TaskRecord>> {
        let set = self.index.get(&(desired_status, dimension));
        set.into_iter().flat_map(|set| set.iter_from(0)).filter_map(|position| self.rows.get(position))
    }

    /// All tasks, in creation order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<TaskRecord>> {
        self.rows.iter_from(0).map(|(_, _, record)| record)
    }

    /// The tasks that match and come after sequence number `after`, at most `limit`; `work` counts what it touched, and
    /// ends the page early when its own limit is reached.
    pub fn page(&self, filter: &TaskFilter, after: Option<u64>, limit: usize, work: &mut Work) -> TaskPage {
        let all = [Dimension::All];
        let dimensions = if filter.dimensions.is_empty() { &all[..] } else { &filter.dimensions };
        let mut sets = Vec::with_capacity(dimensions.len());
        for dimension in dimensions {
            match self.index.get(&(filter.desired_status, dimension.clone())) {
                Some(set) => sets.push(set),
                None => return TaskPage::default(),
            }
        }
        let page = page(&sets, after, limit, work);
        TaskPage {
            cursor: page.cursor,
            ids: self.rows.ids(&page.positions).into_iter().map(EcsId).collect(),
            more: page.more,
        }
    }

    /// Puts a task in; what its id held before.
    pub(crate) fn insert(&mut self, task: Arc<TaskRecord>) -> Option<Arc<TaskRecord>> {
        let old = self.rows.insert(task.sequence, task.id.0, Arc::clone(&task));
        match &old {
            Some(old) => self.count_out(old),
            None => {
                self.ids.insert(&task.id.0, task.sequence);
            }
        }
        self.count_in(&task);
        if old.as_ref().is_none_or(|old| old.desired_status != task.desired_status) {
            if let Some(old) = &old {
                self.unindex(old);
            }
            self.enter(&task);
        }
        old
    }

    /// Takes a task out; what it was.
    pub(crate) fn remove(&mut self, id: EcsId) -> Option<Arc<TaskRecord>> {
        let position = self.position(id)?;
        let (_, old) = self.rows.remove(position)?;
        self.ids.remove(&id.0, position);
        self.count_out(&old);
        self.unindex(&old);
        Some(old)
    }

    fn enter(&mut self, task: &TaskRecord) {
        for dimension in dimensions(task) {
            self.index.entry((task.desired_status, dimension)).or_default().insert(task.sequence);
        }
    }

    fn unindex(&mut self, task: &TaskRecord) {
        for dimension in dimensions(task) {
            let key = (task.desired_status, dimension);
            if let Some(set) = self.index.get_mut(&key) {
                set.remove(task.sequence);
                if set.is_empty() {
                    self.index.remove(&key);
                }
            }
        }
    }

    fn count_in(&mut self, task: &TaskRecord) {
        if task.last_status != TaskStatus::Stopped {
            self.unstopped += 1;
        }
        if let Some(count) = self.counter(task) {
            *count += 1;
        }
    }

    fn count_out(&mut self, task: &TaskRecord) {
        if task.last_status != TaskStatus::Stopped {
            self.unstopped -= 1;
        }
        if let Some(count) = self.counter(task) {
            *count -= 1;
        }
    }

    fn counter(&mut self, task: &TaskRecord) -> Option<&mut usize> {
        let counts = &mut self.counts[task.launch_type as usize];
        match task.last_status {
            TaskStatus::Running => Some(&mut counts.running),
            TaskStatus::Provisioning | TaskStatus::Pending | TaskStatus::Activating => Some(&mut counts.pending),
            _ => None,
        }
    }
}

/// Every dimension a task is listed by. All of them are immutable over its life.
fn dimensions(task: &TaskRecord) -> impl Iterator<Item = Dimension> {
    let always = [Dimension::All, Dimension::Family(Arc::clone(&task.family)), Dimension::LaunchType(task.launch_type)];
    let sometimes = [
        task.started_by.clone().map(Dimension::StartedBy),
        task.service().map(|name| Dimension::Service(name.into())),
        task.daemon().map(|name| Dimension::Daemon(name.into())),
        task.container_instance.map(Dimension::ContainerInstance),
    ];
    always.into_iter().chain(sometimes.into_iter().flatten())
}
