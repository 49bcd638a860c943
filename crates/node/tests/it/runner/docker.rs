//! The runner on a real Docker engine.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use longshore_ecs_wire::agent::{Container, PortMapping, Task};
use longshore_node::engine::{ContainerPhase, Observed};
use longshore_node::runner::{EngineHealth, Node, NodeConfig};

use super::fake_api::FakeApi;
use super::rig::{Running, arn, stop_of, task};
use crate::rig::{NODE_LABEL, Program, Rig, eventually, with_rig};

/// A node on Docker, and its server's ear.
struct World<'a> {
    rig: &'a Rig,
    api: Arc<FakeApi>,
    cleanup_wait: Duration,
}

impl<'a> World<'a> {
    fn new(rig: &'a Rig) -> Self {
        Self { rig, api: Arc::default(), cleanup_wait: Duration::from_secs(3600) }
    }

    async fn start(&self, node_id: &str) -> Running {
        let config = NodeConfig {
            container_cleanup_wait: self.cleanup_wait,
            ..NodeConfig::new(node_id.to_owned(), Ipv4Addr::LOCALHOST.into())
        };
        Running::new(Arc::new(Node::start(config, Arc::clone(&self.rig.engine), self.api.clone()).await))
    }

    /// Waits for a report with this status; exit codes and reasons of its containers.
    async fn reported(&self, id: &str, status: &str) -> Vec<(Option<i32>, Option<String>)> {
        let what = format!("{id} is {status}");
        let report = eventually(&what, async || {
            self.api.of(&arn(id)).into_iter().find(|report| report.status.as_deref() == Some(status))
        });
        let containers = report.await.containers.expect("containers");
        containers.into_iter().map(|container| (container.exit_code, container.reason)).collect()
    }

    async fn containers(&self, node_id: &str) -> BTreeMap<String, Observed> {
        let all = self.rig.engine.list(NODE_LABEL, node_id).await.expect("listed");
        all.into_iter().map(|container| (container.name.clone(), container)).collect()
    }
}

fn busybox(rig: &Rig, command: &str) -> Container {
    Container {
        image: rig.image.clone(),
        command: Some(["sh", "-c", command].map(str::to_owned).to_vec()),
        essential: true,
        stop_timeout: Some(2),
        ..Container::default()
    }
}

/// A task of these containers, named `c0`, `c1`, ….
fn task_of(id: &str, containers: Vec<Container>) -> Task {
    let named = containers
        .into_iter()
        .enumerate()
        .map(|(index, container)| Container { name: format!("c{index}"), ..container });
    Task { containers: named.collect(), ..task(id, 0) }
}

const SERVES: &str = "trap 'exit 7' TERM; httpd -p 80 -h /tmp; echo ready > /tmp/index.html; sleep 3600 & wait";

/// Runs `body`, then removes all that the nodes with these ids made.
fn with_world(body: impl AsyncFnOnce(&Rig, [String; 2]) + 'static) {
    with_rig(Rig::docker(), |rig| {
        Box::pin(async move {
            let nodes = [rig.node.clone(), format!("x{}", rig.node)];
            let outcome = AssertUnwindSafe(body(rig, nodes.clone())).catch_unwind().await;
            for node in nodes {
                for container in rig.engine.list(NODE_LABEL, &node).await.expect("listed") {
                    rig.engine.remove(&container.runtime_id).await.expect("removed");
                }
                let network = longshore_node::ownership::network_name(&node);
                rig.engine.remove_network(&network).await.expect("network removed");
            }
            if let Err(panic) = outcome {
                resume_unwind(panic);
            }
        })
    });
}

#[test]
fn a_docker_task_publishes_survives_its_node_and_is_removed() {
    with_world(async |rig, [node_id, _]| {
        let world = World::new(rig);
        let mut node = world.start(&node_id).await;
        let mut web = busybox(rig, SERVES);
        web.port_mappings =
            vec![PortMapping { container_port: Some(80), host_port: Some(0), ..PortMapping::default() }];
        let sent = task_of("t", vec![web, busybox(rig, "exec sleep 3600")]);
        node.payload(vec![sent.clone()]).await;
        world.reported("t", "RUNNING").await;
        let report = world.api.of(&arn("t")).remove(0);
        let bindings = report.containers.expect("containers")[0].network_bindings.clone().expect("bindings");
        assert_eq!((bindings[0].bind_ip.as_deref(), bindings[0].container_port), (Some("127.0.0.1"), Some(80)));
        let port = u16::try_from(bindings[0].host_port.expect("a port")).expect("a port");
        eventually("the published port answers", async || {
            tokio::net::TcpStream::connect(("127.0.0.1", port)).await.ok()
        })
        .await;

        let before = world.containers(&node_id).await;
        assert_eq!(before.len(), 2);
        node.kill().await;
        world.api.accepted.lock().expect("unpoisoned").clear();
        let mut node = world.start(&node_id).await;
        node.manifest(1, &["t"]).await;
        node.payload(vec![sent]).await;
        world.reported("t", "RUNNING").await;
        let after = world.containers(&node_id).await;
        let ids = |found: &BTreeMap<String, Observed>| found.values().map(|c| c.runtime_id.clone()).collect::<Vec<_>>();
        assert_eq!(ids(&before), ids(&after), "adopted, not doubled");
        assert!(after.values().all(|container| container.started_at == before[&container.name].started_at));

        node.payload(vec![stop_of("t")]).await;
        let codes: Vec<_> = world.reported("t", "STOPPED").await.into_iter().map(|(code, _)| code).collect();
        assert_eq!(codes, [Some(7), Some(137)], "one hears SIGTERM, the other, as process 1, does not");
        node.node.shutdown(true).await;
        assert_eq!(world.containers(&node_id).await.len(), 0);
        assert_eq!(node.node.engine_health(), EngineHealth::Good);
    });
}

#[test]
fn docker_failures_become_amazons_reasons() {
    with_world(async |rig, [node_id, _]| {
        let mut world = World::new(rig);
        world.cleanup_wait = Duration::ZERO;
        let mut node = world.start(&node_id).await;
        let eats = Container { memory: 12, command: Some(vec!["tail".into(), "/dev/zero".into()]), ..busybox(rig, "") };
        let missing = Container { command: Some(vec!["/no/such/program".into()]), ..busybox(rig, "") };
        let nowhere = Container { image: "127.0.0.1:1/nowhere:1".into(), ..busybox(rig, "") };
        node.payload(vec![
            task_of("exits", vec![busybox(rig, "exit 3"), busybox(rig, "exec sleep 3600")]),
            task_of("oom", vec![eats]),
            task_of("missing", vec![missing]),
            task_of("nowhere", vec![nowhere]),
        ])
        .await;
        let codes: Vec<_> = world.reported("exits", "STOPPED").await.into_iter().map(|(code, _)| code).collect();
        assert_eq!(codes[0], Some(3));
        assert_ne!(codes[1], Some(0), "killed, or, where the first ended before, never started");
        let oom = world.reported("oom", "STOPPED").await.remove(0);
        assert_eq!(oom, (Some(137), Some("OutOfMemoryError: Container killed due to memory usage".to_owned())));
        let starts =
            |reason: &Option<String>, text: &str| reason.as_deref().is_some_and(|reason| reason.starts_with(text));
        let (code, reason) = world.reported("missing", "STOPPED").await.remove(0);
        assert!(code.is_none() && starts(&reason, "CannotStartContainerError: "), "{code:?} {reason:?}");
        let (code, reason) = world.reported("nowhere", "STOPPED").await.remove(0);
        let retried = "CannotPullContainerError: pull image manifest has been retried ";
        assert!(code.is_none() && starts(&reason, retried), "{code:?} {reason:?}");
        eventually("all is removed", async || world.containers(&node_id).await.is_empty().then_some(())).await;
    });
}

#[test]
fn docker_nodes_leave_each_other_and_amazons_containers_alone() {
    with_world(async |rig, [one_id, other_id]| {
        let world = World::new(rig);
        let mut foreign = rig.spec("amazons", Program::RunsUntilStopped);
        foreign.labels = [
            (NODE_LABEL.to_owned(), format!("amazons-{}", rig.node)),
            ("com.amazonaws.ecs.task-arn".to_owned(), arn("amazons")),
            ("com.amazonaws.ecs.container-name".to_owned(), "c0".to_owned()),
        ]
        .into();
        let foreign = rig.run(&foreign).await;
        let mut one = world.start(&one_id).await;
        let mut other = world.start(&other_id).await;
        one.payload(vec![task_of("one", vec![busybox(rig, SERVES)])]).await;
        other.payload(vec![task_of("other", vec![busybox(rig, SERVES)])]).await;
        world.reported("one", "RUNNING").await;
        world.reported("other", "RUNNING").await;
        one.kill().await;
        let mut again = world.start(&one_id).await;
        let message = again.manifest(1, &[]).await;
        let candidates = again.verification().await.expect("asks").stop_candidates;
        assert_eq!(candidates.into_iter().map(|task| task.task_arn).collect::<Vec<_>>(), [arn("one")]);
        again.confirm(&message, &["one", "other", "amazons"]).await;
        world.reported("one", "STOPPED").await;
        again.node.shutdown(true).await;
        assert_eq!(world.containers(&one_id).await.len(), 0);
        let theirs = world.containers(&other_id).await;
        assert!(theirs.values().all(|container| container.phase == ContainerPhase::Running) && theirs.len() == 1);
        let stays = rig.inspect(&foreign).await.phase;
        rig.engine.remove(&foreign).await.expect("removed");
        assert_eq!(stays, ContainerPhase::Running);
        other.node.shutdown(true).await;
    });
}
