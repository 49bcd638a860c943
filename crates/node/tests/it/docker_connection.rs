//! The engine `docker` when its connection comes and goes, through a socket that the test can cut.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bollard::models::NetworkCreateRequest;
use bollard::query_parameters::ListNetworksOptions;
use futures_util::future::join_all;
use longshore_node::docker::{DockerEngine, Endpoint};
use longshore_node::engine::{Engine, EngineError, EngineEvent};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, UnixListener, UnixStream};
use tokio::task::JoinSet;

use crate::engine_contract_events::next;
use crate::rig::{NODE_LABEL, Program, Rig, eventually, with_rig};

/// Passes connections on to the real engine until it is dropped.
struct Relay {
    _task: JoinSet<()>,
}

impl Relay {
    fn unix(path: &Path) -> Self {
        let listener = UnixListener::bind(path).expect("a socket");
        let mut task = JoinSet::new();
        task.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((mut near, _)) = listener.accept().await {
                connections.spawn(async move {
                    let mut far = UnixStream::connect(engine_socket()).await.expect("the engine");
                    let _ = copy_bidirectional(&mut near, &mut far).await;
                });
            }
        });
        Self { _task: task }
    }

    async fn tcp() -> (Self, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let mut task = JoinSet::new();
        task.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((mut near, _)) = listener.accept().await {
                connections.spawn(async move {
                    let mut far = UnixStream::connect(engine_socket()).await.expect("the engine");
                    let _ = copy_bidirectional(&mut near, &mut far).await;
                });
            }
        });
        (Self { _task: task }, address)
    }
}

fn engine_socket() -> PathBuf {
    match Endpoint::from_environment().expect("DOCKER_HOST is supported") {
        Endpoint::Unix(path) => path,
        Endpoint::Tcp(address) => panic!("these tests need a Unix socket, not {address}"),
    }
}

#[test]
fn every_gap_in_the_events_is_told() {
    with_rig(Rig::docker(), |rig| Box::pin(events_over_a_cut_connection(rig)));
}

async fn events_over_a_cut_connection(rig: &Rig) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("engine.sock");
    let engine = DockerEngine::new(Endpoint::Unix(path.clone())).expect("an address");
    // The engine comes after the reader.
    let mut events = engine.events(NODE_LABEL, &rig.node);
    assert!(matches!(engine.ping().await, Err(EngineError::Unreachable(_))));
    let relay = Relay::unix(&path);
    assert_eq!(next(&mut events).await, EngineEvent::Resync);

    // Changes in the gap are lost; the reader is told that there was one.
    drop(relay);
    std::fs::remove_file(&path).expect("removed");
    eventually("the connection is cut", async || engine.ping().await.is_err().then_some(())).await;
    let id = rig.engine.create(&rig.spec("gap", Program::RunsUntilStopped)).await.expect("created");
    let _relay = Relay::unix(&path);
    assert_eq!(next(&mut events).await, EngineEvent::Resync);
    engine.ping().await.expect("calls work again");
    rig.engine.start(&id).await.expect("started");
    assert!(matches!(next(&mut events).await, EngineEvent::Container { runtime_id, .. } if runtime_id == id));
}

#[test]
fn an_engine_on_a_tcp_port_works_like_one_on_a_socket() {
    with_rig(Rig::docker(), |rig| Box::pin(a_life_over_tcp(rig)));
}

async fn a_life_over_tcp(rig: &Rig) {
    let (_relay, address) = Relay::tcp().await;
    let engine = Arc::new(DockerEngine::new(Endpoint::Tcp(address)).expect("an address"));
    engine.ping().await.expect("it answers");
    let mut events = engine.events(NODE_LABEL, &rig.node);
    assert_eq!(next(&mut events).await, EngineEvent::Resync);
    let id = engine.create(&rig.spec("tcp", Program::RunsUntilStopped)).await.expect("created");
    engine.start(&id).await.expect("started");
    rig.ready(&id).await;
    engine.stop(&id, 30).await.expect("stopped");
    assert_eq!(engine.inspect(&id).await.expect("inspected").exit_code, Some(143));
    assert!(matches!(next(&mut events).await, EngineEvent::Container { runtime_id, .. } if runtime_id == id));
}

#[test]
fn nobody_follows_events_that_nobody_reads() {
    with_rig(Rig::docker(), |rig| {
        Box::pin(async move {
            let (relay, address) = Relay::tcp().await;
            let engine = DockerEngine::new(Endpoint::Tcp(address)).expect("an address");
            let before = tokio::runtime::Handle::current().metrics().num_alive_tasks();
            let mut events = engine.events(NODE_LABEL, &rig.node);
            assert_eq!(next(&mut events).await, EngineEvent::Resync);
            drop((events, relay));
            eventually("the tasks are gone", async || {
                (tokio::runtime::Handle::current().metrics().num_alive_tasks() <= before).then_some(())
            })
            .await;
        })
    });
}

#[test]
fn two_nodes_that_make_one_network_make_it_once() {
    with_rig(Rig::docker(), |rig| Box::pin(one_network_of_two_makers(rig)));
}

async fn one_network_of_two_makers(rig: &Rig) {
    let (name, labels) = (rig.name("network"), rig.labels());
    let makers: [DockerEngine; 4] =
        std::array::from_fn(|_| DockerEngine::from_environment().expect("DOCKER_HOST is supported"));
    for _ in 0..5 {
        let answers = join_all(makers.iter().map(|maker| maker.ensure_network(&name, &labels))).await;
        assert!(answers.iter().all(Result::is_ok), "{answers:?}");
        // An engine with two of that name would refuse to attach a container.
        let id = rig.run(&rig.bridged("user", Program::RunsUntilStopped).await).await;
        rig.engine.remove(&id).await.expect("removed");
        rig.engine.remove_network(&name).await.expect("there is only one");
    }
}

#[test]
fn a_network_goes_with_its_twin() {
    with_rig(Rig::docker(), |rig| Box::pin(twins_removed(rig)));
}

async fn twins_removed(rig: &Rig) {
    let name = rig.name("network");
    let docker = bollard::Docker::connect_with_defaults().expect("an engine");
    for _ in 0..2 {
        let request = NetworkCreateRequest { name: name.clone(), ..NetworkCreateRequest::default() };
        // Docker from 25 on refuses the second; then there is only one to remove.
        let _ = docker.create_network(request).await;
    }
    rig.engine.remove_network(&name).await.expect("both removed");
    rig.engine.remove_network(&name).await.expect("absent is success");
    let left = docker.list_networks(None::<ListNetworksOptions>).await.expect("listed");
    assert!(left.iter().all(|network| network.name.as_deref() != Some(&name[..])), "{left:?}");
}
