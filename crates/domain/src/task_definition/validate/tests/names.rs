//! Family, containers, images, sizes of the whole, enumerations and roles.

use super::*;

#[test]
fn names_and_images() {
    let long = "a".repeat(256);
    assert_refused(
        minimal,
        &[
            (Inferred, json!({"family": null}), "Family should not be null or empty."),
            (Inferred, json!({"family": ""}), "Family should not be null or empty."),
            (Seen, json!({"family": "we b"}), "Family contains invalid characters."),
            (Seen, json!({"family": "wéb"}), "Family contains invalid characters."),
            (Inferred, json!({"family": long}), "Family should be 255 characters or less"),
            (Seen, json!({"app": {"name": null}}), "Container.name should not be null or empty."),
            (Seen, json!({"app": {"name": ""}}), "Container.name should not be null or empty."),
            (Seen, json!({"app": {"name": "a.b"}}), "Container.name contains invalid characters."),
            (Inferred, json!({"app": {"name": long}}), "Container.name should be 255 characters or less"),
            (Seen, json!({"app": {"image": null}}), "Container.image should not be null or empty."),
            (Seen, json!({"app": {"image": " "}}), "Container.image should not be null or empty."),
            (Inferred, json!({"app": {"image": "ngi nx"}}), "Container.image contains invalid characters."),
            (Inferred, json!({"app": {"image": "nginx@md5:00"}}), "Container.image contains invalid characters."),
            (Inferred, json!({"app": {"image": "nginx@sha256:00"}}), "Container.image contains invalid characters."),
            (Seen, json!({"app": {"image": long}}), "Container.image should be 255 characters or less"),
        ],
    );
    assert_accepted(
        minimal,
        &[
            json!({"family": "a".repeat(255)}),
            json!({"family": "A-b_9"}),
            json!({"app": {"name": "A-b_9"}}),
            json!({"app": {"image": "a".repeat(255)}}),
            json!({"app": {"image": "localhost:5000/a/b_c-d:1.2#x"}}),
            json!({"app": {"image": format!("{}@sha256:{}", "a".repeat(255), "0".repeat(64))}}),
        ],
    );
}

#[test]
fn counts() {
    let containers = |count: usize| -> Value {
        (0..count).map(|number| json!({"name": format!("c{number}"), "image": "i", "memory": 64})).collect()
    };
    assert_refused(
        minimal,
        &[
            (Seen, json!({"containerDefinitions": null}), "Container list cannot be empty."),
            (Seen, json!({"containerDefinitions": []}), "Container list cannot be empty."),
            (Seen, json!({"containerDefinitions": containers(11)}), "Too many containers."),
            (
                Seen,
                json!({"more": [{"name": "app", "image": "i", "memory": 64}]}),
                "Container names must be unique within a Task Definition.",
            ),
            (Seen, json!({"app": {"essential": false}}), "Task definition doesn't have any essential container."),
        ],
    );
    assert_accepted(
        minimal,
        &[
            json!({"containerDefinitions": containers(10)}),
            json!({"app": {"essential": false}, "more": [{"name": "b", "image": "i", "memory": 64}]}),
        ],
    );
}

#[test]
fn size_of_the_whole() {
    let with_label = |length: usize| patched(minimal(), &json!({"app": {"dockerLabels": {"l": "x".repeat(length)}}}));
    let around = serde_json::to_vec(&with_label(0)).unwrap().len();
    assert_eq!(validate(&with_label(65_536 - around)), Ok(()));
    assert_eq!(
        validate(&with_label(65_537 - around)),
        Err(Refusal::client("Actual length: '65537'. Max allowed length is '65536' bytes."))
    );
}

#[test]
fn values_outside_the_model() {
    assert_refused(
        minimal,
        &[
            (Inferred, json!({"networkMode": "x"}), "network mode should be one of [bridge,host,awsvpc,none]"),
            (Inferred, json!({"pidMode": "x"}), "pid mode should be one of [host,task]"),
            (Inferred, json!({"ipcMode": "x"}), "ipc mode should be one of [host,task,none]"),
            (
                Inferred,
                json!({"requiresCompatibilities": ["EC2", "x"]}),
                "compatibility should be one of [EC2,FARGATE,EXTERNAL,MANAGED_INSTANCES]",
            ),
            (
                Inferred,
                json!({"runtimePlatform": {"cpuArchitecture": "x"}}),
                "cpu architecture should be one of [X86_64,ARM64]",
            ),
            (
                Inferred,
                json!({"app": {"portMappings": [{"containerPort": 80, "appProtocol": "x"}]}}),
                "app protocol should be one of [http,http2,grpc]",
            ),
            (
                Inferred,
                json!({"app": {"dependsOn": [{"containerName": "app", "condition": "x"}]}}),
                "container dependency condition should be one of [START,COMPLETE,SUCCESS,HEALTHY]",
            ),
            (
                Inferred,
                json!({"app": {"dependsOn": [{"containerName": "app"}]}}),
                "container dependency condition should be one of [START,COMPLETE,SUCCESS,HEALTHY]",
            ),
            (
                Inferred,
                json!({"app": {"environmentFiles": [{"value": "arn:aws:s3:::b/f.env", "type": "x"}]}}),
                "environment file type should be one of [s3]",
            ),
            (
                Inferred,
                json!({"app": {"resourceRequirements": [{"type": "x", "value": "1"}]}}),
                "resource type should be one of [GPU,InferenceAccelerator,NeuronDevice]",
            ),
            (
                Inferred,
                json!({"app": {"firelensConfiguration": {"type": "x"}}}),
                "firelens configuration type should be one of [fluentd,fluentbit]",
            ),
        ],
    );
    for (patch, prefix) in [
        (json!({"runtimePlatform": {"operatingSystemFamily": "x"}}), "operating system family should be one of ["),
        (json!({"app": {"ulimits": [{"name": "x"}]}}), "ulimit name should be one of ["),
    ] {
        let refusal = validate(&patched(minimal(), &patch)).unwrap_err();
        assert!(refusal.message.starts_with(prefix), "{}", refusal.message);
    }
    assert_accepted(
        minimal,
        &[
            json!({"app": {"portMappings": [{"containerPort": 80, "protocol": "sctp"}]}}),
            json!({"app": {"logConfiguration": {"logDriver": "loki"}}}),
        ],
    );
}

#[test]
fn roles() {
    let mut rows = Vec::new();
    for member in ["taskRoleArn", "executionRoleArn"] {
        for role in [
            "",
            "arn:aws:iam::1:role/r",
            "arn:aws:iam::000000000000:user/u",
            "arn:aws:iam::000000000000:role/",
            "arn:aws:cloudformation:us-east-1:000000000000:stack/s",
            "a role",
        ] {
            rows.push((Seen, json!({member: role}), "Role is not valid"));
        }
    }
    assert_refused(minimal, &rows);
    assert_accepted(
        minimal,
        &[
            json!({"taskRoleArn": "arn:aws:iam::000000000000:role/path/r"}),
            json!({"executionRoleArn": "ecsTaskExecutionRole"}),
        ],
    );
}
