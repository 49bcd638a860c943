//! The JSON of every message, both ways.

use std::collections::BTreeMap;

use super::*;
use crate::agent::*;

fn golden(frame: Frame, json: &str) {
    assert_eq!(serde_json::to_string(&frame).expect("frames have string keys"), json);
    assert_eq!(serde_json::from_str::<Frame>(json).expect("golden is a frame"), frame);
}

fn identifier(arn: &str, desired_status: DesiredStatus) -> TaskIdentifier {
    TaskIdentifier { task_arn: arn.into(), task_cluster_arn: "c".into(), desired_status }
}

#[test]
fn signs_of_life() {
    golden(
        Frame::Heartbeat(HeartbeatMessage { message_id: "m1".into(), healthy: true }),
        r#"{"type":"HeartbeatMessage","message":{"messageId":"m1","healthy":true}}"#,
    );
    golden(
        Frame::HeartbeatAck(HeartbeatAckRequest { message_id: "m1".into() }),
        r#"{"type":"HeartbeatAckRequest","message":{"messageId":"m1"}}"#,
    );
}

#[test]
fn acknowledgements() {
    golden(
        Frame::Ack(AckRequest { cluster: "default".into(), container_instance: "i".into(), message_id: "m".into() }),
        r#"{"type":"AckRequest","message":{"cluster":"default","containerInstance":"i","messageId":"m"}}"#,
    );
    golden(
        Frame::Nack(NackRequest {
            cluster: "default".into(),
            container_instance: "i".into(),
            message_id: "m".into(),
            reason: "Updates are disabled".into(),
        }),
        r#"{"type":"NackRequest","message":{"cluster":"default","containerInstance":"i","messageId":"m","reason":"Updates are disabled"}}"#,
    );
}

#[test]
fn manifest_exchange() {
    golden(
        Frame::TaskManifest(TaskManifestMessage {
            cluster_arn: "c".into(),
            container_instance_arn: "i".into(),
            message_id: "m".into(),
            generated_at: Some(1_700_000_000_000),
            timeline: 7,
            tasks: vec![identifier("t1", DesiredStatus::Running)],
        }),
        r#"{"type":"TaskManifestMessage","message":{"clusterArn":"c","containerInstanceArn":"i","messageId":"m","generatedAt":1700000000000,"timeline":7,"tasks":[{"taskArn":"t1","taskClusterArn":"c","desiredStatus":"RUNNING"}]}}"#,
    );
    golden(
        Frame::TaskStopVerification(TaskStopVerificationMessage {
            message_id: "m".into(),
            stop_candidates: vec![identifier("t2", DesiredStatus::Stopped)],
        }),
        r#"{"type":"TaskStopVerificationMessage","message":{"messageId":"m","stopCandidates":[{"taskArn":"t2","taskClusterArn":"c","desiredStatus":"STOPPED"}]}}"#,
    );
    golden(
        Frame::TaskStopVerificationAck(TaskStopVerificationAck {
            message_id: "m".into(),
            generated_at: None,
            stop_tasks: vec![identifier("t2", DesiredStatus::Stopped)],
        }),
        r#"{"type":"TaskStopVerificationAck","message":{"messageId":"m","stopTasks":[{"taskArn":"t2","taskClusterArn":"c","desiredStatus":"STOPPED"}]}}"#,
    );
}

#[test]
fn credentials() {
    let credentials = IamRoleCredentials {
        credentials_id: "id".into(),
        role_arn: "role".into(),
        access_key_id: "AK".into(),
        secret_access_key: "SK".into(),
        session_token: "ST".into(),
        expiration: "2030-01-01T00:00:00Z".into(),
        credential_scope: None,
    };
    assert!(!format!("{credentials:?}").contains("SK"), "secrets never reach logs");
    golden(
        Frame::IamRoleCredentials(IamRoleCredentialsMessage {
            message_id: "m".into(),
            task_arn: "t".into(),
            task_cluster_arn: "c".into(),
            role_type: RoleType::TaskExecution,
            role_credentials: Some(credentials),
        }),
        r#"{"type":"IAMRoleCredentialsMessage","message":{"messageId":"m","taskArn":"t","taskClusterArn":"c","roleType":"TaskExecution","roleCredentials":{"credentialsId":"id","roleArn":"role","accessKeyId":"AK","secretAccessKey":"SK","sessionToken":"ST","expiration":"2030-01-01T00:00:00Z"}}}"#,
    );
    golden(
        Frame::IamRoleCredentialsAck(IamRoleCredentialsAckRequest {
            message_id: "m".into(),
            credentials_id: "id".into(),
            expiration: "2030-01-01T00:00:00Z".into(),
        }),
        r#"{"type":"IAMRoleCredentialsAckRequest","message":{"messageId":"m","credentialsId":"id","expiration":"2030-01-01T00:00:00Z"}}"#,
    );
}

#[test]
fn session_ends() {
    golden(
        Frame::Close(CloseMessage { message: "bye".into() }),
        r#"{"type":"CloseMessage","message":{"message":"bye"}}"#,
    );
    golden(Frame::Error(ErrorMessage { message: "x".into() }), r#"{"type":"ErrorMessage","message":{"message":"x"}}"#);
    golden(
        Frame::InactiveInstanceException(ExceptionMessage { message: "gone".into() }),
        r#"{"type":"InactiveInstanceException","message":{"message":"gone"}}"#,
    );
}

#[test]
fn payload() {
    let container = Container {
        name: "web".into(),
        image: "busybox:latest".into(),
        command: Some(vec!["sleep".into(), "60".into()]),
        cpu: 128,
        memory: 64,
        essential: true,
        environment: BTreeMap::from([("A".into(), "1".into())]),
        port_mappings: vec![PortMapping {
            container_port: Some(80),
            host_port: Some(0),
            protocol: Some("tcp".into()),
            ..PortMapping::default()
        }],
        depends_on: vec![ContainerDependency { container_name: "db".into(), condition: "START".into() }],
        stop_timeout: Some(5),
        secrets: vec![Secret {
            name: "S".into(),
            value_from: "arn".into(),
            kind: Some("ENVIRONMENT_VARIABLE".into()),
            ..Secret::default()
        }],
        overrides: Some("{}".into()),
        docker_config: Some(DockerConfig {
            config: Some("{}".into()),
            host_config: Some(r#"{"NetworkMode":"bridge"}"#.into()),
            version: Some("1.24".into()),
        }),
        ..Container::default()
    };
    let task = Task {
        arn: "arn:aws:ecs:us-east-1:000000000000:task/default/t".into(),
        task_cluster_arn: Some("c".into()),
        family: Some("web".into()),
        version: Some("3".into()),
        cpu: Some(0.25),
        memory: Some(512),
        network_mode: Some("bridge".into()),
        launch_type: Some("EC2".into()),
        containers: vec![container],
        volumes: vec![Volume {
            name: "v".into(),
            host: Some(HostVolume { source_path: Some("/x".into()) }),
            ..Volume::default()
        }],
        ..Task::default()
    };
    let stop = Task { arn: "t2".into(), desired_status: DesiredStatus::Stopped, ..Task::default() };
    golden(
        Frame::Payload(PayloadMessage {
            cluster_arn: "c".into(),
            container_instance_arn: "i".into(),
            message_id: "m".into(),
            seq_num: Some(4),
            generated_at: Some(1),
            tasks: vec![task, stop],
        }),
        concat!(
            r#"{"type":"PayloadMessage","message":{"clusterArn":"c","containerInstanceArn":"i","messageId":"m","seqNum":4,"generatedAt":1,"tasks":["#,
            r#"{"arn":"arn:aws:ecs:us-east-1:000000000000:task/default/t","taskClusterArn":"c","family":"web","version":"3","desiredStatus":"RUNNING","containers":["#,
            r#"{"name":"web","image":"busybox:latest","command":["sleep","60"],"cpu":128,"memory":64,"essential":true,"environment":{"A":"1"},"#,
            r#""portMappings":[{"containerPort":80,"hostPort":0,"protocol":"tcp"}],"dependsOn":[{"containerName":"db","condition":"START"}],"stopTimeout":5,"#,
            r#""secrets":[{"name":"S","valueFrom":"arn","type":"ENVIRONMENT_VARIABLE"}],"overrides":"{}","#,
            r#""dockerConfig":{"config":"{}","hostConfig":"{\"NetworkMode\":\"bridge\"}","version":"1.24"}}],"#,
            r#""volumes":[{"name":"v","host":{"sourcePath":"/x"}}],"cpu":0.25,"memory":512,"launchType":"EC2","networkMode":"bridge"},"#,
            r#"{"arn":"t2","desiredStatus":"STOPPED"}]}}"#,
        ),
    );
}

#[test]
fn docker_words() {
    let config =
        ContainerConfig { working_dir: Some("/".into()), open_stdin: Some(true), ..ContainerConfig::default() };
    assert_eq!(serde_json::to_string(&config).expect("plain"), r#"{"WorkingDir":"/","OpenStdin":true}"#);
    let host = HostConfig {
        network_mode: Some("host".into()),
        log_config: Some(LogConfig { kind: "json-file".into(), config: None }),
        readonly_rootfs: Some(true),
        ulimits: Some(vec![Ulimit { name: "nofile".into(), soft: 1, hard: 2 }]),
        dns_search: Some(vec!["a".into()]),
        shm_size: Some(64),
        ..HostConfig::default()
    };
    assert_eq!(
        serde_json::to_string(&host).expect("plain"),
        r#"{"NetworkMode":"host","LogConfig":{"Type":"json-file"},"ReadonlyRootfs":true,"ShmSize":64,"Ulimits":[{"Name":"nofile","Soft":1,"Hard":2}],"DnsSearch":["a"]}"#,
    );
}

#[test]
fn unknown_types_are_kept_apart_from_broken_bodies() {
    let unknown: Frame = serde_json::from_str(r#"{"type":"PerformUpdateMessage","message":{"a":[1,{"b":null}]}}"#)
        .expect("unknown is fine");
    assert_eq!(unknown, Frame::Unknown("PerformUpdateMessage".into()));
    assert_eq!(unknown.type_name(), "PerformUpdateMessage");
    assert!(serde_json::from_str::<Frame>(r#"{"type":"AckRequest","message":{"messageId":7}}"#).is_err());
    assert!(serde_json::from_str::<Frame>(r#"{"type":"AckRequest"}"#).is_err());
    assert!(serde_json::from_str::<Frame>(r#"{"message":{}}"#).is_err());
    assert!(serde_json::to_string(&unknown).is_err(), "an unknown frame is never sent");
}

#[test]
fn members_nobody_knows_are_ignored() {
    let frame: Frame =
        serde_json::from_str(r#"{"type":"HeartbeatMessage","new":1,"message":{"messageId":"m","later":{}}}"#)
            .expect("reads");
    assert_eq!(frame, Frame::Heartbeat(HeartbeatMessage { message_id: "m".into(), healthy: false }));
}
