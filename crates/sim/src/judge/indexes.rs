//! Whether the indexes of a state are what its records say: computed anew from the records, the plain way.

use std::collections::{BTreeMap, BTreeSet};

use longshore_domain::EcsId;
use longshore_domain::resources::Ledger;
use longshore_domain::task::{DesiredStatus, LaunchType, TaskKey, TaskRecord, TaskStatus};
use longshore_store::index::Work;
use longshore_store::{ClusterState, Dimension, State, TaskFilter};

/// Checks everything derived in a state.
pub(super) fn check(state: &State) -> Result<(), String> {
    let mut stopped = BTreeSet::new();
    let mut tokens = BTreeSet::new();
    let mut nodes: BTreeMap<EcsId, (Ledger, BTreeSet<TaskKey>)> = BTreeMap::new();
    for cluster in state.all_clusters() {
        let tasks: Vec<TaskRecord> = cluster.tasks.iter().collect();
        check_cluster(cluster, &tasks).map_err(|what| format!("{}: {what}", cluster.record.name))?;
        for task in &tasks {
            let key = task.key();
            if state.task(key).as_ref() != Some(task) {
                return Err(format!("{key:?} is not found by its key"));
            }
            if task.last_status == TaskStatus::Stopped {
                stopped.insert((task.stopped_at, key));
            } else if let Some(node) = task.node {
                let (ledger, on) = nodes.entry(node).or_default();
                ledger.take(&task.resources);
                on.insert(key);
            }
        }
        tokens
            .extend(cluster.client_tokens.values().map(|token| (token.created_at, token.cluster, token.token.clone())));
    }
    let held: BTreeSet<_> = state.stopped().map(|(at, key)| (Some(*at), *key)).collect();
    same("the stopped tasks", &held, &stopped)?;
    same("the client tokens", &state.client_tokens().cloned().collect(), &tokens)?;
    for node in state.nodes() {
        let (ledger, on) = nodes.remove(&node.record.id).unwrap_or_default();
        same("what is taken of a machine", &node.ledger, &ledger)?;
        same("the tasks on a machine", &state.tasks_on(node.record.id).collect(), &on)?;
    }
    Ok(())
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, held: &T, derived: &T) -> Result<(), String> {
    if held == derived { Ok(()) } else { Err(format!("{what}: the index has {held:?}, the records say {derived:?}")) }
}

fn check_cluster(cluster: &ClusterState, tasks: &[TaskRecord]) -> Result<(), String> {
    let table = &cluster.tasks;
    if !tasks.is_sorted_by(|one, next| one.sequence < next.sequence) {
        return Err("the tasks are not in creation order".into());
    }
    if tasks.last().is_some_and(|last| last.sequence >= cluster.record.next_sequence) {
        return Err("the cluster would give a sequence number again".into());
    }
    same("the number of tasks", &table.len(), &tasks.len())?;
    let alive = |task: &&TaskRecord| task.last_status != TaskStatus::Stopped;
    same("the tasks that are not STOPPED", &table.unstopped(), &tasks.iter().filter(alive).count())?;
    for launch_type in LaunchType::ALL {
        let of = |wanted: &dyn Fn(TaskStatus) -> bool| {
            tasks.iter().filter(|task| task.launch_type == launch_type && wanted(task.last_status)).count()
        };
        let running = of(&|status| status == TaskStatus::Running);
        let pending = of(&|status| status < TaskStatus::Running);
        let counts = table.counts(launch_type);
        same("the counts of a launch type", &(counts.running, counts.pending), &(running, pending))?;
    }
    let mut sets: BTreeMap<(DesiredStatus, String), (Dimension, Vec<EcsId>)> = BTreeMap::new();
    for task in tasks {
        for dimension in dimensions(task) {
            for desired in [DesiredStatus::Running, DesiredStatus::Stopped] {
                let set = sets.entry((desired, format!("{dimension:?}")));
                let (_, ids) = set.or_insert_with(|| (dimension.clone(), Vec::new()));
                if task.desired_status == desired {
                    ids.push(task.id);
                }
            }
        }
    }
    for ((desired_status, name), (dimension, ids)) in sets {
        let filter = TaskFilter { desired_status, dimensions: vec![dimension.clone()] };
        let page = table.page(&filter, None, usize::MAX >> 8, &mut Work::default());
        same(&format!("{} {name}", desired_status.as_str()), &page.ids, &ids)?;
        same(&format!("the count of {name}"), &table.count(desired_status, dimension), &ids.len())?;
    }
    Ok(())
}

/// What a task is listed by.
fn dimensions(task: &TaskRecord) -> Vec<Dimension> {
    let mut all = vec![Dimension::All, Dimension::Family(task.family.clone()), Dimension::LaunchType(task.launch_type)];
    all.extend(task.started_by.clone().map(Dimension::StartedBy));
    all.extend(task.container_instance.map(Dimension::ContainerInstance));
    all
}
