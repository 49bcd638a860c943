//! One simulated container, held small: a scale test keeps many thousands.

use std::collections::HashSet;
use std::net::Ipv4Addr;
use std::sync::Arc;

use longshore_ecs_wire::Timestamp;

use super::behaviour::Behaviour;
use super::ports::Published;
use crate::engine::{ContainerPhase, ContainerSpec, NetworkMode, Observed, PortBinding, PortRequest};
use crate::minimal_image::hex;

/// A container's id: the SHA-256 of its name.
pub(super) type Id = [u8; 32];

/// A container and its history.
#[derive(Debug)]
pub(super) struct Container {
    name: Box<str>,
    labels: Box<[(Arc<str>, Arc<str>)]>,
    image: Arc<str>,
    pub(super) behaviour: Behaviour,
    /// The bridge network that it joins, if any.
    pub(super) bridge: Option<Arc<str>>,
    pub(super) requests: Box<[PortRequest]>,
    pub(super) phase: ContainerPhase,
    /// Number of its latest run, unlike that of any other run of any container: an end that was planned for an
    /// earlier one does not end it.
    pub(super) run: u64,
    pub(super) exit_code: Option<i32>,
    pub(super) oom_killed: bool,
    pub(super) error: Option<Box<str>>,
    pub(super) started_at: Option<Timestamp>,
    pub(super) finished_at: Option<Timestamp>,
    /// The ports that it holds while it runs.
    pub(super) published: Box<[Published]>,
    pub(super) address: Option<Ipv4Addr>,
}

impl Container {
    /// A container as it is after its creation.
    pub(super) fn new(spec: &ContainerSpec, behaviour: Behaviour, strings: &mut Strings) -> Self {
        let (bridge, requests) = match &spec.network {
            NetworkMode::Bridge(name) => (Some(strings.get(name)), spec.ports.clone()),
            NetworkMode::Host | NetworkMode::None => (None, Vec::new()),
        };
        Self {
            name: spec.name.as_str().into(),
            labels: spec.labels.iter().map(|(key, value)| (strings.get(key), strings.get(value))).collect(),
            image: strings.get(&spec.image),
            behaviour,
            bridge,
            requests: requests.into(),
            phase: ContainerPhase::Created,
            run: 0,
            exit_code: None,
            oom_killed: false,
            error: None,
            started_at: None,
            finished_at: None,
            published: Box::default(),
            address: None,
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn has_label(&self, key: &str, value: &str) -> bool {
        self.labels.iter().any(|(own_key, own_value)| &**own_key == key && &**own_value == value)
    }

    pub(super) fn observed(&self, id: &Id) -> Observed {
        let running = self.phase == ContainerPhase::Running;
        let mut ports: Vec<PortBinding> = self.published.iter().map(binding).collect();
        ports.sort_by_key(|port| (port.container_port, port.protocol, port.host_port));
        Observed {
            runtime_id: hex(id),
            name: self.name.to_string(),
            labels: self.labels.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect(),
            image: self.image.to_string(),
            phase: self.phase,
            exit_code: self.exit_code.filter(|_| self.phase == ContainerPhase::Exited),
            oom_killed: self.oom_killed,
            error: self.error.as_deref().map(str::to_owned),
            started_at: self.started_at,
            finished_at: self.finished_at,
            ports,
            ipv4_address: self.address.filter(|_| running).map(|address| address.to_string()),
        }
    }
}

fn binding(port: &Published) -> PortBinding {
    PortBinding {
        bind_ip: port.address.to_string(),
        container_port: port.container_port,
        host_port: port.host_port,
        protocol: port.protocol,
    }
}

/// Label keys and values that many containers share, each held once. A string that no container holds any more is
/// dropped when the pool has doubled since the last time.
#[derive(Debug, Default)]
pub(super) struct Strings {
    pool: HashSet<Arc<str>>,
    clean_at: usize,
}

impl Strings {
    fn get(&mut self, text: &str) -> Arc<str> {
        if let Some(shared) = self.pool.get(text) {
            return Arc::clone(shared);
        }
        if self.pool.len() >= self.clean_at {
            self.pool.retain(|shared| Arc::strong_count(shared) > 1);
            self.clean_at = (self.pool.len() * 2).max(1024);
        }
        let shared: Arc<str> = text.into();
        self.pool.insert(Arc::clone(&shared));
        shared
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_is_small() {
        assert!(size_of::<Container>() <= 256, "{} bytes", size_of::<Container>());
    }

    #[test]
    fn strings_are_shared_and_forgotten() {
        let mut strings = Strings::default();
        let first = strings.get("a");
        assert!(Arc::ptr_eq(&first, &strings.get("a")));
        for number in 0..10_000 {
            strings.get(&number.to_string());
        }
        assert!(strings.pool.len() <= 2048);
        assert!(Arc::ptr_eq(&first, &strings.get("a")));
    }
}
