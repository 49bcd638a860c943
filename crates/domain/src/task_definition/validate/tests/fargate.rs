//! Where FARGATE is required.

use super::*;

const ROLE: &str = "arn:aws:iam::000000000000:role/r";

#[test]
fn the_task() {
    let mode = "Fargate only supports network mode ‘awsvpc’.";
    assert_refused(
        fargate,
        &[
            (Seen, json!({"networkMode": "bridge"}), mode),
            (Seen, json!({"networkMode": null}), mode),
            (Seen, json!({"cpu": null}), "Fargate requires that 'cpu' be defined at the task level."),
            (Seen, json!({"cpu": null, "memory": null}), "Fargate requires that 'cpu' be defined at the task level."),
            (Seen, json!({"memory": null}), "Fargate requires that 'memory' be defined at the task level."),
            (
                Seen,
                json!({"cpu": "1024", "memory": "1024"}),
                "No Fargate configuration exists for given values: 1024 CPU, 1024 memory. See the Amazon ECS \
             documentation for the valid values.",
            ),
            (
                Inferred,
                json!({"cpu": "100", "memory": "0.5 GB"}),
                "No Fargate configuration exists for given values: 100 CPU, 512 memory. See the Amazon ECS documentation \
             for the valid values.",
            ),
            (
                Inferred,
                json!({"requiresCompatibilities": ["EC2", "FARGATE"], "cpu": null}),
                "Fargate requires that 'cpu' be defined at the task level.",
            ),
            (Seen, json!({"ipcMode": "task"}), "Tasks using the Fargate launch type do not support ipcMode."),
            (
                Seen,
                json!({"pidMode": "host"}),
                "Tasks using the Fargate launch type do not support pidMode 'host'. The supported value for pidMode is \
             'task'.",
            ),
            (
                Seen,
                json!({"placementConstraints": [{"type": "memberOf", "expression": "e"}]}),
                "Fargate compatible task definitions do not support constraints",
            ),
            (
                Seen,
                json!({"volumes": [{"name": "v", "host": {"sourcePath": "/v"}}]}),
                "Fargate compatible task definitions do not support sourcePath",
            ),
            (
                Seen,
                json!({"volumes": [{"name": "v", "dockerVolumeConfiguration": {}}]}),
                "Fargate compatible task definitions do not support dockerVolumeConfiguration",
            ),
            (
                Inferred,
                json!({"volumes": [{"name": "v", "fsxWindowsFileServerVolumeConfiguration": {}}]}),
                "Fargate compatible task definitions do not support fsxWindowsFileServerVolumeConfiguration",
            ),
        ],
    );
    assert_accepted(
        fargate,
        &[
            json!({"cpu": "1 vCPU", "memory": "2 GB"}),
            json!({"pidMode": "task"}),
            json!({"volumes": [{"name": "v"}, {"name": "w", "host": {}}]}),
            json!({"requiresCompatibilities": ["EC2", "FARGATE"]}),
        ],
    );
}

#[test]
fn containers() {
    let unsupported = |member: &str| format!("Fargate compatible task definitions do not support {member}");
    for (mark, app, member) in [
        (Seen, json!({"linuxParameters": {"devices": [{"hostPath": "/dev/null"}]}}), "devices"),
        (Seen, json!({"linuxParameters": {"sharedMemorySize": 64}}), "sharedMemorySize"),
        (Seen, json!({"linuxParameters": {"maxSwap": 0}}), "maxSwap"),
        (Inferred, json!({"linuxParameters": {"swappiness": 1}}), "swappiness"),
        (Inferred, json!({"dnsSearchDomains": ["d"]}), "dnsSearchDomains"),
        (Inferred, json!({"dockerSecurityOptions": ["o"]}), "dockerSecurityOptions"),
        (Inferred, json!({"ulimits": [{"name": "core", "softLimit": 0, "hardLimit": 0}]}), "ulimit core"),
        (Inferred, json!({"logConfiguration": {"logDriver": "json-file"}}), "log driver json-file"),
        (Inferred, json!({"logConfiguration": {"logDriver": "loki"}}), "log driver loki"),
    ] {
        let refusal = validate(&patched(fargate(), &json!({"app": app}))).unwrap_err();
        assert_eq!(refusal, Refusal::client(unsupported(member)), "{mark:?} {app}");
    }
    assert_refused(
        fargate,
        &[
            (Seen, json!({"app": {"privileged": true}}), "Fargate requires that the 'privileged' setting be 'false'."),
            (
                Seen,
                json!({"app": {"resourceRequirements": [{"type": "GPU", "value": "1"}]}}),
                "Tasks using the Fargate launch type do not support GPU resource requirements.",
            ),
            (
                Inferred,
                json!({"app": {"stopTimeout": 121}}),
                "the 'stopTimeout' setting for container 'app' must be between 2 and 120",
            ),
            (
                Inferred,
                json!({"app": {"startTimeout": 121}}),
                "the 'startTimeout' setting for container 'app' must be between 2 and 120",
            ),
        ],
    );
    assert_accepted(
        fargate,
        &[
            json!({"app": {"privileged": false, "startTimeout": 120, "stopTimeout": 120}}),
            json!({"app": {"ulimits": [{"name": "nofile", "softLimit": 1, "hardLimit": 2}]}}),
            json!({"app": {"linuxParameters": {
                "initProcessEnabled": true,
                "capabilities": {"add": ["SYS_PTRACE"]},
                "tmpfs": [{"containerPath": "/t", "size": 1}],
            }}}),
        ],
    );
}

#[test]
fn execution_roles() {
    let awslogs = json!({"logConfiguration": {
        "logDriver": "awslogs",
        "options": {"awslogs-group": "g", "awslogs-region": "us-east-1"},
    }});
    let ecr = json!({"image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/web:1"});
    assert_refused(
        fargate,
        &[
            (
                Seen,
                json!({"app": awslogs}),
                "Fargate requires task definition to have execution role ARN to support log driver awslogs.",
            ),
            (
                Seen,
                json!({"app": ecr}),
                "Fargate requires task definition to have execution role ARN to support ECR images.",
            ),
        ],
    );
    assert_accepted(
        fargate,
        &[
            json!({"app": awslogs, "executionRoleArn": ROLE}),
            json!({"app": ecr, "executionRoleArn": ROLE}),
            json!({"app": {"image": "public.ecr.aws/nginx/nginx"}}),
            json!({"app": {"logConfiguration": {"logDriver": "splunk"}}}),
        ],
    );
    assert_accepted(minimal, &[json!({"app": awslogs}), json!({"app": ecr})]);
}
