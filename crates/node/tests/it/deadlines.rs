//! A wedged engine or registry costs a deadline, never more.

use std::path::Path;
use std::time::Duration;

use longshore_node::deadline::{Deadlined, Deadlines};
use longshore_node::docker::{DockerEngine, Endpoint};
use longshore_node::engine::{ContainerSpec, Engine, EngineError};
use longshore_node::simulated::SimulatedEngine;
use tokio::net::UnixListener;
use tokio::time::{Instant, timeout};

/// An engine whose socket takes connections and never answers.
fn wedged(directory: &Path, deadlines: Deadlines) -> (UnixListener, Deadlined<DockerEngine>) {
    let path = directory.join("engine.sock");
    let listener = UnixListener::bind(&path).expect("a socket");
    let engine = DockerEngine::new(Endpoint::Unix(path)).expect("an address");
    (listener, Deadlined::new(engine, deadlines))
}

#[tokio::test]
async fn every_call_to_a_wedged_engine_ends_and_is_named() {
    let directory = tempfile::tempdir().expect("a directory");
    let short = Duration::from_millis(20);
    let deadlines = Deadlines {
        ping: short,
        image: short,
        pull_connect: short,
        pull_inactivity: short,
        pull: short * 10,
        import_image: short,
        remove_image: short,
        network: short,
        create: short,
        start: short,
        stop_margin: short,
        remove: short,
        inspect: short,
        list: short,
        probe: short,
    };
    let (_listener, engine) = wedged(directory.path(), deadlines);
    let (labels, spec) = ([].into(), ContainerSpec { name: "a".into(), ..ContainerSpec::default() });
    let answers = [
        ("ping", engine.ping().await.map(drop)),
        ("image inspect", engine.image("a").await.map(drop)),
        ("pull: the registry", engine.pull("a", &|_| {}).await.map(drop)),
        ("image import", engine.import_image("a", vec![], &[]).await.map(drop)),
        ("image remove", engine.remove_image("a").await),
        ("network create", engine.ensure_network("a", &labels).await),
        ("network remove", engine.remove_network("a").await),
        ("create", engine.create(&spec).await.map(drop)),
        ("start", engine.start("a").await),
        ("stop", engine.stop("a", 0).await),
        ("remove", engine.remove("a").await),
        ("inspect", engine.inspect("a").await.map(drop)),
        ("list", engine.list("a", "b").await.map(drop)),
        ("probe", engine.probe("a", &labels).await),
    ];
    for (call, answer) in answers {
        assert_eq!(answer, Err(EngineError::Deadline { call, seconds: 1 }));
    }
}

#[tokio::test(start_paused = true)]
async fn a_stop_has_its_own_timeout_on_top() {
    let directory = tempfile::tempdir().expect("a directory");
    let (_listener, engine) = wedged(directory.path(), Deadlines::default());
    let begun = Instant::now();
    let answer = engine.stop("a", 120).await;
    assert_eq!(answer, Err(EngineError::Deadline { call: "stop", seconds: 150 }));
    assert_eq!(begun.elapsed().as_secs(), 150);
}

#[tokio::test(start_paused = true)]
async fn a_registry_that_never_answers_is_given_up_within_15_seconds() {
    let engine = Deadlined::new(SimulatedEngine::new(), Deadlines::default());
    let begun = Instant::now();
    let answer = engine.pull("pull-hangs.invalid/a:1", &|_| {}).await;
    assert_eq!(answer, Err(EngineError::Deadline { call: "pull: the registry", seconds: 14 }));
    assert!(begun.elapsed() < Duration::from_secs(15));
}

#[tokio::test(start_paused = true)]
async fn a_pull_that_falls_silent_is_given_up() {
    let engine = Deadlined::new(SimulatedEngine::new(), Deadlines::default());
    let begun = Instant::now();
    let answer = engine.pull("pull-takes-61000ms.invalid/a:1", &|_| {}).await;
    assert_eq!(answer, Err(EngineError::Deadline { call: "pull: the transfer", seconds: 60 }));
    assert_eq!(begun.elapsed().as_secs(), 60);
    engine.pull("pull-takes-59000ms.invalid/a:1", &|_| {}).await.expect("slow, but not silent for long");
}

#[tokio::test]
async fn an_engine_that_is_not_there_is_said_at_once() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("absent.sock");
    let engine = DockerEngine::new(Endpoint::Unix(path.clone())).expect("an address");
    let answer = timeout(Duration::from_secs(5), engine.ping()).await.expect("at once");
    let Err(EngineError::Unreachable(text)) = answer else { panic!("{answer:?}") };
    assert!(text.contains(path.to_str().expect("text")), "{text}");
    assert!(text.contains("No such file"), "{text}");
}

#[tokio::test]
async fn a_refused_connection_is_said_at_once() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let engine = DockerEngine::new(Endpoint::Tcp(closed.to_string())).expect("an address");
    let answer = timeout(Duration::from_secs(5), engine.inspect("a")).await.expect("at once");
    assert!(matches!(&answer, Err(EngineError::Unreachable(text)) if text.contains("refused")), "{answer:?}");
}
