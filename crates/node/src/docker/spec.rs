//! A [`ContainerSpec`] as the body of Docker's create call.
//!
//! What the definition leaves out is left out here too, so that the image's and the engine's own defaults hold;
//! only the log gets bounds that Docker would not give it.

use std::collections::{BTreeMap, HashMap};

use bollard::models::{ContainerCreateBody, HostConfig, HostConfigLogConfig, PortBinding, PortMap, ResourcesUlimits};

use crate::engine::{ContainerSpec, EngineError, NetworkMode, PortRequest, Protocol};

/// Where Docker may pick a dynamic host port: in order, the next that no other container holds.
pub(super) const DYNAMIC_PORTS: &str = "49153-65535";

/// The body of the create call. Dynamic ports come from the range `dynamic_ports`; empty: from the engine's own.
///
/// # Errors
///
/// [`EngineError::Unsupported`] for ports without a network.
pub(super) fn create_body(spec: &ContainerSpec, dynamic_ports: &str) -> Result<ContainerCreateBody, EngineError> {
    if spec.network == NetworkMode::None && !spec.ports.is_empty() {
        return Err(EngineError::Unsupported("portMappings in network mode none".into()));
    }
    let (exposed_ports, port_bindings) = published(spec, dynamic_ports);
    Ok(ContainerCreateBody {
        image: Some(spec.image.clone()),
        entrypoint: spec.entry_point.clone().filter(|words| !words.is_empty()),
        cmd: spec.command.clone().filter(|words| !words.is_empty()),
        env: Some(spec.environment.iter().map(|(name, value)| format!("{name}={value}")).collect()),
        labels: Some(map(&spec.labels)),
        exposed_ports,
        user: spec.user.clone(),
        working_dir: spec.working_directory.clone(),
        hostname: spec.hostname.clone(),
        tty: set(spec.pseudo_terminal),
        open_stdin: set(spec.interactive),
        stop_timeout: Some(spec.stop_timeout_seconds.into()),
        host_config: Some(host_config(spec, port_bindings)?),
        ..ContainerCreateBody::default()
    })
}

fn host_config(spec: &ContainerSpec, port_bindings: Option<PortMap>) -> Result<HostConfig, EngineError> {
    Ok(HostConfig {
        cpu_shares: Some(spec.cpu_shares.into()),
        memory: spec.memory_bytes.map(|bytes| size("memory", bytes)).transpose()?,
        memory_reservation: spec.memory_reservation_bytes.map(|bytes| size("memoryReservation", bytes)).transpose()?,
        shm_size: spec.shared_memory_bytes.map(|bytes| size("sharedMemorySize", bytes)).transpose()?,
        network_mode: Some(match &spec.network {
            NetworkMode::Bridge(name) => name.clone(),
            NetworkMode::Host => "host".into(),
            NetworkMode::None => "none".into(),
        }),
        port_bindings,
        dns: list(&spec.dns_servers),
        dns_search: list(&spec.dns_search_domains),
        extra_hosts: list(&spec.extra_hosts),
        privileged: set(spec.privileged),
        readonly_rootfs: set(spec.readonly_root_filesystem),
        init: set(spec.init_process),
        cap_add: list(&spec.capabilities_add),
        cap_drop: list(&spec.capabilities_drop),
        sysctls: Some(map(&spec.system_controls)).filter(|sysctls| !sysctls.is_empty()),
        ulimits: Some(ulimits(&spec.ulimits)).filter(|ulimits| !ulimits.is_empty()),
        log_config: Some(log_config(spec)),
        ..HostConfig::default()
    })
}

/// Exposed and published ports; neither on the host's own network, where a port is open as it is.
fn published(spec: &ContainerSpec, dynamic_ports: &str) -> (Option<Vec<String>>, Option<PortMap>) {
    if spec.ports.is_empty() || !matches!(spec.network, NetworkMode::Bridge(_)) {
        return (None, None);
    }
    let mut bindings = PortMap::new();
    for port in &spec.ports {
        let listed = bindings.entry(container_port(port)).or_default();
        listed.get_or_insert_default().push(PortBinding {
            host_ip: Some(port.publish_address.to_string()),
            host_port: Some(port.host_port.map_or_else(|| dynamic_ports.into(), |number| number.to_string())),
        });
    }
    (Some(bindings.keys().cloned().collect()), Some(bindings))
}

fn container_port(port: &PortRequest) -> String {
    let protocol = match port.protocol {
        Protocol::Tcp => "tcp",
        Protocol::Udp => "udp",
    };
    format!("{}/{protocol}", port.container_port)
}

/// The log as configured, else JSON files that together stay under 30 MB.
fn log_config(spec: &ContainerSpec) -> HostConfigLogConfig {
    match &spec.log {
        Some((driver, options)) => HostConfigLogConfig { typ: Some(driver.clone()), config: Some(map(options)) },
        None => HostConfigLogConfig {
            typ: Some("json-file".into()),
            config: Some(HashMap::from([("max-size".into(), "10m".into()), ("max-file".into(), "3".into())])),
        },
    }
}

fn ulimits(limits: &BTreeMap<String, (i64, i64)>) -> Vec<ResourcesUlimits> {
    limits
        .iter()
        .map(|(name, (soft, hard))| ResourcesUlimits { name: Some(name.clone()), soft: Some(*soft), hard: Some(*hard) })
        .collect()
}

fn size(field: &str, bytes: u64) -> Result<i64, EngineError> {
    i64::try_from(bytes).map_err(|_| EngineError::Unsupported(format!("{field} of {bytes} bytes")))
}

fn set(flag: bool) -> Option<bool> {
    flag.then_some(true)
}

fn list(items: &[String]) -> Option<Vec<String>> {
    (!items.is_empty()).then(|| items.to_vec())
}

fn map(items: &BTreeMap<String, String>) -> HashMap<String, String> {
    items.iter().map(|(key, value)| (key.clone(), value.clone())).collect()
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use serde_json::{Value, json};

    use super::*;

    fn body(spec: &ContainerSpec) -> Value {
        serde_json::to_value(create_body(spec, DYNAMIC_PORTS).expect("a body")).expect("json")
    }

    fn strings(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn defaults_leave_the_images_and_the_engines_alone() {
        let spec = ContainerSpec { image: "a:1".into(), cpu_shares: 2, ..ContainerSpec::default() };
        assert_eq!(
            body(&spec),
            json!({
                "Image": "a:1", "Env": [], "Labels": {}, "StopTimeout": 0,
                "HostConfig": {
                    "CpuShares": 2, "NetworkMode": "none",
                    "LogConfig": {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "3"}},
                },
            })
        );
        let empty = ContainerSpec { entry_point: Some(vec![]), command: Some(vec![]), ..spec.clone() };
        assert_eq!(body(&empty), body(&spec));
    }

    #[test]
    fn every_field_reaches_docker() {
        let spec = ContainerSpec {
            name: "n".into(),
            image: "a:1".into(),
            entry_point: Some(vec!["e".into()]),
            command: Some(vec!["c".into()]),
            environment: strings(&[("B", "2"), ("A", "1=1")]),
            labels: strings(&[("l", "v")]),
            cpu_shares: 512,
            memory_bytes: Some(64 << 20),
            memory_reservation_bytes: Some(32 << 20),
            network: NetworkMode::Bridge("net".into()),
            ports: vec![],
            user: Some("u".into()),
            working_directory: Some("/w".into()),
            hostname: Some("h".into()),
            dns_servers: vec!["10.0.0.1".into()],
            dns_search_domains: vec!["d".into()],
            extra_hosts: vec!["x:10.0.0.2".into()],
            privileged: true,
            readonly_root_filesystem: true,
            pseudo_terminal: true,
            interactive: true,
            init_process: true,
            shared_memory_bytes: Some(1 << 20),
            capabilities_add: vec!["NET_ADMIN".into()],
            capabilities_drop: vec!["KILL".into()],
            system_controls: strings(&[("net.core.somaxconn", "9")]),
            ulimits: BTreeMap::from([("nofile".into(), (10, 20))]),
            log: Some(("syslog".into(), strings(&[("tag", "t")]))),
            stop_timeout_seconds: 30,
        };
        assert_eq!(
            body(&spec),
            json!({
                "Image": "a:1", "Entrypoint": ["e"], "Cmd": ["c"], "Env": ["A=1=1", "B=2"], "Labels": {"l": "v"},
                "User": "u", "WorkingDir": "/w", "Hostname": "h", "Tty": true, "OpenStdin": true, "StopTimeout": 30,
                "HostConfig": {
                    "CpuShares": 512, "Memory": 64 << 20, "MemoryReservation": 32 << 20, "ShmSize": 1 << 20,
                    "NetworkMode": "net", "Dns": ["10.0.0.1"], "DnsSearch": ["d"], "ExtraHosts": ["x:10.0.0.2"],
                    "Privileged": true, "ReadonlyRootfs": true, "Init": true, "CapAdd": ["NET_ADMIN"],
                    "CapDrop": ["KILL"], "Sysctls": {"net.core.somaxconn": "9"},
                    "Ulimits": [{"Name": "nofile", "Soft": 10, "Hard": 20}],
                    "LogConfig": {"Type": "syslog", "Config": {"tag": "t"}},
                },
            })
        );
    }

    #[test]
    fn ports_are_published_on_a_bridge_only() {
        let localhost = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let port =
            |host_port, protocol| PortRequest { container_port: 80, host_port, protocol, publish_address: localhost };
        let mut spec = ContainerSpec {
            network: NetworkMode::Bridge("net".into()),
            ports: vec![port(Some(8080), Protocol::Tcp), port(None, Protocol::Udp), port(None, Protocol::Tcp)],
            ..ContainerSpec::default()
        };
        assert_eq!(body(&spec)["ExposedPorts"], json!({"80/tcp": {}, "80/udp": {}}));
        assert_eq!(
            body(&spec)["HostConfig"]["PortBindings"],
            json!({
                "80/tcp": [
                    {"HostIp": "127.0.0.1", "HostPort": "8080"},
                    {"HostIp": "127.0.0.1", "HostPort": "49153-65535"},
                ],
                "80/udp": [{"HostIp": "127.0.0.1", "HostPort": "49153-65535"}],
            })
        );
        spec.network = NetworkMode::Host;
        assert_eq!(body(&spec)["HostConfig"].get("PortBindings"), None);
        spec.network = NetworkMode::None;
        assert!(matches!(create_body(&spec, DYNAMIC_PORTS), Err(EngineError::Unsupported(_))));
    }
}
