//! The first rule broken is the answer: each of these breaks two.

use super::*;

#[test]
fn earlier_areas_win() {
    assert_refused(
        minimal,
        &[
            (Inferred, json!({"family": "", "containerDefinitions": []}), "Family should not be null or empty."),
            (
                Inferred,
                json!({"app": {"name": "a b"}, "networkMode": "x"}),
                "Container.name contains invalid characters.",
            ),
            (
                Inferred,
                json!({"requiresCompatibilities": ["FARGATE"], "app": {"memory": null}}),
                "Fargate only supports network mode ‘awsvpc’.",
            ),
            (
                Inferred,
                json!({"app": {"portMappings": [{}], "links": ["b"]}, "tags": []}),
                "Invalid 'containerPort' setting for container 'app'.",
            ),
            (Inferred, json!({"app": {"mountPoints": [{}]}, "tags": []}), "Unknown volume 'null'."),
        ],
    );
}
