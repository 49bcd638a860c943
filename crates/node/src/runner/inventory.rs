//! The containers of this node on its engine: found at the start, and watched from then on.
//!
//! The engine's list is read once at the start, after each gap in its events and now and then; in between, events say
//! which container to look at. Containers of tasks that the server has not sent (yet) wait here as unclaimed; they are
//! stopped only after the server has confirmed that it does not want them, or as orphans ([`super::orphans`]).

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::assign::stop_found;
use super::lock::lock;
use super::orphans;
use super::shared::Shared;
use super::task_loop::Input;
use crate::engine::{EngineEvent, Observed};
use crate::ownership::{PROBE_LABEL, TASK_ARN_LABEL};

/// How long a task waits for the first list before it goes on without.
const FIRST_LIST_WAIT: Duration = Duration::from_secs(15);
/// Pauses between failed lists.
const LIST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_LIST_PAUSE: Duration = Duration::from_secs(5);

/// What is known of the engine's containers.
pub(crate) struct Inventory {
    listed: watch::Sender<bool>,
    unclaimed: Mutex<BTreeMap<String, Vec<Observed>>>,
}

impl Default for Inventory {
    fn default() -> Self {
        Self { listed: watch::Sender::new(false), unclaimed: Mutex::default() }
    }
}

impl Inventory {
    /// Waits until the engine has been listed once, at most for `limit`; whether it has.
    pub(crate) async fn listed(&self, limit: Duration) -> bool {
        let mut listed = self.listed.subscribe();
        matches!(timeout(limit, listed.wait_for(|listed| *listed)).await, Ok(Ok(_)))
    }

    /// Waits until the engine has been listed once, however long it takes.
    pub(crate) async fn listed_at_last(&self) {
        // The sender lives as long as `self`.
        let _ = self.listed.subscribe().wait_for(|listed| *listed).await;
    }

    /// Waits as long as a task waits.
    pub(crate) async fn listed_for_a_task(&self) -> bool {
        self.listed(FIRST_LIST_WAIT).await
    }

    /// Takes what is there of a task.
    pub(crate) fn claim(&self, task_arn: &str) -> Vec<Observed> {
        lock(&self.unclaimed).remove(task_arn).unwrap_or_default()
    }

    /// Whether something is there of a task that nobody has claimed.
    pub(crate) fn is_unclaimed(&self, task_arn: &str) -> bool {
        lock(&self.unclaimed).contains_key(task_arn)
    }

    /// What is there of a task that nobody has claimed.
    pub(crate) fn unclaimed_of(&self, task_arn: &str) -> Vec<Observed> {
        lock(&self.unclaimed).get(task_arn).cloned().unwrap_or_default()
    }

    /// Tasks of which something is there that nobody has claimed.
    pub(crate) fn unclaimed(&self) -> Vec<String> {
        lock(&self.unclaimed).keys().cloned().collect()
    }
}

/// Lists and watches until the node is gone.
pub(crate) async fn watch_engine(shared: Arc<Shared>) {
    let mut events = shared.calls.events();
    loop {
        take_stock(&shared).await;
        let next = Instant::now() + shared.config.resync_interval;
        loop {
            let event = tokio::select! {
                event = events.recv() => event,
                () = sleep_until(next) => break,
            };
            match event {
                Some(EngineEvent::Container { name, .. }) => changed(&shared, name),
                Some(EngineEvent::Resync) => break,
                None => {
                    sleep(LONGEST_LIST_PAUSE).await;
                    events = shared.calls.events();
                    break;
                }
            }
        }
    }
}

/// Lists until it succeeds and tells each task what is there of it.
async fn take_stock(shared: &Arc<Shared>) {
    let mut pause = LIST_PAUSE;
    let containers = loop {
        match shared.calls.list().await {
            Ok(containers) => break containers,
            Err(error) => tracing::debug!(%error, "the engine's containers cannot be listed"),
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_LIST_PAUSE);
    };
    let first = !*shared.inventory.listed.borrow();
    let Sorted { leftovers, ended_orphans } = distribute(shared, containers, first);
    shared.inventory.listed.send_replace(true);
    for task in ended_orphans {
        stop_found(shared, &task);
    }
    for runtime_id in leftovers {
        if let Err(error) = shared.calls.remove(&runtime_id).await {
            tracing::warn!(runtime_id, %error, "a leftover container cannot be removed");
        }
    }
}

/// What a list shows that somebody has to see to.
struct Sorted {
    /// Ids of containers that belong to no task any more and are to be removed.
    leftovers: Vec<String>,
    /// Orphans of which nothing runs any more.
    ended_orphans: Vec<String>,
}

/// Sorts what is there by task.
fn distribute(shared: &Shared, containers: Vec<Observed>, first: bool) -> Sorted {
    let tasks = lock(&shared.tasks);
    let mut unclaimed: BTreeMap<String, Vec<Observed>> = BTreeMap::new();
    let mut leftovers = Vec::new();
    let mut seen = HashSet::new();
    for observed in containers {
        seen.insert(observed.name.clone());
        let Some(arn) = observed.labels.get(TASK_ARN_LABEL).cloned() else {
            // A probe removes its own container, unless the node died meanwhile.
            if first && observed.labels.contains_key(PROBE_LABEL) {
                leftovers.push(observed.runtime_id);
            }
            continue;
        };
        if let Some(task) = tasks.known.get(&arn) {
            let _ = task.inbox.send(Input::Seen(Box::new(observed)));
        } else if tasks.ended.contains_key(&arn) {
            leftovers.push(observed.runtime_id);
        } else {
            unclaimed.entry(arn).or_default().push(observed);
        }
    }
    // What a task believes to have and the list does not show, it has to look for itself.
    for task in tasks.known.values() {
        for container in task.containers.iter().filter(|container| !seen.contains(&container.engine_name)) {
            let _ = task.inbox.send(Input::Changed(container.engine_name.clone()));
        }
    }
    let ended_orphans = orphans::sweep(&shared.orphans, &tasks, &unclaimed);
    *lock(&shared.inventory.unclaimed) = unclaimed;
    Sorted { leftovers, ended_orphans }
}

/// Tells the task to which the container belongs.
fn changed(shared: &Shared, name: String) {
    let tasks = lock(&shared.tasks);
    if let Some(task) = tasks.by_container.get(&name).and_then(|arn| tasks.known.get(arn)) {
        let _ = task.inbox.send(Input::Changed(name));
    }
}
