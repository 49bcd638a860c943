//! Environment variables, environment files, secrets, credentials of registries.

use super::*;

const ROLE: &str = "arn:aws:iam::000000000000:role/r";

fn with_role(app: Value) -> Value {
    json!({"executionRoleArn": ROLE, "app": app})
}

#[test]
fn variables_and_files() {
    let blank = "Environment variable name cannot be null or blank.";
    let file = |value: &str| json!({"app": {"environmentFiles": [{"value": value, "type": "s3"}]}});
    let files = |count: usize| -> Value {
        let files: Value =
            (0..count).map(|number| json!({"value": format!("arn:aws:s3:::b/{number}.env"), "type": "s3"})).collect();
        json!({"app": {"environmentFiles": files}})
    };
    assert_refused(
        minimal,
        &[
            (Seen, json!({"app": {"environment": [{"value": "v"}]}}), blank),
            (Seen, json!({"app": {"environment": [{"name": " ", "value": "v"}]}}), blank),
            (
                Seen,
                files(11),
                "The maximum number of environment files was exceeded. Specify ten or less and try again.",
            ),
            (Seen, file("s3://bucket/f.env"), "Invalid arn syntax."),
            (Seen, json!({"app": {"environmentFiles": [{"type": "s3"}]}}), "Invalid arn syntax."),
            (Inferred, file("arn:aws:s3:::bucket/f.txt"), "Environment files must have the .env file extension."),
        ],
    );
    assert_accepted(
        minimal,
        &[
            json!({"app": {"environment": [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}, {"name": "B"}]}}),
            files(10),
        ],
    );
}

#[test]
fn secrets() {
    let no_role = "When you are specifying container secrets, you must also specify a value for 'executionRoleArn'.";
    let secret = |name: Value, from: Value| with_role(json!({"secrets": [{"name": name, "valueFrom": from}]}));
    assert_refused(
        minimal,
        &[
            (Seen, json!({"app": {"secrets": [{"name": "S", "valueFrom": "p"}]}}), no_role),
            (
                Inferred,
                json!({"app": {"logConfiguration": {
                    "logDriver": "splunk",
                    "secretOptions": [{"name": "splunk-token", "valueFrom": "p"}],
                }}}),
                no_role,
            ),
            (Inferred, secret(json!(""), json!("p")), "Secret.name should not be null or empty."),
            (Inferred, secret(json!("S"), json!(" ")), "Secret.valueFrom should not be null or empty."),
            (Seen, secret(json!("S"), json!("arn:aws:ssm")), "Invalid arn syntax."),
            (
                Seen,
                with_role(json!({"secrets": [{"name": "S", "valueFrom": "p"}, {"name": "S", "valueFrom": "q"}]})),
                "Duplicate secret names found: S. Each secret name must be unique.",
            ),
            (
                Seen,
                with_role(json!({
                    "environment": [{"name": "S", "value": "v"}],
                    "secrets": [{"name": "S", "valueFrom": "p"}],
                })),
                "The secret name must be unique and not shared with any new or existing environment variables set on the \
             container, such as 'S'.",
            ),
        ],
    );
    assert_accepted(
        minimal,
        &[
            secret(json!("S"), json!("parameter/name")),
            secret(json!("S"), json!("arn:aws:secretsmanager:us-east-1:000000000000:secret:s-AbCdEf:key::")),
            json!({"app": {"secrets": []}}),
        ],
    );
}

#[test]
fn registry_credentials() {
    let credentials = |value: Value| json!({"app": {"repositoryCredentials": {"credentialsParameter": value}}});
    assert_refused(
        minimal,
        &[
            (
                Inferred,
                credentials(Value::Null),
                "RepositoryCredentials.credentialsParameter should not be null or empty.",
            ),
            (Seen, credentials(json!("arn:aws")), "Invalid arn syntax."),
        ],
    );
    assert_accepted(minimal, &[credentials(json!("secret-name"))]);
}
