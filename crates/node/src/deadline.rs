//! A deadline for every engine call.
//!
//! [`Deadlined`] is an engine around an engine: it passes each call on and gives up with
//! [`EngineError::Deadline`], naming the call, when the answer takes too long. A container engine that is wedged
//! answers some calls and hangs on others, so no call may go without. Giving up drops the inner call, which
//! closes its connection; what the engine did meanwhile is found out by looking.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Mutex;
use std::time::Duration;

use tokio::sync::mpsc::Receiver;
use tokio::time::{Instant, sleep_until, timeout};

use crate::engine::{BoxFuture, ContainerSpec, Engine, EngineError, EngineEvent, Image, Observed, OnProgress};

/// How long each call may take. The defaults are those of Amazon's agent where it has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// `ping`.
    pub ping: Duration,
    /// `image`.
    pub image: Duration,
    /// A pull's first sign of life from the registry.
    pub pull_connect: Duration,
    /// Silence in the midst of a pull.
    pub pull_inactivity: Duration,
    /// A pull in all.
    pub pull: Duration,
    /// `import_image`.
    pub import_image: Duration,
    /// `remove_image`.
    pub remove_image: Duration,
    /// `ensure_network` and `remove_network`.
    pub network: Duration,
    /// `create`.
    pub create: Duration,
    /// `start`.
    pub start: Duration,
    /// `stop`, on top of the time that the container is given.
    pub stop_margin: Duration,
    /// `remove`.
    pub remove: Duration,
    /// `inspect`.
    pub inspect: Duration,
    /// `list`.
    pub list: Duration,
    /// `probe`.
    pub probe: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            ping: seconds(10),
            image: seconds(30),
            pull_connect: seconds(14),
            pull_inactivity: seconds(60),
            pull: seconds(2 * 3600),
            import_image: seconds(120),
            remove_image: seconds(180),
            network: seconds(30),
            create: seconds(240),
            start: seconds(180),
            stop_margin: seconds(30),
            remove: seconds(120),
            inspect: seconds(30),
            list: seconds(60),
            probe: seconds(30),
        }
    }
}

/// An engine whose every call ends within its deadline.
#[derive(Debug)]
pub struct Deadlined<E> {
    inner: E,
    deadlines: Deadlines,
}

impl<E: Engine> Deadlined<E> {
    /// Puts deadlines on `inner`.
    pub fn new(inner: E, deadlines: Deadlines) -> Self {
        Self { inner, deadlines }
    }

    /// The engine without deadlines.
    pub fn inner(&self) -> &E {
        &self.inner
    }
}

/// Waits for `work`, at most for `limit`.
async fn within<T>(
    call: &'static str,
    limit: Duration,
    work: impl Future<Output = Result<T, EngineError>>,
) -> Result<T, EngineError> {
    match timeout(limit, work).await {
        Ok(answer) => answer,
        Err(_) => Err(expired(call, limit)),
    }
}

fn expired(call: &'static str, limit: Duration) -> EngineError {
    let seconds = limit.as_secs() + u64::from(limit.subsec_nanos() > 0);
    EngineError::Deadline { call, seconds }
}

/// What a pull has to meet next.
struct PullClock {
    call: &'static str,
    limit: Duration,
    at: Instant,
}

impl<E: Engine> Deadlined<E> {
    /// Each progress report proves that the registry talks, and puts the next deadline off.
    async fn pull_in_time(&self, reference: &str, progress: OnProgress<'_>) -> Result<Image, EngineError> {
        let Deadlines { pull_connect, pull_inactivity, pull, .. } = self.deadlines;
        let begun = Instant::now();
        let next = Mutex::new(PullClock { call: "pull: the registry", limit: pull_connect, at: begun + pull_connect });
        let watched = |report| {
            let at = Instant::now() + pull_inactivity;
            *lock(&next) = PullClock { call: "pull: the transfer", limit: pull_inactivity, at };
            progress(report);
        };
        let mut work = self.inner.pull(reference, &watched);
        let mut end = std::pin::pin!(sleep_until(begun + pull));
        loop {
            let due = lock(&next).at;
            tokio::select! {
                answer = &mut work => return answer,
                () = &mut end => return Err(expired("pull", pull)),
                () = sleep_until(due) => {
                    let clock = lock(&next);
                    if clock.at <= Instant::now() {
                        return Err(expired(clock.call, clock.limit));
                    }
                }
            }
        }
    }
}

/// A poisoned clock is still a clock: nothing between lock and unlock can leave it half written.
fn lock(clock: &Mutex<PullClock>) -> std::sync::MutexGuard<'_, PullClock> {
    clock.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl<E: Engine> Engine for Deadlined<E> {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn ping(&self) -> BoxFuture<'_, Result<String, EngineError>> {
        Box::pin(within("ping", self.deadlines.ping, self.inner.ping()))
    }

    fn image<'a>(&'a self, reference: &'a str) -> BoxFuture<'a, Result<Option<Image>, EngineError>> {
        Box::pin(within("image inspect", self.deadlines.image, self.inner.image(reference)))
    }

    fn pull<'a>(&'a self, reference: &'a str, progress: OnProgress<'a>) -> BoxFuture<'a, Result<Image, EngineError>> {
        Box::pin(self.pull_in_time(reference, progress))
    }

    fn import_image<'a>(
        &'a self,
        reference: &'a str,
        rootfs_tar: Vec<u8>,
        entry_point: &'a [String],
    ) -> BoxFuture<'a, Result<Image, EngineError>> {
        let work = self.inner.import_image(reference, rootfs_tar, entry_point);
        Box::pin(within("image import", self.deadlines.import_image, work))
    }

    fn remove_image<'a>(&'a self, reference: &'a str) -> BoxFuture<'a, Result<(), EngineError>> {
        Box::pin(within("image remove", self.deadlines.remove_image, self.inner.remove_image(reference)))
    }

    fn ensure_network<'a>(
        &'a self,
        name: &'a str,
        labels: &'a BTreeMap<String, String>,
    ) -> BoxFuture<'a, Result<(), EngineError>> {
        Box::pin(within("network create", self.deadlines.network, self.inner.ensure_network(name, labels)))
    }

    fn remove_network<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), EngineError>> {
        Box::pin(within("network remove", self.deadlines.network, self.inner.remove_network(name)))
    }

    fn create<'a>(&'a self, spec: &'a ContainerSpec) -> BoxFuture<'a, Result<String, EngineError>> {
        Box::pin(within("create", self.deadlines.create, self.inner.create(spec)))
    }

    fn start<'a>(&'a self, runtime_id: &'a str) -> BoxFuture<'a, Result<(), EngineError>> {
        Box::pin(within("start", self.deadlines.start, self.inner.start(runtime_id)))
    }

    fn stop<'a>(&'a self, runtime_id: &'a str, timeout_seconds: u32) -> BoxFuture<'a, Result<(), EngineError>> {
        let limit = self.deadlines.stop_margin + Duration::from_secs(timeout_seconds.into());
        Box::pin(within("stop", limit, self.inner.stop(runtime_id, timeout_seconds)))
    }

    fn remove<'a>(&'a self, runtime_id: &'a str) -> BoxFuture<'a, Result<(), EngineError>> {
        Box::pin(within("remove", self.deadlines.remove, self.inner.remove(runtime_id)))
    }

    fn inspect<'a>(&'a self, id_or_name: &'a str) -> BoxFuture<'a, Result<Observed, EngineError>> {
        Box::pin(within("inspect", self.deadlines.inspect, self.inner.inspect(id_or_name)))
    }

    fn list<'a>(&'a self, key: &'a str, value: &'a str) -> BoxFuture<'a, Result<Vec<Observed>, EngineError>> {
        Box::pin(within("list", self.deadlines.list, self.inner.list(key, value)))
    }

    fn events(&self, key: &str, value: &str) -> Receiver<EngineEvent> {
        self.inner.events(key, value)
    }

    fn probe<'a>(
        &'a self,
        reference: &'a str,
        labels: &'a BTreeMap<String, String>,
    ) -> BoxFuture<'a, Result<(), EngineError>> {
        Box::pin(within("probe", self.deadlines.probe, self.inner.probe(reference, labels)))
    }
}
