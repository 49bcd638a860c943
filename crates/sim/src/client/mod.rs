//! The callers: what they ask for, and what they tell the judge of the answers.
//!
//! Each makes one call after another, or two at once, thinks for a while in between, and lives on when the server dies.
//! One file an operation.

mod create_cluster;
mod describe_tasks;
mod list_tasks;
mod register_task_definition;
mod run_task;
mod stop_task;

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::random::Random;
use crate::world::{Called, World};

/// How many callers there are.
const CLIENTS: usize = 4;

/// A caller.
struct Client {
    world: Arc<World>,
    random: Random,
    name: String,
    number: usize,
    /// Names that it has given so far.
    named: u64,
}

/// Starts the callers; each ends when no call is left to be made.
pub(crate) fn start(world: &Arc<World>, random: &mut Random) -> Vec<JoinHandle<()>> {
    let client = |number| Client {
        world: Arc::clone(world),
        random: random.fork(),
        name: format!("client {number}"),
        number,
        named: 0,
    };
    let clients: Vec<Client> = (0..CLIENTS).map(client).collect();
    clients.into_iter().map(|client| tokio::spawn(client.run())).collect()
}

impl Client {
    async fn run(mut self) {
        if self.number == 0 {
            self.register_first().await;
        }
        while self.world.judge().definitions.highest("web") == 0 || self.world.judge().definitions.highest("far") == 0 {
            sleep(Duration::from_millis(10)).await;
        }
        while self.world.take_call() {
            let think = if self.random.per_mille(30) { 400_000 } else { 12_000 };
            sleep(Duration::from_micros(self.random.between(50, think))).await;
            self.act().await;
        }
    }

    async fn act(&mut self) {
        match self.random.below(100) {
            0..=25 => self.run_task().await,
            26..=31 => self.repeat_run_task().await,
            32..=51 => self.stop_task().await,
            52..=63 => self.list_tasks().await,
            64..=74 => self.describe_tasks().await,
            75..=83 => self.traverse().await,
            84..=87 => self.register_some().await,
            // Each of these names has one caller who makes and deletes its cluster.
            _ if self.number < self.world.volatile.len() => self.make_or_delete_cluster().await,
            _ => self.run_in_volatile().await,
        }
    }

    async fn call(&self, operation: &str, body: &Value) -> Called {
        self.world.call(&self.name, operation, body).await
    }

    /// A new name.
    fn name(&mut self, what: &str) -> String {
        self.named += 1;
        format!("{what}-{}-{}", self.number, self.named)
    }

    /// A cluster that is never deleted.
    fn stable_cluster(&mut self) -> &'static str {
        let stable = self.world.stable;
        self.random.pick(&stable).copied().unwrap_or("default")
    }

    /// Up to `most` of the known tasks of a cluster.
    fn some_tasks(&mut self, cluster: &str, most: usize) -> Vec<String> {
        let epoch = self.world.judge().clusters.epoch(cluster);
        let mut known = self.world.judge().tasks.present_in(cluster, epoch);
        let mut some = Vec::new();
        while some.len() < most && !known.is_empty() {
            some.push(known.swap_remove(self.random.index(known.len())));
        }
        some
    }
}
