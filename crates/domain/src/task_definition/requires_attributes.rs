//! The capabilities an instance must have for a definition, derived from what the definition uses.
//!
//! Names are those the agent registers (github.com/aws/amazon-ecs-agent, `agent_capability.go`); which member
//! needs which is read off real definitions, the versions of the Docker API are inferred.

use std::collections::BTreeSet;

use longshore_ecs_wire::shapes::{Attribute, ContainerDefinition, LogDriver, Secret, TaskDefinition, Volume};

use super::draft::{filled, items, mode_name};

const ECS: &str = "ecs.capability.";
const AMAZON: &str = "com.amazonaws.ecs.capability.";

/// The definition's `requiresAttributes`: names only, sorted, each once.
pub fn requires_attributes(definition: &TaskDefinition) -> Vec<Attribute> {
    let mut needed = Needed::default();
    task(definition, &mut needed);
    for container in items(&definition.container_definitions) {
        self::container(container, definition.execution_role_arn.is_some(), &mut needed);
    }
    for volume in items(&definition.volumes) {
        self::volume(volume, &mut needed);
    }
    if !needed.docker_api {
        needed.docker(17);
    }
    needed.names.into_iter().map(|name| Attribute { name: Some(name), ..Attribute::default() }).collect()
}

#[derive(Default)]
struct Needed {
    names: BTreeSet<String>,
    docker_api: bool,
}

impl Needed {
    fn ecs(&mut self, name: &str) {
        self.names.insert(format!("{ECS}{name}"));
    }

    fn amazon(&mut self, name: &str) {
        self.names.insert(format!("{AMAZON}{name}"));
    }

    /// Docker's remote API 1.`minor`.
    fn docker(&mut self, minor: u32) {
        self.docker_api = true;
        self.amazon(&format!("docker-remote-api.1.{minor}"));
    }
}

fn task(definition: &TaskDefinition, needed: &mut Needed) {
    let mode = mode_name(definition.network_mode.as_ref());
    if mode == "awsvpc" {
        needed.ecs("task-eni");
        needed.docker(18);
    }
    if definition.task_role_arn.is_some() {
        needed.amazon(if mode == "host" { "task-iam-role-network-host" } else { "task-iam-role" });
        needed.docker(17);
    }
    let fargate = longshore_ecs_wire::shapes::Compatibility::Fargate;
    let has_size = definition.cpu.is_some() || definition.memory.is_some();
    if has_size && !items(&definition.requires_compatibilities).contains(&fargate) {
        needed.ecs("task-cpu-mem-limit");
    }
    if definition.pid_mode.is_some() || definition.ipc_mode.is_some() {
        needed.ecs("pid-ipc-namespace-sharing");
    }
}

fn container(container: &ContainerDefinition, has_execution_role: bool, needed: &mut Needed) {
    if container.image.as_deref().is_some_and(is_ecr_image) {
        needed.amazon("ecr-auth");
        if has_execution_role {
            needed.ecs("execution-role-ecr-pull");
        }
    }
    logging(container, has_execution_role, needed);
    secrets(items(&container.secrets), "environment-variables", needed);
    if container.memory_reservation.is_some() {
        needed.docker(21);
    }
    if container
        .linux_parameters
        .as_ref()
        .is_some_and(|linux| linux.shared_memory_size.is_some() || linux.tmpfs.is_some())
    {
        needed.docker(22);
    }
    if let Some(check) = &container.health_check {
        needed.ecs("container-health-check");
        needed.docker(24);
        if check.start_period.is_some() {
            needed.docker(29);
        }
    }
    let ranges = || items(&container.port_mappings).iter().any(|mapping| mapping.container_port_range.is_some());
    for (name, used) in [
        ("container-ordering", !items(&container.depends_on).is_empty()),
        ("env-files.s3", !items(&container.environment_files).is_empty()),
        ("private-registry-authentication.secretsmanager", container.repository_credentials.is_some()),
        (
            "container-restart-policy",
            container.restart_policy.as_ref().is_some_and(|policy| policy.enabled == Some(true)),
        ),
        ("network.container-port-range", ranges()),
    ] {
        if used {
            needed.ecs(name);
        }
    }
    if container.privileged == Some(true) {
        needed.amazon("privileged-container");
    }
}

fn logging(container: &ContainerDefinition, has_execution_role: bool, needed: &mut Needed) {
    if let Some(log) = &container.log_configuration {
        match &log.log_driver {
            None => {}
            Some(LogDriver::Awsfirelens) => needed.ecs("logging-driver.awsfirelens"),
            Some(driver) => {
                needed.amazon(&format!("logging-driver.{}", driver.as_str()));
                needed.docker(if *driver == LogDriver::Awslogs { 19 } else { 18 });
                if *driver == LogDriver::Awslogs && has_execution_role {
                    needed.ecs("execution-role-awslogs");
                }
            }
        }
        secrets(items(&log.secret_options), "bootstrap.log-driver", needed);
    }
    if let Some(router) = &container.firelens_configuration {
        if let Some(kind) = &router.r#type {
            needed.ecs(&format!("firelens.{}", kind.as_str()));
        }
        let file_type = router.options.as_ref().and_then(|options| options.get("config-file-type"));
        if let Some(file_type) = file_type {
            needed.ecs(&format!("firelens.options.config.{file_type}"));
        }
    }
}

/// A secret is a Secrets Manager secret by its ARN, else a parameter of Systems Manager.
fn secrets(secrets: &[Secret], purpose: &str, needed: &mut Needed) {
    for secret in secrets {
        let manager = secret.value_from.as_deref().is_some_and(|from| from.contains(":secretsmanager:"));
        needed.ecs(&format!("secrets.{}.{purpose}", if manager { "asm" } else { "ssm" }));
    }
}

fn volume(volume: &Volume, needed: &mut Needed) {
    if let Some(efs) = &volume.efs_volume_configuration {
        needed.ecs("efs");
        if efs.authorization_config.is_some() || efs.transit_encryption.is_some() {
            needed.ecs("efsAuth");
        }
    }
    if let Some(docker) = &volume.docker_volume_configuration {
        needed.ecs(&format!("docker-plugin.{}", filled(&docker.driver).unwrap_or("local")));
    }
    if volume.configured_at_launch == Some(true) {
        needed.ecs("storage.ebs-task-volume-attach");
    }
}

/// Whether the image lies in a private ECR registry: `ACCOUNT.dkr.ecr[-fips].REGION.amazonaws.com[.cn]/…`.
pub(super) fn is_ecr_image(image: &str) -> bool {
    let Some((registry, _)) = image.split_once('/') else {
        return false;
    };
    let host = registry.strip_suffix(".cn").unwrap_or(registry);
    let Some(host) = host.strip_suffix(".amazonaws.com") else {
        return false;
    };
    let mut parts = host.split('.');
    let account = parts.next().unwrap_or_default();
    account.len() == 12
        && account.bytes().all(|byte| byte.is_ascii_digit())
        && parts.next() == Some("dkr")
        && matches!(parts.next(), Some("ecr" | "ecr-fips"))
        && parts.next().is_some_and(|region| !region.is_empty())
        && parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn of(definition: Value) -> Vec<String> {
        let definition: TaskDefinition = serde_json::from_value(definition).unwrap();
        let attributes = requires_attributes(&definition);
        assert!(attributes.iter().all(|attribute| attribute.value.is_none() && attribute.target_id.is_none()));
        attributes.into_iter().filter_map(|attribute| attribute.name).collect()
    }

    /// Each use by itself; whole definitions stand in the goldens.
    #[test]
    fn each_use_needs_its_capability() {
        let container = |container: Value| json!({"containerDefinitions": [container]});
        let log = |driver: &str| container(json!({"logConfiguration": {"logDriver": driver}}));
        for (definition, expected) in [
            (json!({}), "com.amazonaws.ecs.capability.docker-remote-api.1.17"),
            (json!({"networkMode": "awsvpc"}), "ecs.capability.task-eni"),
            (json!({"taskRoleArn": "r"}), "com.amazonaws.ecs.capability.task-iam-role"),
            (json!({"memory": "512"}), "ecs.capability.task-cpu-mem-limit"),
            (log("syslog"), "com.amazonaws.ecs.capability.logging-driver.syslog"),
            (log("loki"), "com.amazonaws.ecs.capability.logging-driver.loki"),
            (container(json!({"memoryReservation": 4})), "com.amazonaws.ecs.capability.docker-remote-api.1.21"),
            (
                json!({"volumes": [{"name": "v", "dockerVolumeConfiguration": {}}]}),
                "ecs.capability.docker-plugin.local",
            ),
            (container(json!({"firelensConfiguration": {"type": "fluentd"}})), "ecs.capability.firelens.fluentd"),
        ] {
            assert!(of(definition.clone()).iter().any(|name| name == expected), "{definition}");
        }
    }

    #[test]
    fn what_is_not_used_is_not_needed() {
        let definition = json!({
            "requiresCompatibilities": ["FARGATE"],
            "cpu": "256",
            "containerDefinitions": [{
                "privileged": false,
                "dependsOn": [],
                "environmentFiles": [],
                "restartPolicy": {"enabled": false},
                "image": "public.ecr.aws/x",
            }],
            "volumes": [{"name": "v", "efsVolumeConfiguration": {"fileSystemId": "fs-1"}}],
        });
        assert_eq!(of(definition), ["com.amazonaws.ecs.capability.docker-remote-api.1.17", "ecs.capability.efs"]);
    }

    #[test]
    fn private_ecr_images_are_told_by_their_registry() {
        for (image, private) in [
            ("123456789012.dkr.ecr.us-east-1.amazonaws.com/web", true),
            ("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/a/b:1", true),
            ("123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com/web", true),
            ("123456789012.dkr.ecr.us-east-1.amazonaws.com", false),
            ("12345.dkr.ecr.us-east-1.amazonaws.com/web", false),
            ("abcdefghijkl.dkr.ecr.us-east-1.amazonaws.com/web", false),
            ("123456789012.dkr.s3.us-east-1.amazonaws.com/web", false),
            ("123456789012.dkr.ecr..amazonaws.com/web", false),
            ("123456789012.dkr.ecr.us.east.amazonaws.com/web", false),
            ("public.ecr.aws/web", false),
            ("123456789012.dkr.ecr.us-east-1.example.com/web", false),
            ("nginx", false),
        ] {
            assert_eq!(is_ecr_image(image), private, "{image}");
        }
    }
}
