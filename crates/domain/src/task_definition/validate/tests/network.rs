//! Network modes and port mappings.

use super::*;

const MATCH_AWSVPC: &str = "When networkMode=awsvpc, the host ports and container ports in port mappings must match.";
const MATCH_HOST: &str = "When networkMode=host, the host ports and container ports in port mappings must match.";

#[test]
fn what_modes_forbid() {
    let links = json!({"networkMode": "awsvpc", "app": {"links": ["b"]}});
    assert_refused(
        minimal,
        &[
            (Seen, links, "Links are not supported when networkMode=awsvpc."),
            (
                Inferred,
                json!({"networkMode": "host", "app": {"links": ["b"]}}),
                "Links are not supported when networkMode=host.",
            ),
            (
                Inferred,
                json!({"networkMode": "none", "app": {"portMappings": [{"containerPort": 80}]}}),
                "Port mappings are not supported when networkMode=none.",
            ),
            (
                Seen,
                json!({"networkMode": "awsvpc", "app": {"hostname": "h"}}),
                "hostname is not supported on container when networkMode=awsvpc.",
            ),
            (
                Seen,
                json!({"networkMode": "awsvpc", "app": {"dnsServers": ["10.0.0.1"]}}),
                "DNS servers are not supported on container when networkMode=awsvpc.",
            ),
            (
                Seen,
                json!({"networkMode": "awsvpc", "app": {"extraHosts": [{"hostname": "h", "ipAddress": "10.0.0.1"}]}}),
                "Extra hosts are not supported on container when networkMode=awsvpc.",
            ),
            (
                Seen,
                json!({"networkMode": "awsvpc", "app": {"disableNetworking": true}}),
                "Disable Networking is not supported on container when networkMode=awsvpc.",
            ),
            (
                Seen,
                json!({"proxyConfiguration": {"containerName": "app"}}),
                "APPMESH proxy configuration is only supported in networkMode=awsvpc.",
            ),
            (
                Seen,
                json!({"networkMode": "awsvpc", "proxyConfiguration": {"containerName": "envoy"}}),
                "Proxy container [envoy] does not exist.",
            ),
            (
                Inferred,
                json!({"networkMode": "awsvpc", "requiresCompatibilities": ["EXTERNAL"]}),
                "Tasks using the External launch type do not support networkMode awsvpc.",
            ),
        ],
    );
    assert_accepted(
        minimal,
        &[
            json!({"networkMode": "none", "app": {"portMappings": [], "links": []}}),
            json!({"networkMode": "awsvpc", "proxyConfiguration": {"containerName": "app"}}),
            json!({"networkMode": "awsvpc", "app": {"disableNetworking": false, "dnsServers": [], "extraHosts": []}}),
            json!({"app": {"hostname": "h", "dnsServers": ["10.0.0.1"]}}),
            json!({"networkMode": "bridge", "requiresCompatibilities": ["EXTERNAL"]}),
        ],
    );
}

fn ports(mappings: Value) -> Value {
    json!({"app": {"portMappings": mappings}})
}

fn in_mode(mode: &str, mappings: Value) -> Value {
    json!({"networkMode": mode, "app": {"portMappings": mappings}})
}

#[test]
fn port_numbers() {
    let container = "Invalid 'containerPort' setting for container 'app'.";
    let host = "Invalid 'hostPort' setting for container 'app'.";
    assert_refused(
        minimal,
        &[
            (Seen, ports(json!([{}])), container),
            (Seen, ports(json!([{"hostPort": 80}])), container),
            (Seen, ports(json!([{"containerPort": 0}])), container),
            (Seen, ports(json!([{"containerPort": 65536}])), container),
            (Seen, ports(json!([{"containerPort": -1}])), container),
            (Inferred, ports(json!([{"containerPort": 80, "hostPort": 65536}])), host),
            (Inferred, ports(json!([{"containerPort": 80, "hostPort": -1}])), host),
            (Seen, in_mode("awsvpc", json!([{"containerPort": 80, "hostPort": 8080}])), MATCH_AWSVPC),
            (Seen, in_mode("awsvpc", json!([{"containerPort": 80, "hostPort": 0}])), MATCH_AWSVPC),
            (Seen, in_mode("host", json!([{"containerPort": 80, "hostPort": 8080}])), MATCH_HOST),
            (
                Seen,
                ports(json!([{"containerPort": 1, "hostPort": 3000}, {"containerPort": 2, "hostPort": 3000}])),
                "TCP host port '3000' is mapped multiple times in task.",
            ),
            (
                Inferred,
                ports(json!([
                    {"containerPort": 1, "hostPort": 53, "protocol": "udp"},
                    {"containerPort": 2, "hostPort": 53, "protocol": "udp"},
                ])),
                "UDP host port '53' is mapped multiple times in task.",
            ),
            (
                Inferred,
                json!({
                    "networkMode": "host",
                    "app": {"portMappings": [{"containerPort": 80}]},
                    "more": [{"name": "b", "image": "i", "memory": 64, "portMappings": [{"containerPort": 80}]}],
                }),
                "TCP host port '80' is mapped multiple times in task.",
            ),
        ],
    );
    assert_accepted(
        minimal,
        &[
            ports(json!([{"containerPort": 1}, {"containerPort": 65535, "hostPort": 65535}])),
            ports(json!([{"containerPort": 80, "hostPort": 0}, {"containerPort": 80}])),
            ports(
                json!([{"containerPort": 53, "hostPort": 53, "protocol": "udp"}, {"containerPort": 53, "hostPort": 53}]),
            ),
            in_mode("awsvpc", json!([{"containerPort": 80}, {"containerPort": 81, "hostPort": 81}])),
            in_mode("host", json!([{"containerPort": 80, "hostPort": 80}])),
        ],
    );
}

#[test]
fn port_names() {
    let named = |name: &str| ports(json!([{"containerPort": 80, "name": name}]));
    let characters = "PortMapping.name contains invalid characters.";
    assert_refused(
        minimal,
        &[
            (Inferred, named(""), characters),
            (Inferred, named("Web"), characters),
            (Inferred, named("-web"), characters),
            (Inferred, named("w.b"), characters),
            (Inferred, named(&"w".repeat(65)), "PortMapping.name should be 64 characters or less"),
            (
                Seen,
                ports(json!([{"containerPort": 80, "name": "web"}, {"containerPort": 81, "name": "web"}])),
                "port mapping name is already used",
            ),
        ],
    );
    assert_accepted(minimal, &[named("_web-8080-tcp"), named(&"w".repeat(64))]);
}

#[test]
fn port_ranges() {
    let range = |text: &str| ports(json!([{"containerPortRange": text}]));
    let invalid = "Invalid 'containerPortRange' setting for container 'app'.";
    let ranges = |count: u32| -> Value {
        (0..count)
            .map(|number| json!({"containerPortRange": format!("{}-{}", 1 + 2 * number, 2 + 2 * number)}))
            .collect()
    };
    assert_refused(
        minimal,
        &[
            (Seen, range("80"), invalid),
            (Seen, range("80-80"), invalid),
            (Seen, range("90-80"), invalid),
            (Inferred, range("0-80"), invalid),
            (Inferred, range("80-65536"), invalid),
            (Inferred, range("a-b"), invalid),
            (Inferred, range("80-90-100"), invalid),
            (
                Inferred,
                ports(json!([{"containerPortRange": "80-90", "containerPort": 80}])),
                "Invalid 'containerPort' setting for container 'app'.",
            ),
            (
                Inferred,
                ports(json!([{"containerPortRange": "80-90", "hostPort": 80}])),
                "Invalid 'hostPort' setting for container 'app'.",
            ),
            (
                Inferred,
                in_mode("host", json!([{"containerPortRange": "80-90"}])),
                "Container port ranges are not supported when networkMode=host.",
            ),
            (Inferred, ports(ranges(101)), "containerPortRanges can have at most 100 items."),
            (
                Seen,
                ports(json!([{"containerPortRange": "80-90"}, {"containerPortRange": "90-99"}])),
                "Container port is used multiple times in task.",
            ),
            (
                Inferred,
                ports(json!([{"containerPortRange": "80-90"}, {"containerPort": 85}])),
                "Container port is used multiple times in task.",
            ),
            (
                Inferred,
                json!({
                    "networkMode": "awsvpc",
                    "app": {"portMappings": [{"containerPortRange": "80-90"}]},
                    "more": [{"name": "b", "image": "i", "memory": 64, "portMappings": [{"containerPort": 90}]}],
                }),
                "Container port is used multiple times in task.",
            ),
        ],
    );
    assert_accepted(
        minimal,
        &[
            range("1-65535"),
            ports(ranges(100)),
            ports(json!([{"containerPortRange": "80-90"}, {"containerPortRange": "91-99"}])),
            ports(json!([{"containerPortRange": "80-90"}, {"containerPortRange": "80-90", "protocol": "udp"}])),
            json!({
                "app": {"portMappings": [{"containerPortRange": "80-90"}]},
                "more": [{"name": "b", "image": "i", "memory": 64, "portMappings": [{"containerPort": 90}]}],
            }),
        ],
    );
}
