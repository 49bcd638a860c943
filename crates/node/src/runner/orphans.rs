//! Tasks that run here and that the server does not know: kept for a grace, listed, then stopped.
//!
//! On each fresh manifest the node asks the server about every task that is here and not wanted. What the server does
//! not confirm to be stopped, and does not send either, it does not know. If containers of it run, it is an orphan: the
//! grace counts from the first such answer, also across restarts, but it is stopped only after this node, since its own
//! start, was told again that it is unknown. A task that the server sends is no orphan any more: it is adopted.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use longshore_ecs_wire::Timestamp;
use tokio::sync::Notify;
use tokio::time::sleep;

use super::assign::stop_found;
use super::lock::lock;
use super::shared::{Shared, Tasks};
use crate::engine::{ContainerPhase, Observed};
use crate::orphans::{Orphan, OrphanContainer, OrphanList, millis};

/// So many orphans of one answer are logged one by one.
const LOGGED: usize = 100;
/// Pause before a list that could not be written is written again.
const SAVE_PAUSE: Duration = Duration::from_secs(30);

/// The orphans of a node.
pub(crate) struct Orphans {
    data_dir: Option<PathBuf>,
    grace: Duration,
    held: Mutex<Held>,
    changed: Notify,
}

#[derive(Default)]
struct Held {
    /// Tasks that the server is asked about, by the id of the manifest.
    asked: HashMap<String, BTreeSet<String>>,
    /// By ARN.
    orphans: BTreeMap<String, Entry>,
    /// Whether the file lacks something.
    unsaved: bool,
}

struct Entry {
    orphan: Orphan,
    /// Whether the server has said so to this node since its start.
    confirmed: bool,
    /// Whether its grace is over.
    stopping: bool,
}

impl Orphans {
    /// With what an earlier node left in the data directory.
    pub(crate) fn new(data_dir: Option<PathBuf>, grace: Duration) -> Self {
        let read = data_dir.as_deref().map(OrphanList::read).transpose();
        let list = read.unwrap_or_else(|error| {
            tracing::warn!(%error, "the list of orphans is begun anew");
            None
        });
        let known = list.unwrap_or_default().orphans.into_iter();
        let known = known
            .map(|orphan| (orphan.task_arn.clone(), Entry { orphan, confirmed: false, stopping: false }))
            .collect::<BTreeMap<_, _>>();
        let held = Held { unsaved: !known.is_empty(), orphans: known, ..Held::default() };
        Self { data_dir, grace, held: Mutex::new(held), changed: Notify::new() }
    }

    /// The orphans, by ARN.
    pub(crate) fn list(&self) -> Vec<Orphan> {
        lock(&self.held).orphans.values().map(|entry| entry.orphan.clone()).collect()
    }

    /// Notes that the server is asked about these tasks.
    pub(crate) fn ask(&self, message_id: &str, tasks: impl Iterator<Item = String>) {
        lock(&self.held).asked.insert(message_id.to_owned(), tasks.collect());
    }

    /// Forgets a question; its answer is of no use any more.
    pub(crate) fn withdraw(&self, message_id: &str) {
        lock(&self.held).asked.remove(message_id);
    }

    /// Notes that the server knows the task.
    pub(crate) fn is_known(&self, arn: &str) {
        let mut held = lock(&self.held);
        for asked in held.asked.values_mut() {
            asked.remove(arn);
        }
        drop(held);
        if self.remove(arn) {
            tracing::info!(task = arn, "the server knows the task again: it is no orphan any more");
        }
    }

    /// Notes that nothing of the task runs any more. Whether it was an orphan.
    pub(crate) fn remove(&self, arn: &str) -> bool {
        let mut held = lock(&self.held);
        let removed = held.orphans.remove(arn).is_some();
        held.unsaved |= removed;
        if removed {
            self.changed.notify_one();
        }
        removed
    }

    /// Enters a task that the server does not know; true if it was not entered before.
    fn enter(&self, task_arn: &str, containers: Vec<OrphanContainer>, now: Timestamp) -> bool {
        let mut held = lock(&self.held);
        held.unsaved = true;
        self.changed.notify_one();
        if let Some(entry) = held.orphans.get_mut(task_arn) {
            entry.confirmed = true;
            entry.orphan.containers = containers;
            return false;
        }
        let orphan = Orphan { task_arn: task_arn.to_owned(), first_seen_at: now, containers };
        held.orphans.insert(task_arn.to_owned(), Entry { orphan, confirmed: true, stopping: false });
        true
    }

    /// Those whose grace is over now, and how long until that of the next one is.
    fn due(&self, now: Timestamp) -> (Vec<Orphan>, Option<Duration>) {
        let mut held = lock(&self.held);
        let (mut due, mut next) = (Vec::new(), None::<i64>);
        for entry in held.orphans.values_mut().filter(|entry| entry.confirmed && !entry.stopping) {
            let left = entry.orphan.first_seen_at.plus_millis(millis(self.grace)).millis_since(now);
            if left <= 0 {
                entry.stopping = true;
                due.push(entry.orphan.clone());
            } else {
                next = Some(next.map_or(left, |next| next.min(left)));
            }
        }
        let next = next.map(|left| Duration::from_millis(u64::try_from(left).unwrap_or(0)));
        (due, next)
    }

    /// Writes the file if it lacks something; whether it is whole now.
    async fn save(&self) -> bool {
        let Some(data_dir) = self.data_dir.clone() else { return true };
        let list = {
            let mut held = lock(&self.held);
            if !std::mem::take(&mut held.unsaved) {
                return true;
            }
            let orphans = held.orphans.values().map(|entry| entry.orphan.clone()).collect();
            OrphanList { grace: self.grace, orphans }
        };
        let written = tokio::task::spawn_blocking(move || list.write(&data_dir)).await;
        let error = match written {
            Ok(Ok(())) => return true,
            Ok(Err(error)) => error.to_string(),
            Err(error) => error.to_string(),
        };
        tracing::warn!(error, "the list of orphans was not written; a restart now would begin their grace anew");
        lock(&self.held).unsaved = true;
        false
    }
}

/// Keeps the file up to date and stops orphans whose grace is over, until the node is gone.
pub(crate) async fn watch_orphans(shared: Arc<Shared>) {
    let orphans = &shared.orphans;
    loop {
        let (due, next) = orphans.due(shared.config.clock.now());
        for orphan in due {
            tracing::warn!(
                task = orphan.task_arn,
                containers = names(&orphan.containers),
                "an orphan's grace is over: its containers are stopped, and removed as all stopped containers are"
            );
            stop_found(&shared, &orphan.task_arn);
        }
        let saved = orphans.save().await;
        let wake = next.into_iter().chain((!saved).then_some(SAVE_PAUSE)).min();
        tokio::select! {
            () = orphans.changed.notified() => {}
            () = wait(wake) => {}
        }
    }
}

/// Waits that long, and until the clock must show it; for ever without a time.
async fn wait(time: Option<Duration>) {
    match time {
        Some(time) => sleep(time + Duration::from_millis(1)).await,
        None => std::future::pending().await,
    }
}

/// Takes in the server's answer on a manifest: what was asked about, and neither confirmed nor sent, it does not know.
pub(crate) fn manifest_answered(shared: &Arc<Shared>, message_id: &str, confirmed: &BTreeSet<&str>) {
    let Some(asked) = lock(&shared.orphans.held).asked.remove(message_id) else { return };
    let unknown: Vec<String> = asked.into_iter().filter(|arn| !confirmed.contains(arn.as_str())).collect();
    let now = shared.config.clock.now();
    let (mut ended, mut entered) = (Vec::new(), 0);
    {
        let tasks = lock(&shared.tasks);
        for arn in unknown {
            let containers = match what_runs(shared, &tasks, &arn) {
                Found::Running(containers) => containers,
                Found::Ended => {
                    ended.push(arn);
                    continue;
                }
                Found::Nothing => continue,
            };
            let text = names(&containers);
            if !shared.orphans.enter(&arn, containers, now) {
                continue;
            }
            entered += 1;
            if entered <= LOGGED {
                tracing::warn!(
                    task = arn,
                    containers = text,
                    grace_seconds = shared.config.orphan_grace.as_secs(),
                    "the server does not know this task: its containers are orphans, kept for the grace"
                );
            }
        }
    }
    if entered > LOGGED {
        tracing::warn!(orphans = entered, "not all orphans are logged; `longshore orphans` lists them");
    }
    // Nothing of these runs, so nobody needs them.
    for arn in ended {
        stop_found(shared, &arn);
    }
}

/// What is here of a task that the server does not know.
enum Found {
    Running(Vec<OrphanContainer>),
    Ended,
    Nothing,
}

fn what_runs(shared: &Shared, tasks: &Tasks, arn: &str) -> Found {
    if let Some(task) = tasks.known.get(arn) {
        if task.end_is_known || task.stopping {
            return Found::Nothing;
        }
        let containers = task.containers.iter();
        return Found::Running(
            containers
                .map(|known| OrphanContainer { name: known.engine_name.clone(), image: known.image.clone() })
                .collect(),
        );
    }
    match shared.inventory.unclaimed_of(arn) {
        found if found.is_empty() => Found::Nothing,
        found if found.iter().any(runs) => Found::Running(containers_of(&found)),
        _ => Found::Ended,
    }
}

/// Takes in the engine's list, as sorted by task: an orphan of which nothing runs any more is none. The answer is those
/// of which something is left that nobody needs.
pub(crate) fn sweep(orphans: &Orphans, tasks: &Tasks, unclaimed: &BTreeMap<String, Vec<Observed>>) -> Vec<String> {
    let mut held = lock(&orphans.held);
    let before = held.orphans.len();
    let mut ended = Vec::new();
    held.orphans.retain(|arn, entry| {
        let found = unclaimed.get(arn).map(Vec::as_slice).unwrap_or_default();
        let keep = tasks.known.contains_key(arn) || found.iter().any(runs);
        if !keep && entry.confirmed && !found.is_empty() {
            ended.push(arn.clone());
        }
        keep
    });
    if held.orphans.len() < before {
        held.unsaved = true;
        orphans.changed.notify_one();
    }
    ended
}

fn runs(observed: &Observed) -> bool {
    observed.phase == ContainerPhase::Running
}

fn containers_of(found: &[Observed]) -> Vec<OrphanContainer> {
    let containers = found.iter().filter(|observed| runs(observed));
    containers.map(|one| OrphanContainer { name: one.name.clone(), image: one.image.clone() }).collect()
}

fn names(containers: &[OrphanContainer]) -> String {
    let names: Vec<&str> = containers.iter().map(|container| container.name.as_str()).collect();
    names.join(" ")
}
