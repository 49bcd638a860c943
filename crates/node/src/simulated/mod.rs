//! The engine `simulated`: no containers, but real life cycles.
//!
//! For tests of many thousands of tasks, and for the tests of those who use Longshore. Containers start, run, end,
//! fail and hold ports as labels or environment tell them (`docs/simulated-engine.md`); nothing is executed. All of it
//! is in memory: with the process the containers are gone. Limits, mounts and users are accepted and have no effect,
//! since there is no process they could apply to.

mod behaviour;
mod container;
mod ports;
mod timers;
mod world;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use longshore_ecs_wire::Timestamp;
use sha2::{Digest, Sha256};
use tokio::sync::Notify;
use tokio::sync::mpsc::Receiver;
use tokio::time::{Instant, sleep, sleep_until};

use self::timers::Timers;
use self::world::{SIGKILL_EXIT, World, resolve};
use crate::engine::{
    BoxFuture, ContainerPhase, ContainerSpec, Engine, EngineError, EngineEvent, Image, Observed, OnProgress,
    PullProgress,
};
use crate::event_sender::EventSender;
use crate::minimal_image::hex;
use crate::reference::with_tag;

/// A registry that refuses every pull.
const FAILING_REGISTRY: &str = "pull-fails.invalid";
/// A registry that never answers.
const HANGING_REGISTRY: &str = "pull-hangs.invalid";
/// A registry that takes its time: `pull-takes-1500ms.invalid`.
const SLOW_REGISTRY: (&str, &str) = ("pull-takes-", "ms.invalid");
/// Size of every simulated image, for progress.
const IMAGE_BYTES: u64 = 1 << 20;

/// Containers that exist in memory only.
#[derive(Debug)]
pub struct SimulatedEngine {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    world: Mutex<World>,
    timers: Mutex<Timers>,
    /// Told when an earlier end is planned.
    planned: Notify,
    /// Told when a container ends.
    ended: Notify,
    /// Wall clock at `begun`: time in here passes with tokio's, so that it agrees with the timers.
    wall_millis: i64,
    begun: Instant,
}

impl Default for SimulatedEngine {
    fn default() -> Self {
        Self::new()
    }
}

impl SimulatedEngine {
    /// An empty machine.
    pub fn new() -> Self {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            shared: Arc::new(Shared {
                world: Mutex::default(),
                timers: Mutex::default(),
                planned: Notify::new(),
                ended: Notify::new(),
                wall_millis: millis(wall),
                begun: Instant::now(),
            }),
        }
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.shared.world()
    }

    async fn pull_image(&self, reference: &str, progress: OnProgress<'_>) -> Result<Image, EngineError> {
        let registry = reference.split_once('/').map_or("", |(registry, _)| registry);
        match registry {
            FAILING_REGISTRY => return Err(EngineError::Refused(format!("simulated failure to pull {reference}"))),
            HANGING_REGISTRY => std::future::pending().await,
            _ => {}
        }
        progress(PullProgress { current: 0, total: IMAGE_BYTES });
        if let Some(delay) = slowness(registry) {
            sleep(delay).await;
        }
        progress(PullProgress { current: IMAGE_BYTES, total: IMAGE_BYTES });
        let tagged = with_tag(reference);
        let digest = format!("sha256:{}", hex(&Sha256::digest(tagged.as_bytes())));
        let image = Image { id: digest.clone(), repository_digest: Some(digest) };
        self.world().add_image(tagged, image.clone());
        Ok(image)
    }

    async fn start_container(&self, runtime_id: &str) -> Result<(), EngineError> {
        let id = resolve(runtime_id);
        let (phase, behaviour) = {
            let world = self.world();
            let container = world.container(&id)?;
            (container.phase, container.behaviour)
        };
        if phase == ContainerPhase::Running {
            return Ok(());
        }
        if !behaviour.start_delay.is_zero() {
            sleep(behaviour.start_delay).await;
        }
        let run = self.world().start(&id, self.shared.now())?;
        if let (Some(run), Some(time)) = (run, behaviour.run) {
            self.plan(Instant::now() + time, id, run);
        }
        Ok(())
    }

    async fn stop_container(&self, runtime_id: &str, timeout_seconds: u32) -> Result<(), EngineError> {
        let id = resolve(runtime_id);
        let (phase, run, behaviour) = {
            let world = self.world();
            let container = world.container(&id)?;
            (container.phase, container.run, container.behaviour)
        };
        if phase != ContainerPhase::Running {
            return Ok(());
        }
        let patience = Duration::from_secs(timeout_seconds.into());
        let (wait, exit_code) = match behaviour.stop_delay {
            Some(delay) if delay <= patience => (delay, behaviour.stop_exit_code),
            _ => (patience, SIGKILL_EXIT),
        };
        if !wait.is_zero() {
            tokio::select! {
                () = sleep(wait) => {}
                () = self.run_ends(&id, run) => {}
            }
        }
        self.shared.end(&id, run, Some(exit_code));
        Ok(())
    }

    /// Returns when that run of the container is over.
    async fn run_ends(&self, id: &container::Id, run: u64) {
        loop {
            let mut ended = std::pin::pin!(self.shared.ended.notified());
            ended.as_mut().enable();
            if !self.world().runs(id, run) {
                return;
            }
            ended.await;
        }
    }

    /// Plans the end of a run, and sees to it that somebody waits for it.
    fn plan(&self, at: Instant, id: container::Id, run: u64) {
        let mut timers = self.shared.timers();
        let earliest = timers.plan(at, id, run);
        if !timers.served {
            timers.served = true;
            tokio::spawn(serve(Arc::clone(&self.shared)));
        } else if earliest {
            self.shared.planned.notify_one();
        }
    }
}

/// Ends containers when they are due, until none is planned.
async fn serve(shared: Arc<Shared>) {
    loop {
        let due = shared.timers().pop(Instant::now());
        if let Some((id, run)) = due {
            shared.end(&id, run, None);
            continue;
        }
        let next = {
            let mut timers = shared.timers();
            let next = timers.next();
            timers.served = next.is_some();
            next
        };
        let Some(next) = next else { return };
        tokio::select! {
            () = sleep_until(next) => {}
            () = shared.planned.notified() => {}
        }
    }
}

impl Shared {
    // A lock is only poisoned by a panic in between, and nothing in between can panic.
    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn timers(&self) -> MutexGuard<'_, Timers> {
        self.timers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.wall_millis.saturating_add(millis(self.begun.elapsed())))
    }

    fn end(&self, id: &container::Id, run: u64, exit_code: Option<i32>) {
        self.world().end(id, run, exit_code, self.now());
        self.ended.notify_waiters();
    }
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// How long a registry that takes its time takes.
fn slowness(registry: &str) -> Option<Duration> {
    let digits = registry.strip_prefix(SLOW_REGISTRY.0)?.strip_suffix(SLOW_REGISTRY.1)?;
    digits.parse().ok().map(Duration::from_millis)
}

/// A future that is ready.
fn ready<'a, T: Send + 'a>(value: T) -> BoxFuture<'a, T> {
    Box::pin(std::future::ready(value))
}

impl Engine for SimulatedEngine {
    fn name(&self) -> &'static str {
        "simulated"
    }

    fn ping(&self) -> BoxFuture<'_, Result<String, EngineError>> {
        ready(Ok(env!("CARGO_PKG_VERSION").into()))
    }

    fn image<'a>(&'a self, reference: &'a str) -> BoxFuture<'a, Result<Option<Image>, EngineError>> {
        ready(Ok(self.world().image(&with_tag(reference))))
    }

    fn pull<'a>(&'a self, reference: &'a str, progress: OnProgress<'a>) -> BoxFuture<'a, Result<Image, EngineError>> {
        Box::pin(self.pull_image(reference, progress))
    }

    fn import_image<'a>(
        &'a self,
        reference: &'a str,
        rootfs_tar: Vec<u8>,
        _entry_point: &'a [String],
    ) -> BoxFuture<'a, Result<Image, EngineError>> {
        let id = format!("sha256:{}", hex(&Sha256::digest(&rootfs_tar)));
        let image = Image { id, repository_digest: None };
        self.world().add_image(with_tag(reference), image.clone());
        ready(Ok(image))
    }

    fn remove_image<'a>(&'a self, reference: &'a str) -> BoxFuture<'a, Result<(), EngineError>> {
        self.world().remove_image(&with_tag(reference));
        ready(Ok(()))
    }

    fn ensure_network<'a>(
        &'a self,
        name: &'a str,
        _labels: &'a BTreeMap<String, String>,
    ) -> BoxFuture<'a, Result<(), EngineError>> {
        self.world().add_network(name);
        ready(Ok(()))
    }

    fn remove_network<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), EngineError>> {
        ready(self.world().remove_network(name))
    }

    fn create<'a>(&'a self, spec: &'a ContainerSpec) -> BoxFuture<'a, Result<String, EngineError>> {
        ready(self.world().create(spec, &with_tag(&spec.image)).map(|id| hex(&id)))
    }

    fn start<'a>(&'a self, runtime_id: &'a str) -> BoxFuture<'a, Result<(), EngineError>> {
        Box::pin(self.start_container(runtime_id))
    }

    fn stop<'a>(&'a self, runtime_id: &'a str, timeout_seconds: u32) -> BoxFuture<'a, Result<(), EngineError>> {
        Box::pin(self.stop_container(runtime_id, timeout_seconds))
    }

    fn remove<'a>(&'a self, runtime_id: &'a str) -> BoxFuture<'a, Result<(), EngineError>> {
        self.world().remove(&resolve(runtime_id));
        self.shared.ended.notify_waiters();
        ready(Ok(()))
    }

    fn inspect<'a>(&'a self, id_or_name: &'a str) -> BoxFuture<'a, Result<Observed, EngineError>> {
        ready(self.world().inspect(&resolve(id_or_name)))
    }

    fn list<'a>(&'a self, key: &'a str, value: &'a str) -> BoxFuture<'a, Result<Vec<Observed>, EngineError>> {
        ready(Ok(self.world().list(key, value)))
    }

    fn events(&self, key: &str, value: &str) -> Receiver<EngineEvent> {
        let (sender, receiver) = EventSender::new();
        self.world().read(key, value, sender);
        receiver
    }

    fn probe<'a>(
        &'a self,
        reference: &'a str,
        labels: &'a BTreeMap<String, String>,
    ) -> BoxFuture<'a, Result<(), EngineError>> {
        Box::pin(crate::probe::run(self, reference, labels))
    }
}
