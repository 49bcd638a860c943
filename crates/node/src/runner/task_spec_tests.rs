//! What the payload's words become.

use std::net::Ipv4Addr;

use longshore_ecs_wire::agent::{DockerConfig, PortMapping};

use super::*;
use crate::engine::ContainerPhase;

const ARN: &str = "arn:aws:ecs:eu-west-1:123456789012:task/blue/0123456789abcdef0123456789abcdef";

fn context() -> SpecContext {
    SpecContext {
        node_id: "n".repeat(32),
        network_name: "longshore-x".into(),
        publish_address: Ipv4Addr::LOCALHOST.into(),
    }
}

fn task(containers: Vec<Container>) -> Task {
    Task { arn: ARN.into(), family: Some("web".into()), version: Some("3".into()), containers, ..Task::default() }
}

fn container() -> Container {
    Container { name: "app".into(), image: "busybox".into(), essential: true, ..Container::default() }
}

fn words(config: &str, host: &str) -> Option<DockerConfig> {
    Some(DockerConfig { config: Some(config.into()), host_config: Some(host.into()), version: None })
}

fn spec(container: Container) -> ContainerSpec {
    only(&task(vec![container])).spec
}

fn only(task: &Task) -> ContainerTemplate {
    let mut spec = TaskSpec::from_payload(task, &context()).expect("valid");
    assert_eq!(spec.refusal, None);
    spec.containers.remove(0)
}

fn invalid(task: &Task) -> String {
    TaskSpec::from_payload(task, &context()).expect_err("invalid").0
}

#[test]
fn arns() {
    assert_eq!(region_and_cluster(ARN), Some(("eu-west-1", "blue")));
    for arn in [
        "",
        "a",
        "arn:aws:ecs:r:a:task/x",
        "arn:aws:ecs:r:a:task//x",
        "arn:aws:s3:r:a:task/c/x",
        "arn:aws:ecs:r:a:task/c/x/y",
    ] {
        assert_eq!(region_and_cluster(arn), None, "{arn}");
    }
}

#[test]
fn names_labels_and_environment() {
    let labels = r#"{"Labels":{"team":"a","longshore.node":"forged","com.amazonaws.ecs.task-arn":"forged"}}"#;
    let environment = [("A".to_owned(), "1".to_owned())].into();
    let spec = spec(Container { docker_config: words(labels, ""), environment, stop_timeout: Some(7), ..container() });
    assert_eq!(spec.name, container_name("web", "3", "app", ARN));
    let label = |name: &str| spec.labels.get(name).map(String::as_str);
    assert_eq!(label("team"), Some("a"));
    assert_eq!(label(NODE_LABEL), Some("n".repeat(32)).as_deref());
    assert_eq!(label(TASK_ARN_LABEL), Some(ARN));
    assert_eq!(label(CONTAINER_NAME_LABEL), Some("app"));
    assert_eq!(label(FAMILY_LABEL), Some("web"));
    assert_eq!(label(REVISION_LABEL), Some("3"));
    assert_eq!(label(CLUSTER_LABEL), Some("blue"));
    assert_eq!(label(STOP_TIMEOUT_LABEL), Some("7"));
    assert_eq!(spec.stop_timeout_seconds, 7);
    let variables: Vec<_> = spec.environment.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(variables, [("A", "1"), ("AWS_DEFAULT_REGION", "eu-west-1"), ("AWS_REGION", "eu-west-1")]);
}

#[test]
fn a_region_that_the_task_sets_stays_the_only_one() {
    let environment = [("AWS_REGION".to_owned(), "mars".to_owned())].into();
    let spec = spec(Container { environment, ..container() });
    assert_eq!(spec.environment.into_iter().collect::<Vec<_>>(), [("AWS_REGION".to_owned(), "mars".to_owned())]);
}

#[test]
fn everything_that_travels_in_dockers_words() {
    let config = r#"{"User":"1000","WorkingDir":"/w","Hostname":"h","Tty":true,"OpenStdin":true}"#;
    let host = r#"{"NetworkMode":"bridge","Privileged":true,"ReadonlyRootfs":true,"CapAdd":["SYS_TIME"],"CapDrop":["CHOWN"],"Init":true,
        "ShmSize":1048576,"Sysctls":{"net.core.somaxconn":"1"},"Ulimits":[{"Name":"nofile","Soft":1,"Hard":2}],"Dns":["1.1.1.1"],
        "DnsSearch":["x.y"],"ExtraHosts":["a:1.2.3.4"],"LogConfig":{"Type":"syslog","Config":{"tag":"t"}},"MemoryReservation":8388608}"#;
    let spec = spec(Container { docker_config: words(config, host), ..container() });
    assert_eq!(spec.user.as_deref(), Some("1000"));
    assert_eq!(spec.working_directory.as_deref(), Some("/w"));
    assert_eq!(spec.hostname.as_deref(), Some("h"));
    assert!(
        spec.pseudo_terminal
            && spec.interactive
            && spec.privileged
            && spec.readonly_root_filesystem
            && spec.init_process
    );
    assert_eq!(
        (spec.capabilities_add, spec.capabilities_drop),
        (vec!["SYS_TIME".to_owned()], vec!["CHOWN".to_owned()])
    );
    assert_eq!(spec.shared_memory_bytes, Some(1 << 20));
    assert_eq!(spec.system_controls.get("net.core.somaxconn").map(String::as_str), Some("1"));
    assert_eq!(spec.ulimits.get("nofile"), Some(&(1, 2)));
    assert_eq!((spec.dns_servers, spec.dns_search_domains), (vec!["1.1.1.1".to_owned()], vec!["x.y".to_owned()]));
    assert_eq!(spec.extra_hosts, ["a:1.2.3.4"]);
    assert_eq!(spec.log, Some(("syslog".to_owned(), [("tag".to_owned(), "t".to_owned())].into())));
    assert_eq!(spec.memory_reservation_bytes, Some(8 << 20));
    assert_eq!(spec.network, NetworkMode::Bridge("longshore-x".into()));
}

#[test]
fn network_modes_and_ports() {
    let ports = vec![
        PortMapping { container_port: Some(80), host_port: Some(8080), ..PortMapping::default() },
        PortMapping {
            container_port: Some(53),
            host_port: Some(0),
            protocol: Some("udp".into()),
            ..PortMapping::default()
        },
    ];
    let with = |of_task: Option<&str>, host: &str| {
        let mapped = Container { port_mappings: ports.clone(), docker_config: words("", host), ..container() };
        let launch_type = (of_task == Some("awsvpc")).then(|| "FARGATE".to_owned());
        only(&Task { network_mode: of_task.map(str::to_owned), launch_type, ..task(vec![mapped]) })
    };
    let bridge = NetworkMode::Bridge("longshore-x".into());
    for of_task in [None, Some(""), Some("bridge")] {
        let template = with(of_task, "");
        assert_eq!(template.spec.network, bridge);
        let published: Vec<_> =
            template.spec.ports.iter().map(|port| (port.container_port, port.host_port, port.protocol)).collect();
        assert_eq!(published, [(80, Some(8080), Protocol::Tcp), (53, None, Protocol::Udp)]);
        assert!(template.spec.ports.iter().all(|port| port.publish_address == Ipv4Addr::LOCALHOST));
        assert_eq!(template.host_ports, []);
    }
    let awsvpc = with(Some("awsvpc"), "");
    assert_eq!((awsvpc.spec.network, awsvpc.spec.ports, awsvpc.host_ports), (bridge, vec![], vec![]));
    let none = with(Some("none"), r#"{"NetworkMode":"none"}"#);
    assert_eq!((none.spec.network, none.spec.ports, none.host_ports), (NetworkMode::None, vec![], vec![]));
    let host = with(Some("bridge"), r#"{"NetworkMode":"host"}"#);
    assert_eq!(host.spec.network, NetworkMode::Host, "hostConfig decides");
    assert_eq!(host.spec.ports, []);
    let bound: Vec<_> = host
        .host_ports
        .iter()
        .map(|port| (port.bind_ip.as_str(), port.container_port, port.host_port, port.protocol))
        .collect();
    assert_eq!(bound, [("0.0.0.0", 80, 80, Protocol::Tcp), ("0.0.0.0", 53, 53, Protocol::Udp)]);
}

#[test]
fn cpu_and_memory() {
    let plain = spec(container());
    assert_eq!((plain.cpu_shares, plain.memory_bytes), (2, None));
    let asked = spec(Container { cpu: 512, memory: 64, ..container() });
    assert_eq!((asked.cpu_shares, asked.memory_bytes), (512, Some(64 << 20)));
    let extreme = spec(Container { cpu: 1, memory: 4, ..container() });
    assert_eq!((extreme.cpu_shares, extreme.memory_bytes), (2, Some(6 << 20)), "raised to what the engine takes");
    assert_eq!(spec(Container { cpu: i64::MAX, ..container() }).cpu_shares, 262_144);
}

#[test]
fn a_task_limit_holds_for_containers_without_their_own() {
    let side = |name: &str, cpu, memory| Container { name: name.into(), cpu, memory, ..container() };
    let limited =
        Task { cpu: Some(1.0), memory: Some(512), ..task(vec![side("a", 0, 0), side("b", 0, 0), side("c", 256, 128)]) };
    let spec = TaskSpec::from_payload(&limited, &context()).expect("valid");
    let limits: Vec<_> = spec.containers.iter().map(|c| (c.spec.cpu_shares, c.spec.memory_bytes)).collect();
    assert_eq!(limits, [(384, Some(512 << 20)), (384, Some(512 << 20)), (256, Some(128 << 20))]);
}

#[test]
fn overrides_may_replace_the_command_and_nothing_else() {
    let words = |list: &[&str]| Some(list.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
    let given =
        |overrides: &str| Container { command: words(&["a"]), overrides: Some(overrides.into()), ..container() };
    assert_eq!(spec(given("{}")).command, words(&["a"]));
    assert_eq!(spec(given("")).command, words(&["a"]));
    assert_eq!(spec(given(r#"{"command":["b","c"]}"#)).command, words(&["b", "c"]));
    let text = invalid(&task(vec![given(r#"{"cpu":1}"#)]));
    assert!(text.starts_with("overrides of container 'app': unknown field `cpu`"), "{text}");
    assert_eq!(spec(Container { command: Some(vec![]), entry_point: Some(vec![]), ..container() }).command, None);
}

#[test]
fn tasks_that_cannot_be_read() {
    assert_eq!(invalid(&Task { arn: "x".into(), ..task(vec![container()]) }), "'x' is not the ARN of a task");
    assert_eq!(invalid(&task(vec![])), "the task has no containers");
    assert_eq!(invalid(&Task { family: None, ..task(vec![container()]) }), "the task has no family or version");
    assert_eq!(invalid(&task(vec![container(), container()])), "two containers are named 'app'");
    assert_eq!(invalid(&task(vec![Container { image: String::new(), ..container() }])), "container 'app' has no image");
    let wrong = |mapping| invalid(&task(vec![Container { port_mappings: vec![mapping], ..container() }]));
    assert_eq!(wrong(PortMapping::default()), "container 'app' has a port mapping with no container port");
    let high = PortMapping { container_port: Some(80), host_port: Some(70_000), ..PortMapping::default() };
    assert_eq!(wrong(high), "container 'app' has a port mapping with a host port out of range");
    let stop = Task { arn: ARN.into(), desired_status: DesiredStatus::Stopped, ..Task::default() };
    assert_eq!(TaskSpec::from_payload(&stop, &context()).expect("a stop needs only the ARN").containers, []);
}

#[test]
fn tasks_that_cannot_be_honoured_are_refused_with_the_container_that_asks() {
    let refused = |second: Container| {
        let first = Container { name: "first".into(), ..container() };
        let spec = TaskSpec::from_payload(&task(vec![first, second]), &context()).expect("readable");
        assert_eq!(spec.containers.len(), 2);
        let refusal = spec.refusal.expect("refused");
        assert_eq!(refusal.container, Some(1));
        refusal.reason
    };
    assert_eq!(
        refused(Container { docker_config: words("", r#"{"Tmpfs":{"/x":""}}"#), ..container() }),
        "this node does not support linuxParameters.tmpfs yet (container 'app')"
    );
    assert_eq!(
        refused(Container { links: vec!["first".into()], ..container() }),
        "this node does not support links yet (container 'app')"
    );
    assert_eq!(
        refused(Container { docker_config: words("", r#"{"NetworkMode":"container:x"}"#), ..container() }),
        "this node does not support networkMode container:x yet (container 'app')"
    );
    let broken = refused(Container { docker_config: words("{", ""), ..container() });
    assert!(broken.starts_with("DockerClientConfigError: "), "{broken}");
}

#[test]
fn a_task_is_known_from_its_containers_alone() {
    let observed = Observed {
        runtime_id: "id".into(),
        name: "ecs-web-3-app-x".into(),
        labels: spec(Container { stop_timeout: Some(3), ..container() }).labels,
        image: "web:1".into(),
        phase: ContainerPhase::Running,
        exit_code: None,
        oom_killed: false,
        error: None,
        started_at: None,
        finished_at: None,
        ports: vec![],
        ipv4_address: None,
    };
    let spec = TaskSpec::from_found(ARN, &[observed]);
    assert_eq!((spec.arn.as_str(), spec.cluster.as_str()), (ARN, "blue"));
    let template = &spec.containers[0];
    assert_eq!((template.name.as_str(), template.spec.name.as_str()), ("app", "ecs-web-3-app-x"));
    assert_eq!(template.spec.stop_timeout_seconds, 3);
}
