//! The parts of Docker's inspect answer that are needed, and what they mean.
//!
//! Everything is optional and states are text, because engines leave out, add and rename: Podman says `stopped` and
//! `configured`, and a future Docker may say something else again.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::rfc3339;
use crate::engine::{ContainerPhase, Observed, PortBinding, Protocol};

/// Answer to `GET /containers/{id}/json`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Inspected {
    id: String,
    name: String,
    state: State,
    config: Option<Config>,
    host_config: Option<HostConfig>,
    network_settings: Option<NetworkSettings>,
}

/// Entry of the answer to `GET /containers/json`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Listed {
    pub(super) id: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct State {
    status: Option<String>,
    running: bool,
    exit_code: Option<i64>,
    #[serde(rename = "OOMKilled")]
    oom_killed: Option<bool>,
    error: Option<String>,
    started_at: Option<String>,
    finished_at: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Config {
    image: Option<String>,
    labels: Option<BTreeMap<String, String>>,
}

/// Bindings by container port, e.g. `80/tcp`.
type Bindings = Option<BTreeMap<String, Option<Vec<Binding>>>>;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct HostConfig {
    port_bindings: Bindings,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct NetworkSettings {
    ports: Bindings,
    networks: Option<BTreeMap<String, Option<Endpoint>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Endpoint {
    #[serde(rename = "IPAddress")]
    ip_address: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Binding {
    host_ip: Option<String>,
    host_port: Option<String>,
}

impl Inspected {
    /// The host ports that were asked for, as they were asked for: numbers, ranges, or nothing.
    pub(super) fn requested_ports(&self) -> impl Iterator<Item = &str> {
        let bindings = self.host_config.as_ref().and_then(|config| config.port_bindings.as_ref());
        bindings
            .into_iter()
            .flat_map(BTreeMap::values)
            .flatten()
            .flatten()
            .map(|binding| binding.host_port.as_deref().unwrap_or_default())
    }

    /// The container as the runner knows containers.
    pub(super) fn observed(self) -> Observed {
        let state = self.state;
        let config = self.config.unwrap_or_default();
        let settings = self.network_settings.unwrap_or_default();
        let phase = phase(&state);
        let started_at = state.started_at.as_deref().and_then(rfc3339::parse);
        let finished_at = state.finished_at.as_deref().and_then(rfc3339::parse);
        let running = phase == ContainerPhase::Running;
        let exited = phase == ContainerPhase::Exited;
        Observed {
            runtime_id: self.id,
            name: self.name.trim_start_matches('/').to_owned(),
            labels: config.labels.unwrap_or_default(),
            image: config.image.unwrap_or_default(),
            phase,
            exit_code: state
                .exit_code
                .filter(|_| exited && started_at.is_some())
                .and_then(|code| i32::try_from(code).ok()),
            oom_killed: state.oom_killed.unwrap_or_default(),
            error: state.error.filter(|text| !text.is_empty()),
            started_at,
            // Docker notes the start when its own call returns, which a short-lived process may not live to see.
            finished_at: finished_at.max(finished_at.and(started_at)).filter(|_| !running),
            ipv4_address: own_address(settings.networks).filter(|_| running),
            ports: if running { bindings(settings.ports) } else { Vec::new() },
        }
    }
}

fn phase(state: &State) -> ContainerPhase {
    match state.status.as_deref().unwrap_or_default() {
        "created" | "configured" | "initialized" => ContainerPhase::Created,
        "running" | "paused" | "restarting" | "stopping" => ContainerPhase::Running,
        "exited" | "stopped" => ContainerPhase::Exited,
        "removing" | "dead" => ContainerPhase::Dead,
        _ if state.running => ContainerPhase::Running,
        _ => ContainerPhase::Exited,
    }
}

fn own_address(networks: Option<BTreeMap<String, Option<Endpoint>>>) -> Option<String> {
    let addresses = networks?.into_values().flatten().filter_map(|network| network.ip_address);
    addresses.into_iter().find(|address| !address.is_empty())
}

/// The published ports, in the order of container port, protocol and address.
fn bindings(ports: Bindings) -> Vec<PortBinding> {
    let mut all: Vec<PortBinding> = ports
        .unwrap_or_default()
        .into_iter()
        .filter_map(|(container_port, hosts)| Some((split_port(&container_port)?, hosts?)))
        .flat_map(|((container_port, protocol), hosts)| {
            hosts.into_iter().filter_map(move |host| {
                Some(PortBinding {
                    bind_ip: host.host_ip.filter(|ip| !ip.is_empty()).unwrap_or_else(|| "0.0.0.0".into()),
                    container_port,
                    host_port: host.host_port?.parse().ok()?,
                    protocol,
                })
            })
        })
        .collect();
    all.sort_by(|a, b| {
        let key = |port: &PortBinding| (port.container_port, port.protocol, port.host_port);
        key(a).cmp(&key(b)).then_with(|| a.bind_ip.cmp(&b.bind_ip))
    });
    all
}

/// Reads `80/tcp`.
fn split_port(text: &str) -> Option<(u16, Protocol)> {
    let (port, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let protocol = match protocol {
        "tcp" => Protocol::Tcp,
        "udp" => Protocol::Udp,
        _ => return None,
    };
    Some((port.parse().ok()?, protocol))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(answer: Value) -> Observed {
        serde_json::from_value::<Inspected>(answer).expect("an inspect answer").observed()
    }

    fn state(status: &str, started: &str, finished: &str) -> Value {
        json!({"Id": "ab", "Name": "/n", "State": {
            "Status": status, "ExitCode": 127, "Error": "exec: no such file",
            "StartedAt": started, "FinishedAt": finished,
        }})
    }

    const NEVER: &str = "0001-01-01T00:00:00Z";

    #[test]
    fn a_container_that_never_ran_has_no_exit_code() {
        let failed = read(state("created", NEVER, NEVER));
        assert_eq!((failed.phase, failed.exit_code), (ContainerPhase::Created, None));
        assert_eq!(failed.error.as_deref(), Some("exec: no such file"));
        assert_eq!((failed.started_at, failed.finished_at), (None, None));
        let exited = read(state("exited", NEVER, "2026-11-23T10:00:00Z"));
        assert_eq!((exited.phase, exited.exit_code), (ContainerPhase::Exited, None));
    }

    #[test]
    fn an_earlier_end_is_not_the_end_of_a_container_that_runs_again() {
        let again = read(state("running", "2026-11-23T10:00:00Z", "2026-11-23T09:00:00Z"));
        assert_eq!((again.phase, again.exit_code, again.finished_at), (ContainerPhase::Running, None, None));
        assert!(again.started_at.is_some());
    }

    #[test]
    fn nothing_ends_before_it_started() {
        let brief = read(state("exited", "2026-11-23T10:00:00.5Z", "2026-11-23T10:00:00.4Z"));
        assert!(brief.started_at.is_some());
        assert_eq!(brief.finished_at, brief.started_at);
        let longer = read(state("exited", "2026-11-23T10:00:00Z", "2026-11-23T11:00:00Z"));
        assert!(longer.finished_at > longer.started_at);
    }

    #[test]
    fn every_status_has_a_phase() {
        let phases = [
            ("created", ContainerPhase::Created),
            ("running", ContainerPhase::Running),
            ("paused", ContainerPhase::Running),
            ("restarting", ContainerPhase::Running),
            ("stopping", ContainerPhase::Running),
            ("initialized", ContainerPhase::Created),
            ("stopped", ContainerPhase::Exited),
            ("a state of tomorrow", ContainerPhase::Exited),
            ("exited", ContainerPhase::Exited),
            ("removing", ContainerPhase::Dead),
            ("dead", ContainerPhase::Dead),
        ];
        for (status, phase) in phases {
            assert_eq!(read(state(status, NEVER, NEVER)).phase, phase, "{status}");
        }
    }

    #[test]
    fn networks_and_ports_are_read_in_a_fixed_order() {
        let answer = read(json!({
            "Id": "ab", "Name": "/n", "State": {"Status": "running"},
            "Config": {"Image": "web:1", "Labels": {"b": "2", "a": "1"}},
            "NetworkSettings": {
                "Networks": {"net": {"IPAddress": "172.20.0.2"}},
                "Ports": {
                    "90/udp": [{"HostIp": "127.0.0.1", "HostPort": "49200"}],
                    "80/tcp": [{"HostIp": "::", "HostPort": "81"}, {"HostIp": "", "HostPort": "80"}],
                    "70/tcp": null, "60/sctp": [{"HostIp": "::", "HostPort": "1"}],
                },
            },
        }));
        let binding = |bind_ip: &str, container_port, host_port, protocol| PortBinding {
            bind_ip: bind_ip.into(),
            container_port,
            host_port,
            protocol,
        };
        assert_eq!(
            answer.ports,
            [
                binding("0.0.0.0", 80, 80, Protocol::Tcp),
                binding("::", 80, 81, Protocol::Tcp),
                binding("127.0.0.1", 90, 49200, Protocol::Udp),
            ]
        );
        assert_eq!(answer.ipv4_address.as_deref(), Some("172.20.0.2"));
        assert_eq!((answer.name.as_str(), answer.image.as_str()), ("n", "web:1"));
    }
}
