//! What a task goes through when the engine works.

use std::time::Duration;

use longshore_ecs_wire::agent::{DockerConfig, PortMapping};
use longshore_node::engine::{ContainerPhase, PullProgress};
use tokio::time::Instant;

use super::fake_engine::image;
use super::rig::{Rig, arn, stop_of, task, until};

#[tokio::test(start_paused = true)]
async fn a_task_runs_and_ends_by_itself() {
    let rig = Rig::new();
    let mut node = rig.start().await;
    node.payload(vec![task("t", 1)]).await;
    let running = rig.reported("t", "RUNNING").await;
    let container = rig.container("t", "c0");
    assert_eq!(container.observed.phase, ContainerPhase::Running);
    let told = &running.containers.expect("containers")[0];
    assert_eq!(told.runtime_id.as_deref(), Some(container.observed.runtime_id.as_str()));
    assert_eq!(told.image_digest.as_deref(), Some("sha256:digest-of-web"));
    let (begun, ended) = (running.pull_started_at.expect("begun"), running.pull_stopped_at.expect("ended"));
    assert!(ended.millis_since(begun) >= 200, "the pull took its time: {begun:?} {ended:?}");
    assert!(container.observed.started_at.expect("started") >= ended);

    rig.exit("t", "c0", 3);
    let stopped = rig.reported("t", "STOPPED").await;
    assert_eq!(stopped.reason, None);
    assert_eq!(stopped.execution_stopped_at, rig.container("t", "c0").observed.finished_at);
    assert_eq!(stopped.containers.expect("containers")[0].exit_code, Some(3));
    assert_eq!(rig.api.statuses(&arn("t")), ["RUNNING", "STOPPED"]);
}

#[tokio::test(start_paused = true)]
async fn no_call_to_the_engine_is_made_twice_on_the_way_to_running() {
    let rig = Rig::new();
    let mut node = rig.start().await;
    rig.engine.lock().calls.clear();
    node.payload(vec![task("t", 1)]).await;
    rig.reported("t", "RUNNING").await;
    let calls: Vec<String> =
        rig.engine.lock().calls.iter().filter_map(|call| call.split(' ').next().map(str::to_owned)).collect();
    assert_eq!(calls[..6], ["image", "pull", "network", "create", "start", "inspect"]);
    // The event of the start may come after that look and calls for another, which nothing waits for.
    assert!(calls.len() == 6 || calls[6..] == ["inspect"], "{calls:?}");
    node.payload(vec![task("u", 1)]).await;
    rig.reported("u", "RUNNING").await;
    assert_eq!(rig.engine.count("network"), 1, "the network is made once");
}

#[tokio::test(start_paused = true)]
async fn an_essential_end_stops_the_others() {
    let rig = Rig::new();
    let mut node = rig.start().await;
    rig.engine.lock().deaf.push("c1".into());
    let mut sent = task("t", 3);
    sent.containers[1].stop_timeout = Some(7);
    sent.containers[2].essential = false;
    node.payload(vec![sent]).await;
    rig.reported("t", "RUNNING").await;
    rig.exit("t", "c2", 0);
    until("the end of c2 is told", || rig.api.of(&arn("t")).len() == 2).await;
    rig.exit("t", "c0", 1);
    let begun = Instant::now();
    let stopped = rig.reported("t", "STOPPED").await;
    let took = begun.elapsed();
    assert!(
        took >= Duration::from_secs(7) && took < Duration::from_secs(9),
        "SIGKILL after the stop timeout: {took:?}"
    );
    let codes: Vec<_> =
        stopped.containers.expect("containers").into_iter().map(|container| container.exit_code).collect();
    assert_eq!(codes, [Some(1), Some(137), Some(0)]);
    assert_eq!(stopped.execution_stopped_at, rig.container("t", "c0").observed.finished_at);
}

#[tokio::test(start_paused = true)]
async fn a_stop_reaches_a_running_task() {
    let rig = Rig::new();
    let mut node = rig.start().await;
    node.payload(vec![task("t", 2)]).await;
    rig.reported("t", "RUNNING").await;
    node.payload(vec![stop_of("t")]).await;
    let stopped = rig.reported("t", "STOPPED").await;
    let codes: Vec<_> =
        stopped.containers.expect("containers").into_iter().map(|container| container.exit_code).collect();
    assert_eq!(codes, [Some(143), Some(143)]);
    assert_eq!(rig.api.statuses(&arn("t")), ["RUNNING", "STOPPED"], "no report in between");
    assert_eq!(rig.engine.count("stop"), 2);
}

#[tokio::test(start_paused = true)]
async fn a_stop_during_a_pull_is_quick_and_makes_nothing() {
    let rig = Rig::new();
    rig.engine.lock().pull_time = Duration::from_secs(600);
    let mut node = rig.start().await;
    node.payload(vec![task("t", 2)]).await;
    until("the pull has begun", || rig.engine.count("pull") == 1).await;
    let begun = Instant::now();
    node.payload(vec![stop_of("t")]).await;
    let stopped = rig.reported("t", "STOPPED").await;
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    for container in stopped.containers.expect("containers") {
        let reason = container.reason.expect("a reason");
        assert!(reason.starts_with("TaskStoppedBeforePullBeginError: "), "{reason}");
    }
    assert_eq!((rig.engine.count("create"), rig.engine.of_task(&arn("t")).len()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn progress_of_pulls_can_be_seen() {
    let rig = Rig::new();
    rig.engine.lock().pull_time = Duration::from_secs(100);
    let mut node = rig.start().await;
    assert_eq!(node.node.pull_progress(&arn("t")), None);
    node.payload(vec![task("t", 1)]).await;
    let half = Some([("c0".to_owned(), PullProgress { current: 50, total: 100 })].into());
    until("half of it is here", || node.node.pull_progress(&arn("t")) == half).await;
    rig.reported("t", "RUNNING").await;
    assert_eq!(node.node.pull_progress(&arn("t")), Some([].into()), "no pull is under way");
}

#[tokio::test(start_paused = true)]
async fn ports_are_reported() {
    let rig = Rig::new();
    let mut node = rig.start().await;
    let ports = vec![
        PortMapping { container_port: Some(80), host_port: Some(8080), ..PortMapping::default() },
        PortMapping { container_port: Some(53), protocol: Some("udp".into()), ..PortMapping::default() },
    ];
    let mut bridge = task("bridge", 1);
    bridge.containers[0].port_mappings.clone_from(&ports);
    let mut host = task("host", 1);
    host.containers[0].port_mappings = ports;
    host.network_mode = Some("host".into());
    let host_config = Some(r#"{"NetworkMode":"host"}"#.to_owned());
    host.containers[0].docker_config = Some(DockerConfig { host_config, ..DockerConfig::default() });
    node.payload(vec![bridge, host]).await;
    let mut told = Vec::new();
    for id in ["bridge", "host"] {
        let report = rig.reported(id, "RUNNING").await;
        for binding in report.containers.expect("containers")[0].network_bindings.clone().expect("bindings") {
            let protocol = binding.protocol.expect("protocol").to_string();
            told.push((id, binding.bind_ip.expect("address"), binding.container_port, binding.host_port, protocol));
        }
    }
    let binding = |id, ip: &str, port, host_port, protocol: &str| {
        (id, ip.to_owned(), Some(port), Some(host_port), protocol.to_owned())
    };
    let expected = [
        binding("bridge", "127.0.0.1", 80, 8080, "tcp"),
        binding("bridge", "127.0.0.1", 53, 49153, "udp"),
        binding("host", "0.0.0.0", 80, 80, "tcp"),
        binding("host", "0.0.0.0", 53, 53, "udp"),
    ];
    assert_eq!(told, expected);
}

#[tokio::test(start_paused = true)]
async fn stopped_containers_are_removed_after_the_wait_and_not_before_the_server_knows() {
    let mut rig = Rig::new();
    rig.cleanup_wait = Duration::from_secs(100);
    let mut node = rig.start().await;
    node.payload(vec![task("t", 1)]).await;
    rig.reported("t", "RUNNING").await;
    rig.api.fail(&["ServerException"; 60]);
    rig.exit("t", "c0", 0);
    let begun = Instant::now();
    until("reports fail for longer than the wait", || rig.api.attempts.lock().expect("unpoisoned").len() >= 20).await;
    assert!(begun.elapsed() > rig.cleanup_wait);
    assert_eq!(rig.engine.of_task(&arn("t")).len(), 1, "the server does not know yet");
    rig.api.failures.lock().expect("unpoisoned").clear();
    rig.reported("t", "STOPPED").await;
    rig.gone("t").await;

    node.payload(vec![task("u", 1)]).await;
    rig.reported("u", "RUNNING").await;
    rig.exit("u", "c0", 0);
    let begun = Instant::now();
    rig.gone("u").await;
    let took = begun.elapsed();
    assert!(took >= Duration::from_secs(100) && took < Duration::from_secs(101), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn an_end_whose_event_was_lost_is_noticed() {
    let rig = Rig::new();
    let mut node = rig.start().await;
    node.payload(vec![task("t", 1)]).await;
    rig.reported("t", "RUNNING").await;
    let id = rig.container("t", "c0").observed.runtime_id;
    {
        let mut machine = rig.engine.lock();
        let container = machine.containers.get_mut(&id).expect("there");
        container.observed.phase = ContainerPhase::Exited;
        container.observed.exit_code = Some(9);
    }
    rig.engine.resync();
    let begun = Instant::now();
    let stopped = rig.reported("t", "STOPPED").await;
    assert!(begun.elapsed() < Duration::from_secs(1), "a resync looks at once");
    assert_eq!(stopped.containers.expect("containers")[0].exit_code, Some(9));

    node.payload(vec![task("u", 1)]).await;
    rig.reported("u", "RUNNING").await;
    let id = rig.container("u", "c0").observed.runtime_id;
    rig.engine.lock().containers.remove(&id);
    let stopped = rig.reported("u", "STOPPED").await;
    let reason = stopped.containers.expect("containers")[0].reason.clone().expect("a reason");
    assert_eq!(reason, "ContainerVanishedError: No container matching saved ID found");
}

#[tokio::test(start_paused = true)]
async fn out_of_memory_is_told() {
    let rig = Rig::new();
    rig.engine.lock().local_images.insert("here:1".into(), image("here", false));
    let mut node = rig.start().await;
    let mut sent = task("t", 1);
    sent.containers[0].image = "here:1".into();
    node.payload(vec![sent]).await;
    rig.reported("t", "RUNNING").await;
    let id = rig.container("t", "c0").observed.runtime_id;
    rig.engine.lock().containers.get_mut(&id).expect("there").observed.oom_killed = true;
    rig.engine.exit(&id, 137);
    let stopped = rig.reported("t", "STOPPED").await;
    let container = &stopped.containers.expect("containers")[0];
    assert_eq!(container.exit_code, Some(137));
    assert_eq!(container.reason.as_deref(), Some("OutOfMemoryError: Container killed due to memory usage"));
    assert_eq!(stopped.reason, None);
}
