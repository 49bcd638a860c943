//! Log configurations and the log router.

use super::*;

#[test]
fn drivers_and_their_options() {
    let log =
        |driver: &str, options: Value| json!({"app": {"logConfiguration": {"logDriver": driver, "options": options}}});
    let missing = "LogConfiguration.logDriver should not be null or empty.";
    assert_refused(
        minimal,
        &[
            (Inferred, json!({"app": {"logConfiguration": {}}}), missing),
            (Inferred, log("", json!({})), missing),
            (Seen, log("awslogs", json!({})), "Log driver awslogs requires options: awslogs-region, awslogs-group"),
            (
                Seen,
                log("awslogs", json!({"awslogs-region": "r"})),
                "Log driver awslogs requires options: awslogs-group",
            ),
            (
                Seen,
                log("awslogs", json!({"awslogs-region": "r", "awslogs-group": "g", "log_key": "k"})),
                "Log driver awslogs disallows options: log_key",
            ),
            (
                Seen,
                log("awsfirelens", json!({"Name": "null"})),
                "When awsfirelens log driver is specified in log configuration, a firelens configuration object must be \
             specified.",
            ),
        ],
    );
    assert_accepted(
        minimal,
        &[
            log(
                "awslogs",
                json!({
                    "awslogs-region": "r",
                    "awslogs-group": "g",
                    "awslogs-stream-prefix": "p",
                    "awslogs-create-group": "true",
                    "mode": "non-blocking",
                    "max-buffer-size": "10m",
                }),
            ),
            log("json-file", json!({"max-size": "1m"})),
            json!({
                "app": {"logConfiguration": {"logDriver": "awsfirelens"}},
                "more": [{
                    "name": "router",
                    "image": "i",
                    "memory": 64,
                    "firelensConfiguration": {"type": "fluentbit"},
                }],
            }),
        ],
    );
}

#[test]
fn router_files_in_s3_are_named_by_arn() {
    let router = |value: &str| {
        json!({"app": {"firelensConfiguration": {
            "type": "fluentbit",
            "options": {"config-file-type": "s3", "config-file-value": value},
        }}})
    };
    assert_refused(minimal, &[(Seen, router("s3://some-bucket/fluentbit.conf"), "Invalid arn syntax.")]);
    assert_accepted(minimal, &[router("arn:aws:s3:::some-bucket/fluentbit.conf")]);
}
