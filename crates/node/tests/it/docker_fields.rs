//! Fields of a container as its process sees them, with real containers.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpListener;

use bollard::query_parameters::InspectContainerOptions;
use longshore_node::engine::{ContainerSpec, Protocol};

use crate::engine_contract_network::request;
use crate::rig::{Program, Rig, eventually, with_rig};

/// Runs `script` and expects it to succeed.
async fn succeeds(rig: &Rig, spec: ContainerSpec, script: &str) {
    // `set -x` leaves the failing command in the container's log, for whoever looks.
    let command = vec!["sh".into(), "-exc".into(), script.into()];
    let id = rig.run(&ContainerSpec { command: Some(command), ..spec }).await;
    assert_eq!(rig.exited(&id).await.exit_code, Some(0), "{script}");
}

#[test]
fn docker_processes_see_what_the_definition_says() {
    with_rig(Rig::docker(), |rig| Box::pin(fields_reach_the_process(rig)));
}

async fn fields_reach_the_process(rig: &Rig) {
    let base = rig.spec("fields", Program::Exits(0));
    let spec = ContainerSpec {
        environment: BTreeMap::from([("GREETING".into(), "a=b c".into()), ("EMPTY".into(), String::new())]),
        user: Some("7:8".into()),
        working_directory: Some("/tmp".into()),
        hostname: Some("quay".into()),
        dns_servers: vec!["10.1.2.3".into()],
        dns_search_domains: vec!["example.test".into()],
        extra_hosts: vec!["pier:10.4.5.6".into()],
        readonly_root_filesystem: true,
        shared_memory_bytes: Some(3 << 20),
        ulimits: BTreeMap::from([("nofile".into(), (123, 456))]),
        network: rig.bridged("unused", Program::Exits(0)).await.network,
        system_controls: BTreeMap::from([("net.core.somaxconn".into(), "77".into())]),
        ..base
    };
    let script = r#"
        test "$GREETING" = "a=b c" && test "${EMPTY-unset}" = ""
        test "$(id -u):$(id -g)" = 7:8
        test "$(pwd)" = /tmp
        test "$(hostname)" = quay
        grep 10.1.2.3 /etc/resolv.conf || grep 127.0.0.11 /etc/resolv.conf
        grep example.test /etc/resolv.conf
        grep '10.4.5.6.*pier' /etc/hosts
        if touch /tmp/x; then exit 1; fi
        test "$(ulimit -n)" = 123
        grep ' /dev/shm .*size=3072k' /proc/mounts
        test "$(cat /proc/sys/net/core/somaxconn)" = 77
    "#;
    succeeds(rig, spec, script).await;
}

#[test]
fn docker_capabilities_init_and_terminal_are_given() {
    with_rig(Rig::docker(), |rig| Box::pin(privileges_and_terminal(rig)));
}

async fn privileges_and_terminal(rig: &Rig) {
    let spec = |suffix| rig.spec(suffix, Program::Exits(0));
    let dropped = ContainerSpec { capabilities_drop: vec!["ALL".into()], ..spec("dropped") };
    succeeds(rig, dropped, "grep 'CapEff:.0000000000000000' /proc/self/status").await;
    let added =
        ContainerSpec { capabilities_drop: vec!["ALL".into()], capabilities_add: vec!["KILL".into()], ..spec("added") };
    succeeds(rig, added, "grep 'CapEff:.0000000000000020' /proc/self/status").await;
    let terminal = ContainerSpec { pseudo_terminal: true, interactive: true, ..spec("terminal") };
    succeeds(rig, terminal, "test -t 0 && test -t 1").await;
    let with_init = ContainerSpec { init_process: true, ..spec("init") };
    succeeds(rig, with_init, "test $$ != 1").await;
    succeeds(rig, spec("plain"), "test $$ = 1 && ! test -t 1").await;
    // Not every machine that runs the tests may give all privileges, so this one is not started.
    let privileged = ContainerSpec { privileged: true, ..spec("privileged") };
    let id = rig.engine.create(&privileged).await.expect("created");
    let docker = bollard::Docker::connect_with_defaults().expect("the engine");
    let found = docker.inspect_container(&id, None::<InspectContainerOptions>).await.expect("inspected");
    assert_eq!(found.host_config.and_then(|config| config.privileged), Some(true));
}

#[test]
fn docker_entry_points_replace_the_images() {
    with_rig(Rig::docker(), |rig| {
        Box::pin(async move {
            let spec = ContainerSpec {
                entry_point: Some(vec!["/bin/busybox".into(), "sh".into(), "-c".into()]),
                command: Some(vec!["exit 9".into()]),
                ..rig.spec("entry", Program::Exits(0))
            };
            let id = rig.run(&spec).await;
            assert_eq!(rig.exited(&id).await.exit_code, Some(9));
        })
    });
}

#[test]
fn docker_published_ports_lead_into_the_container() {
    with_rig(Rig::docker(), |rig| Box::pin(a_published_port_answers(rig)));
}

async fn a_published_port_answers(rig: &Rig) {
    let mut spec = rig.bridged("web", Program::RunsUntilStopped).await;
    spec.ports = vec![request(8000, None, Protocol::Tcp)];
    spec.command =
        Some(["sh", "-c", "echo ahoy >/tmp/index.html; exec httpd -f -p 8000 -h /tmp"].map(Into::into).to_vec());
    let id = rig.run(&spec).await;
    let port = rig.inspect(&id).await.ports[0].host_port;
    let answer = eventually("the port answers", async || {
        tokio::task::spawn_blocking(move || {
            let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).ok()?;
            stream.set_read_timeout(Some(crate::rig::PATIENCE)).ok()?;
            stream.write_all(b"GET / HTTP/1.0\r\n\r\n").ok()?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).ok()?;
            (!answer.is_empty()).then_some(answer)
        })
        .await
        .expect("no panic")
    })
    .await;
    assert!(answer.ends_with("ahoy\n"), "{answer}");
}

#[test]
fn docker_dynamic_ports_pass_over_those_of_other_processes() {
    with_rig(Rig::docker(), |rig| Box::pin(dynamic_ports_pass_over_taken_ones(rig)));
}

async fn dynamic_ports_pass_over_taken_ones(rig: &Rig) {
    let publish = async |suffix: &str| {
        let mut spec = rig.bridged(suffix, Program::RunsUntilStopped).await;
        spec.ports = vec![request(80, None, Protocol::Tcp)];
        let id = rig.run(&spec).await;
        rig.inspect(&id).await.ports[0].host_port
    };
    let first = publish("first").await;
    // Docker gives ports in order, so these are the next ones, whoever else asks meanwhile.
    let held: Vec<TcpListener> =
        (1..=4).filter_map(|step| TcpListener::bind(("127.0.0.1", first.checked_add(step)?)).ok()).collect();
    let taken: Vec<u16> = held.iter().map(|listener| listener.local_addr().expect("an address").port()).collect();
    assert!(!taken.is_empty());
    let second = publish("second").await;
    assert!(second >= 49_153 && second != first && !taken.contains(&second), "{second} of {taken:?}");
}
