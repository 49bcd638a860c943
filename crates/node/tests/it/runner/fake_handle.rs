//! One node's way to the [`FakeEngine`]. It can be cut between any two calls: then the node gets no answer any more,
//! as if it had been killed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use longshore_node::engine::{
    BoxFuture, ContainerPhase, ContainerSpec, Engine, EngineError, EngineEvent, Image, Observed, OnProgress,
    PullProgress,
};
use tokio::sync::{Notify, mpsc};
use tokio::time::sleep;

use super::fake_engine::{FakeEngine, Fate, missing};

/// Where to cut.
#[derive(Debug, Clone, Copy)]
pub struct Cut {
    /// At which call, counted from 0.
    pub at: usize,
    /// Whether the engine still does it.
    pub done: bool,
}

/// Shared between the test and the node's engine.
#[derive(Default)]
pub struct Line {
    pub calls: AtomicUsize,
    is_cut: AtomicBool,
    pub cut: Notify,
}

impl Line {
    pub fn is_cut(&self) -> bool {
        self.is_cut.load(Ordering::SeqCst)
    }

    fn cut_now(&self) {
        self.is_cut.store(true, Ordering::SeqCst);
        self.cut.notify_one();
    }
}

pub struct Handle {
    engine: FakeEngine,
    cut: Option<Cut>,
    line: Arc<Line>,
}

impl Handle {
    pub fn new(engine: &FakeEngine, cut: Option<Cut>) -> (Self, Arc<Line>) {
        let line = Arc::new(Line::default());
        (Self { engine: engine.clone(), cut, line: Arc::clone(&line) }, line)
    }

    /// Does `work` as a call of this name, unless it is to fail.
    async fn call<T>(
        &self,
        call: String,
        work: impl AsyncFnOnce() -> Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        let number = self.line.calls.fetch_add(1, Ordering::SeqCst);
        let cut = self.cut.filter(|cut| cut.at == number);
        if self.line.is_cut() || cut.is_some_and(|cut| !cut.done) {
            self.line.cut_now();
            std::future::pending::<()>().await;
        }
        let starts = call.starts_with("create") || call.starts_with("start");
        let fate = {
            let mut machine = self.engine.lock();
            machine.starting.0 += usize::from(starts);
            machine.starting.1 = machine.starting.1.max(machine.starting.0);
            let found = machine.fates.iter().position(|(prefix, _)| call.starts_with(prefix));
            machine.calls.push(call);
            let fate = found.and_then(|position| machine.fates.remove(position)).map(|(_, fate)| fate);
            let gone = || Fate::Fails(EngineError::Unreachable("the socket is not there".into()));
            fate.or_else(|| machine.unreachable.then(gone))
        };
        sleep(Duration::from_millis(1)).await; // paused: every call takes a while
        self.engine.lock().starting.0 -= usize::from(starts);
        if self.line.is_cut() {
            std::future::pending::<()>().await;
        }
        let answer = match fate {
            None => work().await,
            Some(Fate::Fails(error)) => Err(error),
            Some(Fate::DoneButFails(error)) => work().await.and(Err(error)),
            Some(Fate::Hangs) => std::future::pending().await,
        };
        if cut.is_some() {
            self.line.cut_now();
            std::future::pending::<()>().await;
        }
        answer
    }
}

impl Engine for Handle {
    fn name(&self) -> &'static str {
        "fake"
    }

    fn ping(&self) -> BoxFuture<'_, Result<String, EngineError>> {
        Box::pin(self.call("ping".into(), async || Ok("1".to_owned())))
    }

    fn image<'a>(&'a self, reference: &'a str) -> BoxFuture<'a, Result<Option<Image>, EngineError>> {
        let work = async || Ok(self.engine.lock().local_images.get(reference).cloned());
        Box::pin(self.call(format!("image {reference}"), work))
    }

    fn pull<'a>(&'a self, reference: &'a str, progress: OnProgress<'a>) -> BoxFuture<'a, Result<Image, EngineError>> {
        let work = async move || {
            let (time, found) = {
                let machine = self.engine.lock();
                (machine.pull_time, machine.registry.get(reference).cloned())
            };
            let image = found.ok_or_else(|| {
                EngineError::NotFound(format!("failed to resolve reference \"{reference}\": not found"))
            })?;
            progress(PullProgress { current: 0, total: 100 });
            sleep(time / 2).await; // paused: half a pull
            progress(PullProgress { current: 50, total: 100 });
            sleep(time / 2).await; // paused: the other half
            self.engine.lock().local_images.insert(reference.to_owned(), image.clone());
            Ok(image)
        };
        Box::pin(self.call(format!("pull {reference}"), work))
    }

    fn import_image<'a>(
        &'a self,
        reference: &'a str,
        _: Vec<u8>,
        _: &'a [String],
    ) -> BoxFuture<'a, Result<Image, EngineError>> {
        Box::pin(self.call(format!("import {reference}"), async || Ok(super::fake_engine::image("imported", false))))
    }

    fn remove_image<'a>(&'a self, reference: &'a str) -> BoxFuture<'a, Result<(), EngineError>> {
        Box::pin(self.call(format!("remove-image {reference}"), async || Ok(())))
    }

    fn ensure_network<'a>(
        &'a self,
        name: &'a str,
        labels: &'a BTreeMap<String, String>,
    ) -> BoxFuture<'a, Result<(), EngineError>> {
        let work = async move || {
            assert!(labels.contains_key("longshore.node"), "networks are labelled");
            let mut machine = self.engine.lock();
            if !machine.networks.iter().any(|network| network == name) {
                machine.networks.push(name.to_owned());
            }
            Ok(())
        };
        Box::pin(self.call(format!("network {name}"), work))
    }

    fn remove_network<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<(), EngineError>> {
        let work = async move || {
            self.engine.lock().networks.retain(|network| network != name);
            Ok(())
        };
        Box::pin(self.call(format!("remove-network {name}"), work))
    }

    fn create<'a>(&'a self, spec: &'a ContainerSpec) -> BoxFuture<'a, Result<String, EngineError>> {
        let name = spec.labels.get("com.amazonaws.ecs.container-name").unwrap_or(&spec.name);
        Box::pin(self.call(format!("create {name}"), async move || self.engine.lock().create(spec)))
    }

    fn start<'a>(&'a self, runtime_id: &'a str) -> BoxFuture<'a, Result<(), EngineError>> {
        Box::pin(self.call(format!("start {runtime_id}"), async move || self.engine.start(runtime_id)))
    }

    fn stop<'a>(&'a self, runtime_id: &'a str, timeout_seconds: u32) -> BoxFuture<'a, Result<(), EngineError>> {
        let work = async move || {
            let obeys = self
                .engine
                .lock()
                .containers
                .get(runtime_id)
                .map(|container| container.obeys)
                .ok_or_else(|| missing(runtime_id))?;
            if !obeys {
                sleep(Duration::from_secs(timeout_seconds.into())).await; // paused: SIGKILL comes then
            }
            self.engine.exit(runtime_id, if obeys { 143 } else { 137 });
            Ok(())
        };
        Box::pin(self.call(format!("stop {runtime_id} {timeout_seconds}"), work))
    }

    fn remove<'a>(&'a self, runtime_id: &'a str) -> BoxFuture<'a, Result<(), EngineError>> {
        let work = async move || {
            let mut machine = self.engine.lock();
            machine.tell(runtime_id);
            machine.containers.remove(runtime_id);
            Ok(())
        };
        Box::pin(self.call(format!("remove {runtime_id}"), work))
    }

    fn inspect<'a>(&'a self, id_or_name: &'a str) -> BoxFuture<'a, Result<Observed, EngineError>> {
        let work = async move || {
            self.engine
                .lock()
                .find(id_or_name)
                .map(|container| container.observed.clone())
                .ok_or_else(|| missing(id_or_name))
        };
        Box::pin(self.call(format!("inspect {id_or_name}"), work))
    }

    fn list<'a>(&'a self, key: &'a str, value: &'a str) -> BoxFuture<'a, Result<Vec<Observed>, EngineError>> {
        let work = async move || {
            let machine = self.engine.lock();
            let own =
                machine.containers.values().filter(|c| c.observed.labels.get(key).is_some_and(|found| found == value));
            Ok(own.map(|container| container.observed.clone()).collect())
        };
        Box::pin(self.call(format!("list {key}"), work))
    }

    fn events(&self, key: &str, value: &str) -> mpsc::Receiver<EngineEvent> {
        self.engine.subscribe(key, value)
    }

    fn probe<'a>(
        &'a self,
        reference: &'a str,
        labels: &'a BTreeMap<String, String>,
    ) -> BoxFuture<'a, Result<(), EngineError>> {
        let labelled = labels.contains_key("longshore.node") && labels.contains_key("longshore.probe");
        assert!(labelled, "what a probe leaves behind must be found again");
        Box::pin(self.call(format!("probe {reference}"), async || Ok(())))
    }
}

/// The phases of containers, for assertions.
pub fn phases<'a>(containers: impl IntoIterator<Item = &'a super::fake_engine::FakeContainer>) -> Vec<ContainerPhase> {
    containers.into_iter().map(|container| container.observed.phase).collect()
}
