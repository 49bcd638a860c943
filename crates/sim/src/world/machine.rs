//! The machine that the server runs on: it makes the writer's steps, lets things go wrong, and starts the server again.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::boot::{self, Running};
use super::faults::{self, End};
use super::{Server, World, lock};
use crate::disk::{Crash, Disk, Faults, Mounted};
use crate::judge::audit;
use crate::random::Random;

/// A server that does not start in so many attempts without a fault never will.
const ATTEMPTS: u32 = 5;

pub(super) struct Machine {
    world: Arc<World>,
    random: Random,
    disk: Disk,
    mounted: Mounted,
    /// The real folder; SQLite's files in it are on the modelled disk.
    _folder: tempfile::TempDir,
    running: Option<Running>,
    /// Until when faults happen.
    storm: Option<Instant>,
    crashes: u64,
}

impl Machine {
    /// A machine with an empty disk.
    ///
    /// # Panics
    /// Without a folder for temporary files there is no simulation.
    pub(super) fn new(world: Arc<World>, mut random: Random) -> Self {
        let disk = Disk::new(random.fork());
        let folder = tempfile::tempdir().expect("a folder for temporary files");
        let mounted = Mounted::new(disk.clone(), folder.path()).expect("a file system for SQLite");
        Self { world, random, disk, mounted, _folder: folder, running: None, storm: None, crashes: 0 }
    }

    pub(super) fn crashes(&self) -> u64 {
        self.crashes
    }

    /// Runs the world until its callers have finished, then looks whether everything is as it should be.
    pub(super) async fn run(&mut self, clients: &[JoinHandle<()>]) {
        self.start().await;
        while clients.iter().any(|client| !client.is_finished()) && self.is_good() {
            sleep(Duration::from_micros(self.random.between(100, 4_000))).await;
            self.act().await;
        }
        self.settle().await;
        // Whatever was acknowledged or seen outlives one more loss of power.
        if self.is_good() {
            self.end(End::Crash(Crash::Power));
            self.start().await;
            self.settle().await;
        }
        self.world.judge().conclude();
        self.end(End::Stop);
    }

    fn is_good(&self) -> bool {
        self.world.judge().is_good()
    }

    /// Lets everything come to rest without faults, and looks.
    async fn settle(&mut self) {
        self.disk.set_faults(Faults::default());
        self.disk.end_never();
        self.storm = None;
        let until = Instant::now() + Duration::from_secs(20);
        while Instant::now() < until && self.is_good() {
            sleep(Duration::from_millis(10)).await;
            self.step_writer();
            self.start_if_ended().await;
        }
        self.look(true).await;
        let now = self.world.now();
        let mut judge = self.world.judge();
        let outcome = judge.tasks.kept_too_long(now);
        judge.check(outcome);
    }

    async fn act(&mut self) {
        if let Some(storm) = self.storm
            && storm <= Instant::now()
        {
            self.storm = None;
            self.disk.set_faults(Faults::default());
            self.world.event("disk", "works again");
        }
        match self.random.below(1_000) {
            0..=3 => self.look(false).await,
            4..=6 => self.jump(),
            7..=9 if self.storm.is_none() => self.begin_storm(),
            10..=11 => {
                let end = End::by(&mut self.random);
                self.end(end);
            }
            12..=14 => {
                if let Some(running) = &mut self.running {
                    running.steps.keep_house();
                }
            }
            _ => self.step_writer(),
        }
        self.start_if_ended().await;
    }

    fn jump(&mut self) {
        let ahead = Duration::from_secs(self.random.between(1, 2_400));
        self.world.clock.jump(ahead);
        self.world.event("clock", format_args!("jumps ahead by {} s", ahead.as_secs()));
    }

    fn begin_storm(&mut self) {
        let (faults, length) = faults::storm(&mut self.random);
        self.disk.set_faults(faults);
        self.storm = Some(Instant::now() + length);
        self.world.event("disk", format_args!("{faults:?}"));
    }

    fn step_writer(&mut self) {
        let Some(running) = &mut self.running else { return };
        let (may_decide, may_commit) = (running.steps.can_decide(), running.steps.can_commit());
        let commit = may_commit && (!may_decide || self.random.per_mille(550));
        if commit {
            let before = self.world.tick();
            running.steps.commit();
            if self.disk.is_alive() {
                let view = running.api.view();
                self.world.event("writer", format_args!("commits: {}", view.version()));
                self.world.judge().published(&view, before);
                let gone = std::iter::from_fn(|| running.tasks.try_next()).filter(|change| change.deleted);
                let gone: Vec<_> = gone.filter_map(|change| change.task).collect();
                let after = self.world.tick();
                self.world.judge().expired(&gone, before, after);
            }
        } else if may_decide {
            running.steps.decide();
            self.world.event("writer", "decides");
        }
    }

    /// If the process has ended in a call of the disk, it begins again.
    async fn start_if_ended(&mut self) {
        if self.running.is_some() && !self.disk.is_alive() {
            let crash = if self.random.per_mille(300) { Crash::Kill } else { Crash::Power };
            self.end(End::Crash(crash));
        }
        if self.running.is_none() {
            self.start().await;
        }
    }

    /// Ends the server, if it runs. Nobody hears of it: calls under way get no answer.
    fn end(&mut self, end: End) {
        *lock(&self.world.server) = None;
        *lock(&self.world.link) = None;
        if end != End::Stop {
            self.disk.end();
        }
        if let Some(running) = self.running.take() {
            self.crashes += 1;
            self.world.event("machine", format_args!("{end:?} after {} changes of the disk", self.disk.changes()));
            drop(running);
        }
        self.disk.crash(if let End::Crash(crash) = end { crash } else { Crash::Kill });
    }

    /// Starts the server after a while, however often that takes.
    async fn start(&mut self) {
        let mut without_fault = 0;
        while self.running.is_none() && self.is_good() {
            sleep(Duration::from_millis(self.random.between(5, 500))).await;
            // The loader reads on several threads, so read faults would not be the same each time.
            let stormy = self.random.per_mille(100) && without_fault == 0;
            self.disk.set_faults(if stormy {
                Faults { write: 50, sync: 50, ..Faults::default() }
            } else {
                Faults::default()
            });
            self.storm = None;
            let doomed = self.random.per_mille(100) && without_fault == 0;
            if doomed {
                self.disk.end_after(self.random.between(1, 30));
            }
            let began = self.world.tick();
            match boot::boot(&self.world, &self.disk, &self.mounted).await {
                Ok(running) => self.open(running, began).await,
                Err(why) => {
                    self.world.event("machine", format_args!("the server does not start: {why}"));
                    without_fault += u32::from(!stormy && self.disk.is_alive());
                    if without_fault >= ATTEMPTS {
                        self.world.judge().violation(format!("the server does not start any more: {why}"));
                    }
                    self.disk.end();
                    self.disk.crash(Crash::Kill);
                }
            }
        }
    }

    /// Opens a started server to its callers, once it was looked at.
    async fn open(&mut self, running: Running, began: u64) {
        self.disk.set_faults(Faults::default());
        let generation = self.world.generation.fetch_add(1, Ordering::Relaxed) + 1;
        let server = Server { generation, api: running.api.clone() };
        let version = running.api.view().version();
        self.world.event("machine", format_args!("server {generation} begins at {version}"));
        self.running = Some(running);
        self.world.judge().begun(&server.api.view(), began, self.world.tick());
        *lock(&self.world.server) = Some(server);
        self.look(true).await;
        faults::plan_end(&self.disk, &mut self.random);
    }

    /// Has the judge look at everything that can be seen.
    async fn look(&mut self, thoroughly: bool) {
        let server = lock(&self.world.server).clone();
        if let Some(server) = server {
            let page_size = self.random.between(1, 100);
            audit::look(&self.world, &server, page_size, thoroughly).await;
        }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // Before the disk and the folder go.
        self.running = None;
    }
}
