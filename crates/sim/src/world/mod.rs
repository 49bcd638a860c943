//! A world that follows from one seed: the real server on a modelled disk, its callers, its node, and what goes wrong.
//!
//! Everything runs on one thread under virtual time: store, API dispatch, reaper and gateway session are the product's
//! own; the writer goes step by step when the world says so. Callers and the node outlive the server, as they do in
//! life. Whatever is chosen is chosen by the seed, so the log of a seed is the same byte for byte each time.

mod boot;
mod call;
mod clock;
mod faults;
mod log;
mod machine;
mod node;
mod node_reports;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use longshore_api::{Api, Caller};
use longshore_domain::Scope;
use longshore_ecs_wire::agent::Frame;
use tokio::sync::mpsc;

use crate::client;
use crate::judge::Judge;
use crate::random::Random;
pub(crate) use call::{Called, Reply};
use clock::{SimClock, SimSeeds};
use log::Log;
use machine::Machine;

/// What a run is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// The seed; everything follows from it.
    pub seed: u64,
    /// How many calls the callers make together. 100 make more than 500 events.
    pub calls: u64,
}

impl Options {
    /// The usual run of a seed.
    pub fn of(seed: u64) -> Self {
        Self { seed, calls: 130 }
    }
}

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Every event, a line each.
    pub log: String,
    /// How many there were.
    pub events: u64,
    /// How often the server came to its end, in any way.
    pub crashes: u64,
    /// What was wrong, the first thing first; nothing if the run is good.
    pub violations: Vec<String>,
}

/// Runs a seed on a runtime of one thread with paused time that nothing else uses.
pub fn run(runtime: &tokio::runtime::Runtime, options: Options) -> Outcome {
    runtime.block_on(async {
        let mut random = Random::new(options.seed);
        let world = Arc::new(World::new(&mut random, options));
        let clients = client::start(&world, &mut random);
        let node = tokio::spawn(node::run(Arc::clone(&world), random.fork()));
        let mut machine = Machine::new(Arc::clone(&world), random.fork());
        machine.run(&clients).await;
        for client in clients {
            client.abort();
            if let Err(error) = client.await
                && error.is_panic()
            {
                world.judge().violation(format!("a client panicked: {error}"));
            }
        }
        node.abort();
        let crashes = machine.crashes();
        drop(machine);
        let log = std::mem::take(&mut *lock(&world.log));
        let (text, events) = log.into_parts();
        let violations = world.judge().take_violations();
        Outcome { log: text, events, crashes, violations }
    })
}

/// A running server, as its callers see it.
#[derive(Clone)]
pub(crate) struct Server {
    /// The first is 1.
    pub generation: u64,
    pub api: Api,
}

/// The node's side of a session.
pub(crate) struct Link {
    pub from_server: mpsc::Receiver<Frame>,
    pub to_server: mpsc::Sender<Frame>,
}

/// What everybody in the world shares.
pub(crate) struct World {
    pub clock: Arc<SimClock>,
    pub seeds: Arc<SimSeeds>,
    pub caller: Caller,
    log: Mutex<Log>,
    judge: Mutex<Judge>,
    server: Mutex<Option<Server>>,
    link: Mutex<Option<Link>>,
    generation: AtomicU64,
    ticks: AtomicU64,
    calls_left: AtomicU64,
    /// The cluster names whose cluster is never deleted, and the others.
    pub stable: [&'static str; 3],
    pub volatile: [&'static str; 2],
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl World {
    fn new(random: &mut Random, options: Options) -> Self {
        let scope = Scope::new("000000000000", "us-east-1");
        let stable = ["default", "east", "west"];
        let mut judge = Judge::default();
        judge.history.clusters = stable.to_vec();
        Self {
            clock: Arc::new(SimClock::new()),
            seeds: Arc::new(SimSeeds::new(random.fork())),
            caller: Caller { scope, principal: "arn:aws:iam::000000000000:root".into(), user_id: "SIM".into() },
            log: Mutex::new(Log::default()),
            judge: Mutex::new(judge),
            server: Mutex::new(None),
            link: Mutex::new(None),
            generation: AtomicU64::new(0),
            ticks: AtomicU64::new(0),
            calls_left: AtomicU64::new(options.calls),
            stable,
            volatile: ["dune", "reef"],
        }
    }

    /// The judge. Nobody awaits anything while holding it.
    pub fn judge(&self) -> MutexGuard<'_, Judge> {
        lock(&self.judge)
    }

    /// Writes an event down.
    pub fn event(&self, who: &str, what: impl std::fmt::Display) {
        lock(&self.log).add(self.now(), who, what);
    }

    /// The wall clock, in milliseconds.
    pub fn now(&self) -> i64 {
        self.clock.millis()
    }

    /// The next moment of the order in which calls begin and end.
    pub fn tick(&self) -> u64 {
        self.ticks.fetch_add(1, Ordering::Relaxed)
    }

    /// Takes one of the calls that are to be made; false if none is left.
    pub fn take_call(&self) -> bool {
        self.calls_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
    }

    fn server(&self) -> Option<Server> {
        lock(&self.server).clone()
    }

    /// Whether a server of this generation is still up.
    pub fn is_up(&self, generation: u64) -> bool {
        lock(&self.server).as_ref().is_some_and(|server| server.generation == generation)
    }

    /// The session that the server offers the node, once.
    pub fn take_link(&self) -> Option<Link> {
        lock(&self.link).take()
    }
}
