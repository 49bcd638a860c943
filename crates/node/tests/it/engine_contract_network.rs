//! What every engine promises about ports and networks.

use std::net::{IpAddr, Ipv4Addr};

use longshore_node::engine::{ContainerSpec, EngineError, NetworkMode, PortBinding, PortRequest, Protocol};

use crate::rig::{Program, Rig};

const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

pub fn request(container_port: u16, host_port: Option<u16>, protocol: Protocol) -> PortRequest {
    PortRequest { container_port, host_port, protocol, publish_address: LOCALHOST }
}

/// A port below the dynamic ones that nobody holds.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}

pub async fn a_fixed_port_is_held_by_one(rig: &Rig) {
    let port = free_port();
    let publish = async |suffix: &str| ContainerSpec {
        ports: vec![request(80, Some(port), Protocol::Tcp)],
        ..rig.bridged(suffix, Program::RunsUntilStopped).await
    };
    let first = rig.run(&publish("first").await).await;
    let held =
        PortBinding { bind_ip: "127.0.0.1".into(), container_port: 80, host_port: port, protocol: Protocol::Tcp };
    assert_eq!(rig.inspect(&first).await.ports, std::slice::from_ref(&held));

    let second = rig.engine.create(&publish("second").await).await.expect("created");
    let refused = rig.engine.start(&second).await;
    assert!(matches!(refused, Err(EngineError::PortTaken(_))), "{refused:?}");
    assert!(rig.inspect(&second).await.error.is_some());

    rig.engine.stop(&first, 30).await.expect("stopped");
    assert_eq!(rig.inspect(&first).await.ports, []);
    rig.engine.start(&second).await.expect("the port is free again");
    assert_eq!(rig.inspect(&second).await.ports, [held]);
}

pub async fn dynamic_ports_differ(rig: &Rig) {
    let mut seen = Vec::new();
    for suffix in ["a", "b"] {
        let spec = ContainerSpec {
            ports: vec![
                request(80, None, Protocol::Tcp),
                request(81, None, Protocol::Tcp),
                request(80, None, Protocol::Udp),
            ],
            ..rig.bridged(suffix, Program::RunsUntilStopped).await
        };
        let id = rig.run(&spec).await;
        let ports = rig.inspect(&id).await.ports;
        let published: Vec<_> = ports.iter().map(|port| (port.container_port, port.protocol)).collect();
        assert_eq!(published, [(80, Protocol::Tcp), (80, Protocol::Udp), (81, Protocol::Tcp)]);
        assert!(ports.iter().all(|port| port.host_port >= 49_153 && port.bind_ip == "127.0.0.1"), "{ports:?}");
        seen.extend(ports.into_iter().map(|port| (port.protocol, port.host_port)));
    }
    let all = seen.len();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), all);
}

pub async fn a_bridge_gives_each_container_an_address(rig: &Rig) {
    let mut addresses = Vec::new();
    for suffix in ["a", "b"] {
        let spec = rig.bridged(suffix, Program::RunsUntilStopped).await;
        let id = rig.engine.create(&spec).await.expect("created");
        assert_eq!(rig.inspect(&id).await.ipv4_address, None);
        rig.engine.start(&id).await.expect("started");
        let address = rig.inspect(&id).await.ipv4_address.expect("an address");
        address.parse::<Ipv4Addr>().expect("an IPv4 address");
        addresses.push((id, address));
    }
    assert_ne!(addresses[0].1, addresses[1].1);
    rig.engine.stop(&addresses[0].0, 30).await.expect("stopped");
    assert_eq!(rig.inspect(&addresses[0].0).await.ipv4_address, None);
}

pub async fn a_network_is_made_once_however_many_ask(rig: &Rig) {
    let (name, labels) = (rig.name("network"), rig.labels());
    let ask = || rig.engine.ensure_network(&name, &labels);
    let answers = tokio::join!(ask(), ask(), ask(), ask());
    assert_eq!(answers, (Ok(()), Ok(()), Ok(()), Ok(())));
    // With two of that name, an engine could not tell which is meant.
    rig.run(&rig.bridged("user", Program::RunsUntilStopped).await).await;
}

pub async fn networks_go_once_unused(rig: &Rig) {
    let spec = rig.bridged("user", Program::RunsUntilStopped).await;
    let name = rig.name("network");
    let id = rig.run(&spec).await;
    let used = rig.engine.remove_network(&name).await;
    assert!(matches!(used, Err(EngineError::Refused(_))), "{used:?}");
    rig.engine.remove(&id).await.expect("removed");
    rig.engine.remove_network(&name).await.expect("removed");
    rig.engine.remove_network(&name).await.expect("absent is success");
}

pub async fn a_missing_network_is_named(rig: &Rig) {
    let network = rig.name("missing");
    let spec =
        ContainerSpec { network: NetworkMode::Bridge(network.clone()), ..rig.spec("lost", Program::RunsUntilStopped) };
    let id = rig.engine.create(&spec).await.expect("created");
    let refused = rig.engine.start(&id).await;
    assert!(matches!(&refused, Err(EngineError::NotFound(text)) if text.contains(&network)), "{refused:?}");
}

pub async fn host_and_none_have_no_address_of_their_own(rig: &Rig) {
    let host = ContainerSpec {
        network: NetworkMode::Host,
        ports: vec![request(80, None, Protocol::Tcp)],
        ..rig.spec("host", Program::RunsUntilStopped)
    };
    let none = rig.spec("none", Program::RunsUntilStopped);
    for spec in [&host, &none] {
        let id = rig.run(spec).await;
        let observed = rig.inspect(&id).await;
        assert_eq!((observed.ipv4_address, observed.ports), (None, vec![]));
    }
    let ports_without_network = ContainerSpec { network: NetworkMode::None, name: rig.name("x"), ..host };
    let refused = rig.engine.create(&ports_without_network).await;
    assert!(matches!(&refused, Err(EngineError::Unsupported(text)) if text.contains("portMappings")), "{refused:?}");
}
