//! The tasks of one cluster and the indexes that make a page of ListTasks cost the same at one task and at a million.
//!
//! For each (desired status, dimension, value) there is an ordered set of positions. A page is the intersection of at
//! most four such sets from a cursor on, and the ids of its members; it never touches a record. Records are kept in a
//! compact form that shares with others what many have, and made anew for whoever asks.

mod bulk;
mod compact;
mod expand;
mod filter;
mod indexes;
mod interner;
mod name;
mod numbering;
mod particulars;
mod rare;
mod template;
#[cfg(test)]
pub(crate) mod tests;

use std::sync::Arc;

use longshore_domain::EcsId;
use longshore_domain::task::{DesiredStatus, LaunchType, TaskRecord, TaskStatus};

pub(crate) use bulk::Bulk;
pub(crate) use compact::CompactTask;
pub use filter::{Dimension, TaskCounts, TaskFilter, TaskLife, TaskPage};

use crate::index::{IdMap, PositionSet, Rows, Work, page};
use compact::Shared;
use indexes::Indexes;
use numbering::Numbering;

/// Positions a task at which the table is numbered anew, and positions up to which it never is.
const SPARSE: u64 = 4;
const FEW: u64 = 1 << 16;

/// The tasks of one cluster incarnation.
#[derive(Debug, Clone, Default)]
pub struct TaskTable {
    /// Incarnation of the cluster.
    cluster: u64,
    numbering: Numbering,
    /// The position behind all that were ever used in this numbering.
    end: u64,
    rows: Rows<CompactTask>,
    ids: IdMap,
    indexes: Indexes,
    shared: Shared,
    counts: [TaskCounts; LaunchType::ALL.len()],
    unstopped: usize,
}

impl TaskTable {
    /// A task by id, made anew from its compact form.
    pub fn get(&self, id: EcsId) -> Option<TaskRecord> {
        self.at(self.position(id)?)
    }

    /// The task with this sequence number, made anew from its compact form.
    pub fn get_by_sequence(&self, sequence: u64) -> Option<TaskRecord> {
        self.at(self.numbering.position(sequence)?)
    }

    fn at(&self, position: u64) -> Option<TaskRecord> {
        let (task, id) = (self.rows.get(position)?, self.rows.id(position)?);
        Some(task.expand(self.cluster, EcsId(id), self.numbering.sequence(position)))
    }

    /// The id of the task with this sequence number, without a look at the record.
    pub fn id_by_sequence(&self, sequence: u64) -> Option<EcsId> {
        self.rows.id(self.numbering.position(sequence)?).map(EcsId)
    }

    /// Where a task is in its life, without making its record.
    pub fn life(&self, id: EcsId) -> Option<TaskLife> {
        self.rows.get(self.position(id)?).map(|task| task.life())
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
        self.indexes.get(desired_status, &dimension).map_or(0, PositionSet::len)
    }

    /// Where all tasks of one dimension are in their lives, in creation order, without making their records.
    pub fn lives_of(&self, desired_status: DesiredStatus, dimension: Dimension) -> impl Iterator<Item = TaskLife> {
        let set = self.indexes.get(desired_status, &dimension);
        let positions = set.into_iter().flat_map(|set| set.iter_from(0));
        positions.filter_map(|position| self.rows.get(position)).map(|task| task.life())
    }

    /// All tasks, in creation order, each made anew from its compact form.
    pub fn iter(&self) -> impl Iterator<Item = TaskRecord> {
        let rows = self.rows.iter_from(0);
        rows.map(|(position, id, task)| task.expand(self.cluster, EcsId(id), self.numbering.sequence(position)))
    }

    /// The tasks that match and come after sequence number `after`, at most `limit`; `work` counts what it touched, and
    /// ends the page early when its own limit is reached.
    pub fn page(&self, filter: &TaskFilter, after: Option<u64>, limit: usize, work: &mut Work) -> TaskPage {
        let all = [Dimension::All];
        let dimensions = if filter.dimensions.is_empty() { &all[..] } else { &filter.dimensions };
        let mut sets = Vec::with_capacity(dimensions.len());
        for dimension in dimensions {
            match self.indexes.get(filter.desired_status, dimension) {
                Some(set) => sets.push(set),
                None => return TaskPage::default(),
            }
        }
        let after = after.and_then(|sequence| self.numbering.up_to(sequence));
        let page = page(&sets, after, limit, work);
        TaskPage {
            cursor: page.cursor.map(|position| self.numbering.sequence(position)),
            ids: self.rows.ids(&page.positions).into_iter().map(EcsId).collect(),
            more: page.more,
        }
    }

    /// How many values that tasks share it holds: places, texts, and what tasks of a kind have in common. Those that no
    /// task has any more are dropped from time to time.
    pub fn shared_values(&self) -> usize {
        self.shared.len()
    }

    /// Puts a task in; what its id held before, and what it is now.
    pub(crate) fn insert(&mut self, task: &TaskRecord) -> (Option<Arc<CompactTask>>, Arc<CompactTask>) {
        self.cluster = task.cluster;
        let position = self.numbering.position(task.sequence);
        let position = position.unwrap_or_else(|| self.renumber(Some(task.sequence)));
        self.end = self.end.max(position.saturating_add(1));
        let old = self.rows.get(position).map(Arc::clone);
        let (group, started_by) = match &old {
            Some(old) if old.is_listed_like(task) => (old.group.clone(), old.started_by.clone()),
            _ => {
                if let Some(old) = &old {
                    self.indexes.leave(old, position);
                }
                self.indexes.enter(task, position)
            }
        };
        let new = Arc::new(CompactTask::new(task, group, started_by, &mut self.shared));
        self.rows.insert(position, task.id.0, Arc::clone(&new));
        match &old {
            Some(old) => {
                self.count_out(old);
                self.shared.depart();
            }
            None => {
                self.ids.insert(&task.id.0, position);
            }
        }
        self.count_in(&new);
        (old, new)
    }

    /// Takes a task out; its sequence number, and what it was.
    pub(crate) fn remove(&mut self, id: EcsId) -> Option<(u64, Arc<CompactTask>)> {
        let position = self.position(id)?;
        let (_, old) = self.rows.remove(position)?;
        self.ids.remove(&id.0, position);
        self.count_out(&old);
        self.indexes.leave(&old, position);
        self.shared.depart();
        let sequence = self.numbering.sequence(position);
        self.settle();
        Some((sequence, old))
    }

    /// Numbers the tasks anew if they have become few among their positions. What that costs is paid by the tasks that
    /// came since it was done last: they are at least three times as many.
    fn settle(&mut self) {
        if self.end > SPARSE * self.rows.len() as u64 + FEW {
            self.renumber(None);
        }
    }

    /// Gives every task a position without gaps, and one to the sequence number `also`, which has none; that position.
    fn renumber(&mut self, also: Option<u64>) -> u64 {
        let positions: Vec<u64> = self.rows.iter_from(0).map(|(position, ..)| position).collect();
        let mut sequences: Vec<u64> = positions.iter().map(|position| self.numbering.sequence(*position)).collect();
        let place = also.map_or(sequences.len(), |also| sequences.partition_point(|sequence| *sequence < also));
        if let Some(also) = also {
            sequences.insert(place, also);
        }
        let new_of = |rank: usize| (rank + usize::from(also.is_some() && rank >= place)) as u64;
        let (mut rows, mut ids) = (Rows::new(), IdMap::new());
        for (rank, (_, id, task)) in self.rows.iter_from(0).enumerate() {
            rows.insert(new_of(rank), id, Arc::clone(task));
            ids.insert(&id, new_of(rank));
        }
        self.indexes.renumber(&positions, &new_of);
        (self.rows, self.ids, self.end) = (rows, ids, sequences.len() as u64);
        self.numbering = Numbering::new(sequences);
        place as u64
    }

    fn count_in(&mut self, task: &CompactTask) {
        if task.last_status != TaskStatus::Stopped {
            self.unstopped += 1;
        }
        if let Some(count) = self.counter(task) {
            *count += 1;
        }
    }

    fn count_out(&mut self, task: &CompactTask) {
        if task.last_status != TaskStatus::Stopped {
            self.unstopped -= 1;
        }
        if let Some(count) = self.counter(task) {
            *count -= 1;
        }
    }

    fn counter(&mut self, task: &CompactTask) -> Option<&mut usize> {
        self.counts[task.launch_type() as usize].of_mut(task.last_status)
    }
}
