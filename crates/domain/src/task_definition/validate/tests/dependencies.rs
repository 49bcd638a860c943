//! Links and dependsOn.

use super::*;

/// A second container `b` with these members.
fn with_b(app: Value, b: Value) -> Value {
    let mut container = json!({"name": "b", "image": "i", "memory": 64});
    lay_over(container.as_object_mut().unwrap(), &b);
    json!({"app": app, "more": [container]})
}

fn on(container: &str, condition: &str) -> Value {
    json!({"dependsOn": [{"containerName": container, "condition": condition}]})
}

#[test]
fn links() {
    assert_refused(
        minimal,
        &[
            (
                Inferred,
                json!({"app": {"links": ["b:alias"]}}),
                "Cannot link to container 'b' because it does not exist",
            ),
            (Seen, json!({"app": {"links": ["app"]}}), "Container links should not have a cycle"),
            (
                Seen,
                with_b(json!({"links": ["b:x"]}), json!({"links": ["app:y"]})),
                "Container links should not have a cycle",
            ),
        ],
    );
    assert_accepted(minimal, &[with_b(json!({"links": ["b:alias", "b"]}), json!({}))]);
}

#[test]
fn depends_on() {
    let essential = "A dependency container with SUCCESS or COMPLETE condition cannot be an essential container";
    let cycle = "Container dependencies should not have a cycle";
    assert_refused(
        minimal,
        &[
            (
                Seen,
                json!({"app": on("sidecar", "START")}),
                "Cannot depend on container + 'sidecar' because it does not exist",
            ),
            (Seen, with_b(on("b", "SUCCESS"), json!({})), essential),
            (Seen, with_b(on("b", "COMPLETE"), json!({"essential": true})), essential),
            (
                Seen,
                with_b(on("b", "HEALTHY"), json!({})),
                "A dependency container with HEALTHY condition must have health check configured",
            ),
            (Inferred, json!({"app": on("app", "START")}), cycle),
            (Inferred, with_b(on("b", "START"), on("app", "START")), cycle),
        ],
    );
    assert_accepted(
        minimal,
        &[
            with_b(on("b", "START"), json!({})),
            with_b(on("b", "SUCCESS"), json!({"essential": false})),
            with_b(on("b", "HEALTHY"), json!({"healthCheck": {"command": ["CMD", "true"]}})),
        ],
    );
}
