//! An engine in memory that obeys the contract of engines and misbehaves where a test tells it to.
//!
//! [`FakeEngine`] is the machine: it survives the nodes. Each node reaches it through a [`super::fake_handle::Handle`].

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use longshore_ecs_wire::Timestamp;
use longshore_node::engine::{
    ContainerPhase, ContainerSpec, EngineError, EngineEvent, Image, NetworkMode, Observed, PortBinding,
};
use tokio::sync::mpsc;
use tokio::time::Instant;

/// What happens to a call.
#[derive(Debug, Clone)]
pub enum Fate {
    /// It fails and nothing is done.
    Fails(EngineError),
    /// It is done and fails all the same.
    DoneButFails(EngineError),
    /// It is not done and never answers.
    Hangs,
}

/// A container of the fake.
#[derive(Debug, Clone)]
pub struct FakeContainer {
    pub spec: ContainerSpec,
    pub observed: Observed,
    /// Whether it ends on its stop signal; else only on SIGKILL.
    pub obeys: bool,
}

#[derive(Default)]
pub struct Machine {
    pub containers: BTreeMap<String, FakeContainer>,
    pub local_images: HashMap<String, Image>,
    pub registry: HashMap<String, Image>,
    pub networks: Vec<String>,
    /// Every call, in order, as `name argument`.
    pub calls: Vec<String>,
    /// Fates of the next calls whose text begins so.
    pub fates: VecDeque<(String, Fate)>,
    /// How long a pull takes.
    pub pull_time: Duration,
    /// Names of containers that do not obey their stop signal.
    pub deaf: Vec<String>,
    pub unreachable: bool,
    /// Creations and starts under way, and the most at once.
    pub starting: (usize, usize),
    /// Every container ever created, by its name in its task.
    pub created: Vec<String>,
    /// Every container whose process was ever started.
    pub started: Vec<String>,
    subscribers: Vec<(String, String, mpsc::Sender<EngineEvent>)>,
    next_id: u64,
    next_port: u16,
}

/// The machine on which containers run.
#[derive(Clone)]
pub struct FakeEngine {
    machine: Arc<Mutex<Machine>>,
    epoch: Instant,
}

impl FakeEngine {
    pub fn new() -> Self {
        let machine = Machine { pull_time: Duration::from_millis(200), next_port: 49153, ..Machine::default() };
        let engine = Self { machine: Arc::new(Mutex::new(machine)), epoch: Instant::now() };
        engine.lock().registry.insert("web:1".into(), image("web", true));
        engine.lock().registry.insert("side:1".into(), image("side", true));
        engine
    }

    pub fn lock(&self) -> MutexGuard<'_, Machine> {
        self.machine.lock().expect("no panic while locked")
    }

    /// The time of day of this world.
    pub fn now(&self) -> Timestamp {
        let elapsed = Instant::now().duration_since(self.epoch).as_millis();
        Timestamp::from_millis(1_700_000_000_000 + i64::try_from(elapsed).expect("short"))
    }

    /// The next call that begins with `call` meets this fate.
    pub fn next(&self, call: &str, fate: Fate) {
        self.lock().fates.push_back((call.to_owned(), fate));
    }

    /// Calls so far that begin with `call`.
    pub fn count(&self, call: &str) -> usize {
        self.lock().calls.iter().filter(|done| done.starts_with(call)).count()
    }

    /// The containers, by name in their task.
    pub fn of_task(&self, arn: &str) -> BTreeMap<String, FakeContainer> {
        let machine = self.lock();
        let own = machine
            .containers
            .values()
            .filter(|c| c.observed.labels.get("com.amazonaws.ecs.task-arn").is_some_and(|a| a == arn));
        own.map(|c| (c.observed.labels["com.amazonaws.ecs.container-name"].clone(), c.clone())).collect()
    }

    /// The process of a container ends.
    pub fn exit(&self, runtime_id: &str, code: i32) {
        let now = self.now();
        let mut machine = self.lock();
        if let Some(container) = machine.containers.get_mut(runtime_id)
            && container.observed.phase == ContainerPhase::Running
        {
            container.observed.phase = ContainerPhase::Exited;
            container.observed.exit_code = Some(code);
            container.observed.finished_at = Some(now);
            container.observed.ports.clear();
        }
        machine.tell(runtime_id);
    }

    /// A container that somebody else made.
    pub fn add_foreign(&self, name: &str, labels: &[(&str, &str)]) -> String {
        let labels = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let id = self
            .lock()
            .create(&ContainerSpec { name: name.into(), labels, ..ContainerSpec::default() })
            .expect("free name");
        self.start(&id).expect("starts");
        id
    }

    pub fn start(&self, runtime_id: &str) -> Result<(), EngineError> {
        let now = self.now();
        let mut machine = self.lock();
        let networks = machine.networks.clone();
        let mut port = machine.next_port;
        let container = machine.containers.get_mut(runtime_id).ok_or_else(|| missing(runtime_id))?;
        if let NetworkMode::Bridge(network) = &container.spec.network
            && !networks.contains(network)
        {
            return Err(EngineError::NotFound(format!("network {network} not found")));
        }
        let mut name = None;
        if container.observed.phase == ContainerPhase::Created {
            container.observed.phase = ContainerPhase::Running;
            container.observed.started_at = Some(now);
            name = container.observed.labels.get("com.amazonaws.ecs.container-name").cloned();
            for request in &container.spec.ports {
                let host_port = request.host_port.unwrap_or_else(|| {
                    port += 1;
                    port - 1
                });
                container.observed.ports.push(PortBinding {
                    bind_ip: request.publish_address.to_string(),
                    container_port: request.container_port,
                    host_port,
                    protocol: request.protocol,
                });
            }
        }
        machine.started.extend(name);
        machine.next_port = port;
        machine.tell(runtime_id);
        Ok(())
    }

    pub fn subscribe(&self, key: &str, value: &str) -> mpsc::Receiver<EngineEvent> {
        let (sender, receiver) = mpsc::channel(1024);
        self.lock().subscribers.push((key.to_owned(), value.to_owned(), sender));
        receiver
    }

    /// Events are lost: all that listen are told to look at everything.
    pub fn resync(&self) {
        self.lock().subscribers.retain(|(_, _, sender)| sender.try_send(EngineEvent::Resync).is_ok());
    }
}

impl Machine {
    pub fn create(&mut self, spec: &ContainerSpec) -> Result<String, EngineError> {
        if self.containers.values().any(|container| container.spec.name == spec.name) {
            return Err(EngineError::NameTaken(format!("the name {} is in use", spec.name)));
        }
        self.next_id += 1;
        let runtime_id = format!("{:064x}", self.next_id);
        let observed = Observed {
            runtime_id: runtime_id.clone(),
            name: spec.name.clone(),
            labels: spec.labels.clone(),
            image: spec.image.clone(),
            phase: ContainerPhase::Created,
            exit_code: None,
            oom_killed: false,
            error: None,
            started_at: None,
            finished_at: None,
            ports: vec![],
            ipv4_address: None,
        };
        let name = spec.labels.get("com.amazonaws.ecs.container-name");
        self.created.extend(name.cloned());
        let obeys = !name.is_some_and(|name| self.deaf.contains(name));
        self.containers.insert(runtime_id.clone(), FakeContainer { spec: spec.clone(), observed, obeys });
        self.tell(&runtime_id);
        Ok(runtime_id)
    }

    pub fn find(&self, id_or_name: &str) -> Option<&FakeContainer> {
        let by_name = || self.containers.values().find(|container| container.spec.name == id_or_name);
        self.containers.get(id_or_name).or_else(by_name)
    }

    /// Tells those that listen to the container's labels.
    pub fn tell(&self, runtime_id: &str) {
        let Some(container) = self.containers.get(runtime_id) else { return };
        for (key, value, sender) in &self.subscribers {
            if container.observed.labels.get(key) == Some(value) {
                let event =
                    EngineEvent::Container { runtime_id: runtime_id.into(), name: container.observed.name.clone() };
                let _ = sender.try_send(event);
            }
        }
    }
}

pub fn image(name: &str, from_registry: bool) -> Image {
    Image { id: format!("sha256:{name}"), repository_digest: from_registry.then(|| format!("sha256:digest-of-{name}")) }
}

pub fn missing(what: &str) -> EngineError {
    EngineError::NotFound(format!("no such container: {what}"))
}
