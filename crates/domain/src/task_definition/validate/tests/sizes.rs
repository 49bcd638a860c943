//! cpu and memory of task and containers.

use super::*;

const CPU: &str = "Invalid 'cpu' setting for task. For more information, see the Troubleshooting section of the \
                   Amazon ECS Developer Guide.";
const MEMORY: &str = "Invalid 'memory' setting for task. For more information, see the Troubleshooting section of the \
                      Amazon ECS Developer Guide.";

#[test]
fn of_the_task() {
    assert_refused(
        minimal,
        &[
            (Seen, json!({"cpu": ""}), CPU),
            (Seen, json!({"cpu": "one"}), CPU),
            (Seen, json!({"cpu": "0"}), CPU),
            (Inferred, json!({"cpu": "127"}), CPU),
            (Inferred, json!({"cpu": "196609"}), CPU),
            (Inferred, json!({"memory": ""}), MEMORY),
            (Inferred, json!({"memory": "4TB"}), MEMORY),
            (Inferred, json!({"memory": "-512"}), MEMORY),
        ],
    );
    assert_accepted(
        minimal,
        &[json!({"cpu": "128"}), json!({"cpu": "196608"}), json!({"cpu": "0.125 vCPU", "memory": "1 GB"})],
    );
}

#[test]
fn of_containers() {
    assert_refused(
        minimal,
        &[
            (
                Seen,
                json!({"app": {"memory": null}}),
                "Invalid setting for container 'app'. At least one of 'memory' or 'memoryReservation' must be specified.",
            ),
            (Inferred, json!({"app": {"memory": 3}}), "Invalid 'memory' setting for container 'app'."),
            (
                Inferred,
                json!({"app": {"memoryReservation": 3}}),
                "Invalid 'memoryReservation' setting for container 'app'.",
            ),
            (Inferred, json!({"app": {"cpu": -1}}), "Invalid 'cpu' setting for container 'app'."),
            (
                Inferred,
                json!({"app": {"memory": 128, "memoryReservation": 129}}),
                "Invalid setting for container 'app'. 'memory' must be greater than or equal to 'memoryReservation'.",
            ),
        ],
    );
    assert_accepted(
        minimal,
        &[
            json!({"app": {"memory": 4}}),
            json!({"app": {"memory": null, "memoryReservation": 4}}),
            json!({"app": {"memory": null}, "memory": "512"}),
            json!({"app": {"memory": 128, "memoryReservation": 128}}),
            json!({"app": {"cpu": 0}}),
        ],
    );
}

#[test]
fn of_containers_within_the_task() {
    let other = |members: Value| {
        let mut container = json!({"name": "other", "image": "i"});
        lay_over(container.as_object_mut().unwrap(), &members);
        json!([container])
    };
    assert_refused(
        minimal,
        &[
            (
                Seen,
                json!({"memory": "512", "app": {"memory": 513}}),
                "The 'memory' setting for container 'app' is greater than for the task.",
            ),
            (
                Seen,
                json!({"cpu": "256", "app": {"cpu": 200}, "more": other(json!({"cpu": 57, "memory": 64}))}),
                "The sum of all container 'cpu' values cannot be greater than the value of the task 'cpu'.",
            ),
            (
                Seen,
                json!({
                    "memory": "512",
                    "app": {"memory": null, "memoryReservation": 300},
                    "more": other(json!({"memoryReservation": 213})),
                }),
                "The sum of all container 'memoryReservation' values cannot be greater than the value of the task \
             'memory'.",
            ),
        ],
    );
    assert_accepted(
        minimal,
        &[
            json!({"memory": "512", "app": {"memory": 512}, "more": other(json!({"memory": 512}))}),
            json!({"cpu": "256", "app": {"cpu": 200}, "more": other(json!({"cpu": 56, "memory": 64}))}),
            json!({
                "memory": "512",
                "app": {"memory": null, "memoryReservation": 300},
                "more": other(json!({"memoryReservation": 212})),
            }),
            json!({"app": {"cpu": i32::MAX}, "more": other(json!({"cpu": i32::MAX, "memory": i32::MAX}))}),
        ],
    );
}
