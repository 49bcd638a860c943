//! Everything that the simulated engine remembers, and the changes it goes through.
//!
//! No time passes in here: the engine waits, and comes with the point in time at which something happens.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::Ipv4Addr;

use longshore_ecs_wire::Timestamp;
use sha2::{Digest, Sha256};

use super::behaviour::{Behaviour, Failure};
use super::container::{Container, Id, Strings};
use super::ports::Ports;
use crate::engine::{ContainerPhase, ContainerSpec, EngineError, EngineEvent, Image, NetworkMode, Observed};
use crate::event_sender::EventSender;
use crate::minimal_image::hex;

/// Exit code of a process that SIGKILL ended.
pub(super) const SIGKILL_EXIT: i32 = 137;

/// First address of the range that simulated bridges share (100.64.0.0/10).
const FIRST_ADDRESS: u32 = u32::from_be_bytes([100, 64, 0, 2]);
/// How many addresses are given before they start over.
const ADDRESSES: u32 = (1 << 22) - 4;

#[derive(Debug)]
struct Reader {
    key: String,
    value: String,
    sender: EventSender,
}

/// The simulated machine.
#[derive(Debug, Default)]
pub(super) struct World {
    containers: BTreeMap<Id, Container>,
    images: HashMap<String, Image>,
    networks: BTreeSet<String>,
    ports: Ports,
    addresses: u32,
    runs: u64,
    strings: Strings,
    readers: Vec<Reader>,
}

/// The id that a container of this name has, now and in every other life.
pub(super) fn id_of(name: &str) -> Id {
    Sha256::digest(name.as_bytes()).into()
}

/// The id that `id_or_name` means.
pub(super) fn resolve(id_or_name: &str) -> Id {
    let mut id = [0; 32];
    let digits = id_or_name.as_bytes();
    if digits.len() != 64 {
        return id_of(id_or_name);
    }
    for (byte, pair) in id.iter_mut().zip(digits.chunks(2)) {
        match std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
            Some(value) => *byte = value,
            None => return id_of(id_or_name),
        }
    }
    id
}

impl World {
    pub(super) fn image(&self, reference: &str) -> Option<Image> {
        self.images.get(reference).cloned()
    }

    pub(super) fn add_image(&mut self, reference: String, image: Image) {
        self.images.insert(reference, image);
    }

    pub(super) fn remove_image(&mut self, reference: &str) {
        self.images.remove(reference);
    }

    pub(super) fn add_network(&mut self, name: &str) {
        self.networks.insert(name.to_owned());
    }

    pub(super) fn remove_network(&mut self, name: &str) -> Result<(), EngineError> {
        let used = |container: &Container| {
            container.phase == ContainerPhase::Running && container.bridge.as_deref() == Some(name)
        };
        if self.containers.values().any(used) {
            return Err(EngineError::Refused(format!("network {name} has active endpoints")));
        }
        self.networks.remove(name);
        Ok(())
    }

    pub(super) fn create(&mut self, spec: &ContainerSpec, tagged_image: &str) -> Result<Id, EngineError> {
        let behaviour = Behaviour::of(spec)?;
        if spec.network == NetworkMode::None && !spec.ports.is_empty() {
            return Err(EngineError::Unsupported("portMappings in network mode none".into()));
        }
        if !self.images.contains_key(tagged_image) {
            return Err(EngineError::NotFound(format!("No such image: {tagged_image}")));
        }
        let id = id_of(&spec.name);
        if self.containers.contains_key(&id) {
            return Err(EngineError::NameTaken(format!("the container name {} is in use", spec.name)));
        }
        if behaviour.failure == Some(Failure::Create) {
            return Err(EngineError::Refused("simulated failure to create the container".into()));
        }
        let container = Container::new(spec, behaviour, &mut self.strings);
        self.containers.insert(id, container);
        self.tell(&id);
        Ok(id)
    }

    /// A container, if it exists.
    pub(super) fn container(&self, id: &Id) -> Result<&Container, EngineError> {
        self.containers.get(id).ok_or_else(|| not_found(id))
    }

    /// Whether that run of the container goes on.
    pub(super) fn runs(&self, id: &Id, run: u64) -> bool {
        let container = self.containers.get(id);
        container.is_some_and(|container| container.run == run && container.phase == ContainerPhase::Running)
    }

    /// Starts a container; the number of the run that began, or `None` if it ran already.
    pub(super) fn start(&mut self, id: &Id, now: Timestamp) -> Result<Option<u64>, EngineError> {
        let container = self.containers.get_mut(id).ok_or_else(|| not_found(id))?;
        if container.phase == ContainerPhase::Running {
            return Ok(None);
        }
        if let Some(network) = container.bridge.as_deref().filter(|name| !self.networks.contains(*name)) {
            return Err(failed(container, EngineError::NotFound(format!("network {network} not found"))));
        }
        if container.behaviour.failure == Some(Failure::Start) {
            let failure = EngineError::Refused("simulated failure to start the container".into());
            return Err(failed(container, failure));
        }
        match self.ports.take(&container.requests) {
            Ok(published) => container.published = published,
            Err(error) => return Err(failed(container, error)),
        }
        if container.bridge.is_some() {
            container.address = Some(Ipv4Addr::from_bits(FIRST_ADDRESS + self.addresses % ADDRESSES));
            self.addresses = self.addresses.wrapping_add(1);
        }
        container.phase = ContainerPhase::Running;
        self.runs += 1;
        container.run = self.runs;
        (container.exit_code, container.oom_killed, container.error) = (None, false, None);
        (container.started_at, container.finished_at) = (Some(now), None);
        let run = container.run;
        self.tell(id);
        Ok(Some(run))
    }

    /// Ends that run of a container, unless it has ended. `exit_code` absent: it ends by itself.
    pub(super) fn end(&mut self, id: &Id, run: u64, exit_code: Option<i32>, now: Timestamp) {
        if !self.runs(id, run) {
            return;
        }
        let Some(container) = self.containers.get_mut(id) else { return };
        let out_of_memory = exit_code.is_none() && container.behaviour.failure == Some(Failure::OutOfMemory);
        let own_code = if out_of_memory { SIGKILL_EXIT } else { container.behaviour.exit_code };
        container.phase = ContainerPhase::Exited;
        container.exit_code = Some(exit_code.unwrap_or(own_code));
        container.oom_killed = out_of_memory;
        container.finished_at = Some(now);
        container.address = None;
        self.ports.give_back(&std::mem::take(&mut container.published));
        self.tell(id);
    }

    pub(super) fn remove(&mut self, id: &Id) {
        self.tell(id);
        if let Some(container) = self.containers.remove(id) {
            self.ports.give_back(&container.published);
        }
    }

    pub(super) fn inspect(&self, id: &Id) -> Result<Observed, EngineError> {
        self.container(id).map(|container| container.observed(id))
    }

    pub(super) fn list(&self, key: &str, value: &str) -> Vec<Observed> {
        let labelled = self.containers.iter().filter(|(_, container)| container.has_label(key, value));
        labelled.map(|(id, container)| container.observed(id)).collect()
    }

    pub(super) fn read(&mut self, key: &str, value: &str, sender: EventSender) {
        sender.send(EngineEvent::Resync);
        self.readers.push(Reader { key: key.to_owned(), value: value.to_owned(), sender });
    }

    /// Tells the readers that something happened to a container.
    fn tell(&mut self, id: &Id) {
        let Some(container) = self.containers.get(id) else { return };
        self.readers.retain(|reader| {
            if !container.has_label(&reader.key, &reader.value) {
                return !reader.sender.is_closed();
            }
            reader.sender.send(EngineEvent::Container { runtime_id: hex(id), name: container.name().to_owned() })
        });
    }
}

fn not_found(id: &Id) -> EngineError {
    EngineError::NotFound(format!("No such container: {}", hex(id)))
}

/// Leaves the reason with the container, as Docker does.
fn failed(container: &mut Container, error: EngineError) -> EngineError {
    container.error = Some(error.to_string().into());
    error
}
