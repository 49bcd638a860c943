//! Members of single containers: time limits, restarts, health, kernel limits, placement, storage.

use super::*;

#[test]
fn time_limits() {
    let timeouts = |start: i32, stop: i32| json!({"app": {"startTimeout": start, "stopTimeout": stop}});
    assert_refused(
        minimal,
        &[
            (Inferred, timeouts(1, 2), "Invalid 'startTimeout' setting for container 'app'."),
            (Inferred, timeouts(2, 1), "Invalid 'stopTimeout' setting for container 'app'."),
        ],
    );
    assert_accepted(minimal, &[timeouts(2, 2), timeouts(100_000, 100_000)]);
}

#[test]
fn restart_policies() {
    let policy = |policy: Value| json!({"app": {"restartPolicy": policy}});
    let codes = |count: i32| policy(json!({"enabled": true, "ignoredExitCodes": (0..count).collect::<Vec<_>>()}));
    let period = |seconds: i32| policy(json!({"enabled": true, "restartAttemptPeriod": seconds}));
    let bounds = "the 'restartAttemptPeriod' setting for container 'app' must be between 60 and 1800";
    assert_refused(
        minimal,
        &[
            (Inferred, policy(json!({})), "RestartPolicy.enabled should not be null or empty."),
            (Inferred, codes(51), "ignoredExitCodes can have at most 50 items."),
            (Seen, period(59), bounds),
            (Seen, period(1801), bounds),
        ],
    );
    assert_accepted(minimal, &[policy(json!({"enabled": false})), codes(50), period(60), period(1800)]);
}

#[test]
fn health_checks() {
    let check = |member: &str, value: i32| json!({"app": {"healthCheck": {"command": ["CMD", "true"], member: value}}});
    let bounds = |member: &str, least: i32, most: i32| {
        format!("the 'healthCheck.{member}' setting for container 'app' must be between {least} and {most}")
    };
    for (member, least, most) in [("interval", 5, 300), ("timeout", 2, 60), ("retries", 1, 10), ("startPeriod", 0, 300)]
    {
        for value in [least - 1, most + 1] {
            let refusal = validate(&patched(minimal(), &check(member, value))).unwrap_err();
            assert_eq!(refusal, Refusal::client(bounds(member, least, most)), "{member} {value}, inferred");
        }
        assert_accepted(minimal, &[check(member, least), check(member, most)]);
    }
    let command = |command: Value| json!({"app": {"healthCheck": {"command": command}}});
    let empty = "HealthCheck.command should not be null or empty.";
    assert_refused(minimal, &[(Inferred, command(json!([])), empty), (Inferred, command(Value::Null), empty)]);
    assert_accepted(
        minimal,
        &[command(json!(["CMD-SHELL", "exit 0"])), command(json!(["NONE"])), command(json!(["/healthcheck"]))],
    );
}

#[test]
fn kernel_limits() {
    let ulimit =
        |soft: i32, hard: i32| json!({"app": {"ulimits": [{"name": "nofile", "softLimit": soft, "hardLimit": hard}]}});
    let linux = |parameters: Value| json!({"app": {"linuxParameters": parameters}});
    let swappiness = "the 'swappiness' setting for container 'app' must be between 0 and 100";
    assert_refused(
        minimal,
        &[
            (Seen, ulimit(2, 1), "Soft limit exceeds hard limit for ulimit nofile."),
            (Inferred, ulimit(-1, 1), "Soft limit exceeds hard limit for ulimit nofile."),
            (Inferred, linux(json!({"swappiness": 101})), swappiness),
            (Inferred, linux(json!({"swappiness": -1})), swappiness),
            (Inferred, linux(json!({"maxSwap": -1})), "Invalid 'maxSwap' setting for container 'app'."),
            (
                Inferred,
                linux(json!({"sharedMemorySize": 0})),
                "Invalid 'sharedMemorySize' setting for container 'app'.",
            ),
            (Inferred, linux(json!({"devices": [{}]})), "Device.hostPath should not be null or empty."),
            (Inferred, linux(json!({"tmpfs": [{"size": 1}]})), "Tmpfs.containerPath should not be null or empty."),
            (
                Inferred,
                linux(json!({"tmpfs": [{"containerPath": "/t", "size": 0}]})),
                "Invalid 'tmpfs' setting for container 'app'.",
            ),
            (
                Seen,
                json!({"inferenceAccelerators": [{"deviceName": "d", "deviceType": "t"}]}),
                "Unsupported field 'inferenceAccelerators'.",
            ),
        ],
    );
    assert_accepted(
        minimal,
        &[
            ulimit(1, 1),
            ulimit(1, -1),
            ulimit(-1, -1),
            linux(json!({"swappiness": 100, "maxSwap": 0, "sharedMemorySize": 1})),
            linux(json!({"devices": [{"hostPath": "/dev/null"}], "tmpfs": [{"containerPath": "/t", "size": 1}]})),
        ],
    );
}

#[test]
fn placement_constraints() {
    let constraint =
        |kind: Value, expression: Value| json!({"placementConstraints": [{"type": kind, "expression": expression}]});
    let ten_and =
        |more: usize| json!({"placementConstraints": vec![json!({"type": "memberOf", "expression": "e"}); 10 + more]});
    assert_refused(
        minimal,
        &[
            (
                Seen,
                constraint(json!("distinctInstance"), Value::Null),
                "constraint.type 'distinctInstance' is not supported.",
            ),
            (Inferred, constraint(Value::Null, json!("e")), "constraint.type should not be null or empty."),
            (Inferred, constraint(json!("memberOf"), json!(" ")), "constraint.expression should not be null or empty."),
            (Inferred, ten_and(1), "placementConstraints can have at most 10 items."),
        ],
    );
    assert_accepted(minimal, &[constraint(json!("memberOf"), json!("attribute:a == b")), ten_and(0)]);
}

#[test]
fn ephemeral_storage() {
    let storage = |gib: i32| json!({"ephemeralStorage": {"sizeInGiB": gib}});
    assert_refused(minimal, &[(Seen, storage(21), "Tasks using the EC2 launch type do not support EphemeralStorage.")]);
    assert_refused(
        fargate,
        &[
            (Seen, storage(20), "EphemeralStorage size should be at least 21"),
            (Seen, json!({"ephemeralStorage": {}}), "EphemeralStorage size should be at least 21"),
            (Inferred, storage(201), "EphemeralStorage size should be at most 200"),
        ],
    );
    assert_accepted(fargate, &[storage(21), storage(200)]);
}
