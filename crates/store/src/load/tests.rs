//! A state that was loaded against one into which the same records went one after the other.

use std::sync::Arc;

use longshore_domain::cluster::ClusterRecord;
use longshore_domain::node::NodeRecord;
use longshore_domain::task::{DesiredStatus, LaunchType, TaskRecord, TaskStatus};
use longshore_domain::{EcsId, Resources, Scope, Timestamp};
use proptest::prelude::*;
use proptest::strategy::ValueTree;

use crate::backend::{Batch, Durable};
use crate::index::Work;
use crate::task_table::tests::{dimensions, record};
use crate::{Record, State, StoreError, TaskFilter, TaskTable};

/// Clusters; what is beyond has none.
const CLUSTERS: u64 = 3;

/// Hands records out in this order.
struct Listed(Vec<Record>);

impl Durable for Listed {
    fn load(&mut self, insert: &mut dyn FnMut(Record)) -> Result<u64, StoreError> {
        self.0.drain(..).for_each(insert);
        Ok(1)
    }

    fn commit(&mut self, _: &Batch) -> Result<(), StoreError> {
        Ok(())
    }

    fn version(&mut self) -> Result<u64, StoreError> {
        Ok(1)
    }
}

/// What comes before tasks: machines and clusters.
fn ground() -> Vec<Record> {
    let node = |number: u8| NodeRecord {
        id: EcsId([number; 16]),
        builtin: false,
        active: true,
        capacity: Resources::default(),
        attributes: vec![],
        engine_version: String::new(),
        registered_at: Timestamp::from_millis(1),
    };
    let cluster = |incarnation: u64| {
        let name = format!("c{incarnation}");
        ClusterRecord::new(Scope::new("000000000000", "us-east-1"), name, incarnation, Timestamp::from_millis(1))
    };
    // One machine of those that tasks name is not there.
    (0..3).map(|number| node(number).into()).chain((1..=CLUSTERS).map(|number| cluster(number).into())).collect()
}

/// The state with these tasks: loaded, and entered one by one.
fn both(tasks: &[TaskRecord]) -> [State; 2] {
    let records: Vec<Record> = ground().into_iter().chain(tasks.iter().cloned().map(Record::from)).collect();
    let mut plain = State { version: 1, ..State::default() };
    records.iter().for_each(|record| record.insert(&mut plain));
    [State::load(&mut Listed(records)).unwrap(), plain]
}

fn pages(table: &TaskTable, filter: &TaskFilter, limit: usize) -> Vec<(Vec<EcsId>, Option<u64>, bool)> {
    let (mut pages, mut after) = (Vec::new(), None);
    loop {
        let page = table.page(filter, after, limit, &mut Work::new());
        let more = page.more;
        after = page.cursor;
        pages.push((page.ids, page.cursor, more));
        if !more {
            return pages;
        }
    }
}

fn assert_same_tables(loaded: &TaskTable, plain: &TaskTable, tasks: &[TaskRecord], limit: usize) {
    assert_eq!((loaded.len(), loaded.unstopped()), (plain.len(), plain.unstopped()));
    for launch_type in LaunchType::ALL {
        assert_eq!(loaded.counts(launch_type), plain.counts(launch_type));
    }
    assert!(loaded.iter().eq(plain.iter()));
    for task in tasks {
        for sequence in [task.sequence.wrapping_sub(1), task.sequence, task.sequence + 1] {
            assert_eq!(loaded.get_by_sequence(sequence), plain.get_by_sequence(sequence));
            assert_eq!(loaded.id_by_sequence(sequence), plain.id_by_sequence(sequence));
        }
        assert_eq!((loaded.get(task.id), loaded.life(task.id)), (plain.get(task.id), plain.life(task.id)));
        let all = dimensions(task);
        for desired_status in [DesiredStatus::Running, DesiredStatus::Stopped] {
            let last = all.last().cloned();
            for dimension in &all {
                assert_eq!(
                    loaded.count(desired_status, dimension.clone()),
                    plain.count(desired_status, dimension.clone())
                );
                for dimensions in [vec![dimension.clone()], last.iter().chain([dimension]).cloned().collect()] {
                    let filter = TaskFilter { desired_status, dimensions };
                    assert_eq!(pages(loaded, &filter, limit), pages(plain, &filter, limit), "{filter:?}");
                }
            }
        }
    }
}

/// That two states answer alike about these tasks, which they may have or not have.
fn assert_same(loaded: &State, plain: &State, tasks: &[TaskRecord], limit: usize) {
    assert_eq!(loaded.version(), plain.version());
    assert!(loaded.stopped().eq(plain.stopped()));
    assert_eq!(loaded.definition_uses, plain.definition_uses);
    assert_eq!((loaded.nodes.len(), loaded.clusters.len()), (plain.nodes.len(), plain.clusters.len()));
    for (one, other) in loaded.nodes().zip(plain.nodes()) {
        assert_eq!((&one.record, &one.ledger), (&other.record, &other.ledger));
        assert!(one.tasks.iter().eq(other.tasks.iter()));
        assert!(loaded.tasks_on(one.record.id).eq(plain.tasks_on(one.record.id)));
    }
    for (one, other) in loaded.all_clusters().zip(plain.all_clusters()) {
        let own = |task: &&TaskRecord| task.cluster == one.record.incarnation;
        let own: Vec<TaskRecord> = tasks.iter().filter(own).cloned().collect();
        assert_same_tables(&one.tasks, &other.tasks, &own, limit);
    }
}

/// A task in one of the clusters or in none, its sequence numbers close together or far apart, from the first or later.
fn task() -> impl Strategy<Value = TaskRecord> {
    let place = (1..=CLUSTERS + 1, 0..40u64);
    (place, any::<[u8; 4]>(), (0..40u64).prop_flat_map(|number| record(number).boxed())).prop_map(
        |((cluster, number), small, task)| {
            let sequence = match cluster {
                1 => 1 + number,
                2 => 1 + number * 10_007,
                _ => (1 << 33) + number * 2,
            };
            let [cpu, memory, tcp, udp] = small;
            let ports = |port: u8| if port < 128 { vec![] } else { vec![u16::from(port)] };
            let resources =
                Resources { cpu: cpu.into(), memory: memory.into(), tcp_ports: ports(tcp), udp_ports: ports(udp) };
            let mut id = [0x5a; 16];
            id[8..].copy_from_slice(&sequence.to_be_bytes());
            let revision = task.revision % 2;
            TaskRecord { cluster, id: EcsId(id), sequence, revision, resources, ..task }
        },
    )
}

/// Tasks in any order, each once.
fn fleet() -> impl Strategy<Value = Vec<TaskRecord>> {
    prop::collection::vec(task(), 0..60).prop_map(|mut tasks| {
        let mut seen = std::collections::BTreeSet::new();
        tasks.retain(|task| seen.insert((task.cluster, task.sequence)));
        tasks
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_loaded_state_is_what_one_record_after_the_other_makes(
        tasks in fleet(),
        changes in prop::collection::vec((task(), any::<bool>()), 0..40),
        limit in 1..8usize,
    ) {
        let [mut loaded, mut plain] = both(&tasks);
        assert_same(&loaded, &plain, &tasks, limit);
        for (one, other) in loaded.all_clusters().zip(plain.all_clusters()) {
            prop_assert_eq!(one.tasks.shared_values(), other.tasks.shared_values());
        }
        let (then, of_then) = (loaded.clone(), plain.clone());
        for (task, stays) in &changes {
            let record = Record::from(task.clone());
            for state in [&mut loaded, &mut plain] {
                if *stays { record.insert(state) } else { record.remove(state) }
            }
        }
        let known: Vec<TaskRecord> = tasks.iter().chain(changes.iter().map(|(task, _)| task)).cloned().collect();
        assert_same(&loaded, &plain, &known, limit);
        assert_same(&then, &of_then, &known, limit);
    }
}

/// Tasks of a larger fleet: a kind each seven, on three machines, half of them with an end.
fn many(count: u64, every: u64) -> Vec<TaskRecord> {
    let runner = &mut proptest::test_runner::TestRunner::deterministic();
    let kinds: Vec<TaskRecord> = (0..7).map(|_| task().new_tree(runner).expect("a task").current()).collect();
    let task = |number: u64| {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
        let ended = number.is_multiple_of(2);
        TaskRecord {
            cluster: 1,
            id: EcsId(id),
            sequence: 5 + number * every,
            node: Some(EcsId([(number % 4) as u8; 16])),
            started_by: Some(format!("starter-{}", number % 1_000).into()),
            desired_status: if number.is_multiple_of(3) { DesiredStatus::Stopped } else { DesiredStatus::Running },
            last_status: if ended { TaskStatus::Stopped } else { TaskStatus::Running },
            stopped_at: ended.then(|| Timestamp::from_millis((number % 100) as i64)),
            ..kinds[number as usize % kinds.len()].clone()
        }
    };
    (0..count).map(task).collect()
}

#[test]
fn a_fleet_in_chunks_from_both_ends_is_loaded_in_order() {
    for every in [1, 50] {
        let tasks = many(10_000, every);
        let (low, high) = tasks.split_at(4_000);
        let (mut low, mut high) = (low.chunks(256), high.rchunks(256));
        let mut arriving = Vec::new();
        loop {
            let (up, down) = (low.next().unwrap_or_default(), high.next().unwrap_or_default());
            if up.is_empty() && down.is_empty() {
                break;
            }
            arriving.extend(up.iter().cloned());
            arriving.extend(down.iter().rev().cloned());
        }
        let [mut loaded, mut plain] = both(&arriving);
        let some: Vec<TaskRecord> = tasks.iter().step_by(999).cloned().collect();
        assert_same(&loaded, &plain, &some, 500);
        for task in &tasks[..7_500] {
            let record = Record::from(task.clone());
            [&mut loaded, &mut plain].into_iter().for_each(|state| record.remove(state));
        }
        assert_same(&loaded, &plain, &some, 500);
        assert_eq!(loaded.clusters[&1].tasks.len(), 2_500);
    }
}

#[test]
fn of_two_records_with_one_key_the_later_counts() {
    let [first, second] = [many(5, 1), many(5, 1)];
    let changed = |task: &TaskRecord| TaskRecord { family: Arc::from("later"), node: None, ..task.clone() };
    let tasks: Vec<TaskRecord> = first.into_iter().chain(second.iter().map(changed)).collect();
    let [loaded, plain] = both(&tasks);
    assert_same(&loaded, &plain, &tasks, 2);
}
