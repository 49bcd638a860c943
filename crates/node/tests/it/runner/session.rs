//! What the node answers to the server's messages.

use longshore_ecs_wire::agent::*;
use longshore_node::session::SessionEnd;

use super::rig::{CLUSTER, INSTANCE, Rig, arn, stop_of, task, until};

fn ack(message_id: String) -> Frame {
    Frame::Ack(AckRequest { cluster: CLUSTER.into(), container_instance: INSTANCE.into(), message_id })
}

#[tokio::test(start_paused = true)]
async fn heartbeats_and_payloads_are_acknowledged() {
    let rig = Rig::new();
    let mut node = rig.start().await;
    node.send(Frame::Heartbeat(HeartbeatMessage { message_id: "h".into(), healthy: true })).await;
    assert_eq!(node.receive().await, Frame::HeartbeatAck(HeartbeatAckRequest { message_id: "h".into() }));
    let sent = node.payload(vec![task("t", 1)]).await;
    assert_eq!(node.receive().await, ack(sent));
    rig.reported("t", "RUNNING").await;
    let again = node.payload(vec![task("t", 1)]).await;
    assert_eq!(node.receive().await, ack(again));
    rig.exit("t", "c0", 0);
    rig.reported("t", "STOPPED").await;
    let late = node.payload(vec![task("t", 1)]).await;
    assert_eq!(node.receive().await, ack(late), "a stopped task never goes back");
    assert_eq!((rig.engine.count("create"), rig.engine.count("start")), (1, 1));
    assert_eq!(rig.api.statuses(&arn("t")), ["RUNNING", "STOPPED"]);
}

#[tokio::test(start_paused = true)]
async fn a_late_copy_of_a_payload_does_not_run_a_task_again_that_is_gone() {
    let mut rig = Rig::new();
    rig.cleanup_wait = std::time::Duration::ZERO;
    let mut node = rig.start().await;
    node.payload(vec![task("t", 1)]).await;
    rig.reported("t", "RUNNING").await;
    rig.exit("t", "c0", 0);
    rig.gone("t").await;
    node.payload(vec![task("t", 1)]).await;
    node.payload(vec![task("u", 1)]).await;
    rig.reported("u", "RUNNING").await;
    assert_eq!(rig.engine.lock().started, ["c0", "c0"], "one of t, one of u");
    assert!(!rig.api.statuses(&arn("t")).iter().skip(2).any(|status| status == "RUNNING"));
}

#[tokio::test(start_paused = true)]
async fn messages_without_what_they_must_have_are_dropped() {
    let rig = Rig::new();
    let mut node = rig.start().await;
    let whole = PayloadMessage {
        cluster_arn: CLUSTER.into(),
        container_instance_arn: INSTANCE.into(),
        message_id: "m".into(),
        tasks: vec![task("t", 1)],
        ..PayloadMessage::default()
    };
    for message in [
        PayloadMessage { message_id: String::new(), ..whole.clone() },
        PayloadMessage { cluster_arn: String::new(), ..whole.clone() },
        PayloadMessage { container_instance_arn: String::new(), ..whole.clone() },
    ] {
        node.send(Frame::Payload(message)).await;
    }
    node.send(Frame::Unknown("PerformUpdateMessage".into())).await;
    node.send(Frame::Close(CloseMessage::default())).await;
    node.send(Frame::Heartbeat(HeartbeatMessage { message_id: "h".into(), healthy: true })).await;
    assert!(
        matches!(node.receive().await, Frame::HeartbeatAck(_)),
        "the session goes on, and nothing was acknowledged"
    );
    assert_eq!(rig.engine.count("image"), 0);
}

#[tokio::test(start_paused = true)]
async fn an_invalid_task_is_reported_and_its_payload_not_acknowledged() {
    let rig = Rig::new();
    let mut node = rig.start().await;
    let mut invalid = task("bad", 1);
    invalid.containers[0].overrides = Some(r#"{"memory":1}"#.into());
    node.payload(vec![invalid, task("good", 1)]).await;
    let stopped = rig.reported("bad", "STOPPED").await;
    let reason = stopped.reason.expect("a reason");
    assert!(reason.starts_with("UnrecogniedTaskError: Error loading task - overrides of container 'c0'"), "{reason}");
    rig.reported("good", "RUNNING").await;
    node.send(Frame::Heartbeat(HeartbeatMessage::default())).await;
    assert!(matches!(node.receive().await, Frame::HeartbeatAck(_)), "no acknowledgement came before");
}

#[tokio::test(start_paused = true)]
async fn a_task_that_uses_what_is_not_built_stops_at_once() {
    let rig = Rig::new();
    let mut node = rig.start().await;
    let mut sent = task("t", 2);
    sent.containers[1].depends_on =
        vec![ContainerDependency { container_name: "c0".into(), condition: "START".into() }];
    let message = node.payload(vec![sent]).await;
    assert_eq!(node.receive().await, ack(message));
    let stopped = rig.reported("t", "STOPPED").await;
    assert_eq!(stopped.reason.as_deref(), Some("this node does not support dependsOn yet (container 'c1')"));
    assert_eq!((rig.engine.count("image"), rig.engine.count("create")), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_stop_for_an_unknown_task_is_reported_as_stopped() {
    let rig = Rig::new();
    let mut node = rig.start().await;
    let message = node.payload(vec![stop_of("t")]).await;
    assert_eq!(node.receive().await, ack(message));
    let stopped = rig.reported("t", "STOPPED").await;
    assert_eq!(stopped.reason.as_deref(), Some("TaskStateError: Agent could not progress task's state to stopped"));
    assert_eq!(stopped.cluster.as_deref(), Some("default"));
    let mut whole = task("u", 2);
    whole.desired_status = DesiredStatus::Stopped;
    node.payload(vec![whole]).await;
    let stopped = rig.reported("u", "STOPPED").await;
    let names: Vec<_> =
        stopped.containers.expect("containers").into_iter().filter_map(|container| container.container_name).collect();
    assert_eq!(names, ["c0", "c1"]);
    assert_eq!(rig.engine.count("image"), 0);
}

#[tokio::test(start_paused = true)]
async fn credentials_are_acknowledged_if_the_task_is_known() {
    let rig = Rig::new();
    let mut node = rig.start().await;
    let credentials = |id: &str| IamRoleCredentials {
        credentials_id: id.into(),
        expiration: "2030-01-01T00:00:00Z".into(),
        ..IamRoleCredentials::default()
    };
    let mut sent = task("t", 1);
    sent.execution_role_credentials = Some(credentials("e"));
    let message = node.payload(vec![sent]).await;
    let ack_of = |message_id: &str, id: &str| {
        let (message_id, credentials_id) = (message_id.to_owned(), id.to_owned());
        Frame::IamRoleCredentialsAck(IamRoleCredentialsAckRequest {
            message_id,
            credentials_id,
            expiration: "2030-01-01T00:00:00Z".into(),
        })
    };
    assert_eq!(node.receive().await, ack_of(&message, "e"));
    assert_eq!(node.receive().await, ack(message));
    for id in ["unknown", "t"] {
        node.send(Frame::IamRoleCredentials(IamRoleCredentialsMessage {
            message_id: format!("for {id}"),
            task_arn: arn(id),
            role_credentials: Some(credentials("f")),
            ..IamRoleCredentialsMessage::default()
        }))
        .await;
    }
    assert_eq!(node.receive().await, ack_of("for t", "f"));
}

#[tokio::test(start_paused = true)]
async fn a_manifest_asks_before_it_stops() {
    let rig = Rig::new();
    let mut node = rig.start().await;
    node.payload(vec![task("a", 1), task("b", 1), task("c", 1)]).await;
    for id in ["a", "b", "c"] {
        rig.reported(id, "RUNNING").await;
    }
    let message = node.manifest(7, &["a"]).await;
    let asked = node.verification().await.expect("asks");
    assert_eq!(asked.message_id, message);
    let candidates: Vec<_> = asked.stop_candidates.iter().map(|task| task.task_arn.clone()).collect();
    assert_eq!(candidates, [arn("b"), arn("c")]);
    assert!(
        asked
            .stop_candidates
            .iter()
            .all(|task| task.desired_status == DesiredStatus::Stopped && task.task_cluster_arn == CLUSTER)
    );
    node.confirm("another message", &["c"]).await;
    node.confirm(&message, &["b"]).await;
    rig.reported("b", "STOPPED").await;
    assert_eq!(
        (rig.api.statuses(&arn("a")), rig.api.statuses(&arn("c"))),
        (vec!["RUNNING".to_owned()], vec!["RUNNING".to_owned()])
    );
}

#[tokio::test(start_paused = true)]
async fn a_manifest_that_is_not_newer_than_what_was_heard_is_not_obeyed() {
    let rig = Rig::new();
    let mut node = rig.start().await;
    let message = PayloadMessage {
        cluster_arn: CLUSTER.into(),
        container_instance_arn: INSTANCE.into(),
        message_id: "p".into(),
        seq_num: Some(10),
        tasks: vec![task("t", 1)],
        ..PayloadMessage::default()
    };
    node.send(Frame::Payload(message)).await;
    rig.reported("t", "RUNNING").await;
    for timeline in [9, 10] {
        node.manifest(timeline, &[]).await;
        assert_eq!(node.verification().await, None, "timeline {timeline}");
    }
    node.manifest(11, &[]).await;
    assert_eq!(node.verification().await.expect("newer").stop_candidates.len(), 1);
    node.manifest(11, &[]).await;
    assert_eq!(node.verification().await, None, "the same again");
    // The number belongs to the container instance and outlives the session.
    node.reconnect();
    node.manifest(11, &[]).await;
    assert_eq!(node.verification().await, None);
    node.manifest(12, &[]).await;
    assert_eq!(node.verification().await.expect("newer").stop_candidates.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_manifest_is_about_the_tasks_of_its_container_instance() {
    let rig = Rig::new();
    let mut node = rig.start().await;
    node.payload_for("another instance", vec![task("other", 1)]).await;
    node.payload(vec![task("mine", 1)]).await;
    rig.reported("other", "RUNNING").await;
    rig.reported("mine", "RUNNING").await;
    node.manifest(1, &[]).await;
    let candidates = node.verification().await.expect("asks").stop_candidates;
    assert_eq!(candidates.into_iter().map(|task| task.task_arn).collect::<Vec<_>>(), [arn("mine")]);
}

#[tokio::test(start_paused = true)]
async fn a_session_ends_with_the_stream_and_with_the_node() {
    let rig = Rig::new();
    let mut node = rig.start().await;
    node.payload(vec![task("t", 1)]).await;
    rig.reported("t", "RUNNING").await;
    let (_, incoming) = tokio::sync::mpsc::channel(1);
    let old = std::mem::replace(&mut node.server.incoming, incoming);
    let (closed, _) = tokio::sync::mpsc::channel(1);
    drop((old, std::mem::replace(&mut node.server.outgoing, closed)));
    let end = (&mut node.session).await.expect("no panic");
    assert_eq!(end, SessionEnd::ClosedByServer);
    // Tasks go on without a session.
    rig.exit("t", "c0", 0);
    rig.reported("t", "STOPPED").await;
    node.reconnect();
    let runs = || node.session.is_finished();
    node.node.shutdown(false).await;
    until("the session has ended", runs).await;
    assert_eq!((&mut node.session).await.expect("no panic"), SessionEnd::ShutDown);
}
