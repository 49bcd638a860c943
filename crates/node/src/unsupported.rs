//! Members of a task that this node does not build yet.
//!
//! A task that uses one stops at once with a reason that names the member as the ECS API calls it; it never runs
//! without it. What is written here only shrinks.

use longshore_ecs_wire::agent::{Container, PortMapping, Task};

/// A member that the task uses and this node does not honour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsupported {
    /// The member, as the ECS API calls it.
    pub field: String,
    /// Position of the container that uses it; absent: the task itself.
    pub container: Option<usize>,
}

impl Unsupported {
    /// The reason, for people.
    pub fn reason(&self, task: &Task) -> String {
        let container = self.container.and_then(|position| task.containers.get(position));
        match container {
            Some(container) => {
                format!("this node does not support {} yet (container '{}')", self.field, container.name)
            }
            None => format!("this node does not support {} yet", self.field),
        }
    }
}

/// The first such member of the task, its containers included. What travels in `dockerConfig` is judged where it is read.
pub fn first_unsupported(task: &Task) -> Option<Unsupported> {
    if let Some(field) = of_task(task) {
        return Some(Unsupported { field: field.to_owned(), container: None });
    }
    task.containers.iter().enumerate().find_map(|(position, container)| {
        of_container(container).map(|field| Unsupported { field: field.to_owned(), container: Some(position) })
    })
}

fn of_task(task: &Task) -> Option<&'static str> {
    let given = |value: &Option<String>| value.as_deref().is_some_and(|text| !text.is_empty());
    // On Fargate there is no other mode, so such a task runs; each container has a bridge address of its own.
    let own_interface =
        task.network_mode.as_deref() == Some("awsvpc") && task.launch_type.as_deref() != Some("FARGATE");
    let fields = [
        ("networkMode awsvpc", own_interface),
        ("taskRoleArn", task.role_credentials.is_some()),
        ("volumes", !task.volumes.is_empty()),
        ("proxyConfiguration", task.proxy_configuration.is_some()),
        ("pidMode", given(&task.pid_mode)),
        ("ipcMode", given(&task.ipc_mode)),
        ("resourceRequirements", !task.associations.is_empty()),
        ("volumeConfigurations", !task.attachments.is_empty()),
        ("enableFaultInjection", task.enable_fault_injection),
    ];
    fields.into_iter().find_map(|(field, used)| used.then_some(field))
}

fn of_container(container: &Container) -> Option<&'static str> {
    let range = |port: &PortMapping| port.container_port_range.as_deref().is_some_and(|range| !range.is_empty());
    let fields = [
        ("healthCheck", container.health_check_type.as_deref().is_some_and(|kind| !kind.is_empty())),
        ("dependsOn", !container.depends_on.is_empty()),
        ("secrets", !container.secrets.is_empty()),
        ("environmentFiles", !container.environment_files.is_empty()),
        ("links", !container.links.is_empty()),
        ("mountPoints", !container.mount_points.is_empty()),
        ("volumesFrom", !container.volumes_from.is_empty()),
        ("firelensConfiguration", container.firelens_configuration.is_some()),
        ("repositoryCredentials", container.registry_authentication.is_some()),
        ("restartPolicy", container.restart_policy.as_ref().is_some_and(|policy| policy.enabled)),
        ("enableExecuteCommand", !container.managed_agents.is_empty()),
        ("portMappings.containerPortRange", container.port_mappings.iter().any(range)),
    ];
    fields.into_iter().find_map(|(field, used)| used.then_some(field))
}

#[cfg(test)]
mod tests {
    use longshore_ecs_wire::agent::*;

    use super::*;

    fn task_with(change: impl FnOnce(&mut Task)) -> Task {
        let containers = vec![
            Container { name: "web".into(), ..Container::default() },
            Container { name: "side".into(), ..Container::default() },
        ];
        let mut task = Task { containers, ..Task::default() };
        change(&mut task);
        task
    }

    fn reason(change: impl FnOnce(&mut Task)) -> Option<String> {
        let task = task_with(change);
        first_unsupported(&task).map(|unsupported| unsupported.reason(&task))
    }

    #[test]
    fn a_plain_task_uses_nothing_unsupported() {
        assert_eq!(reason(|_| ()), None);
        let fargate = |task: &mut Task| {
            task.network_mode = Some("awsvpc".into());
            task.launch_type = Some("FARGATE".into());
        };
        assert_eq!(reason(fargate), None);
        assert_eq!(reason(|task| task.execution_role_credentials = Some(IamRoleCredentials::default())), None);
        assert_eq!(
            reason(|task| task.containers[0].restart_policy = Some(RestartPolicy::default())),
            None,
            "not enabled"
        );
    }

    #[test]
    fn the_reason_names_member_and_container() {
        assert_eq!(
            reason(|task| task.pid_mode = Some("host".into())).as_deref(),
            Some("this node does not support pidMode yet")
        );
        assert_eq!(
            reason(|task| task.containers[1].links = vec!["web".into()]).as_deref(),
            Some("this node does not support links yet (container 'side')")
        );
    }

    type Change = fn(&mut Task);

    #[test]
    fn every_member_not_built_is_found() {
        let cases: [(&str, Change); 21] = [
            ("networkMode awsvpc", |t| t.network_mode = Some("awsvpc".into())),
            ("taskRoleArn", |t| t.role_credentials = Some(IamRoleCredentials::default())),
            ("volumes", |t| t.volumes = vec![Volume::default()]),
            ("proxyConfiguration", |t| t.proxy_configuration = Some(ProxyConfiguration::default())),
            ("pidMode", |t| t.pid_mode = Some("task".into())),
            ("ipcMode", |t| t.ipc_mode = Some("none".into())),
            ("resourceRequirements", |t| t.associations = vec![Association::default()]),
            ("volumeConfigurations", |t| t.attachments = vec![Attachment::default()]),
            ("enableFaultInjection", |t| t.enable_fault_injection = true),
            ("healthCheck", |t| t.containers[0].health_check_type = Some("docker".into())),
            ("dependsOn", |t| t.containers[0].depends_on = vec![ContainerDependency::default()]),
            ("secrets", |t| t.containers[0].secrets = vec![Secret::default()]),
            ("environmentFiles", |t| t.containers[0].environment_files = vec![EnvironmentFile::default()]),
            ("links", |t| t.containers[0].links = vec!["a".into()]),
            ("mountPoints", |t| t.containers[0].mount_points = vec![MountPoint::default()]),
            ("volumesFrom", |t| t.containers[0].volumes_from = vec![VolumeFrom::default()]),
            ("firelensConfiguration", |t| {
                t.containers[0].firelens_configuration = Some(FirelensConfiguration::default())
            }),
            ("repositoryCredentials", |t| {
                t.containers[0].registry_authentication = Some(RegistryAuthentication::default())
            }),
            ("restartPolicy", |t| {
                t.containers[0].restart_policy = Some(RestartPolicy { enabled: true, ..RestartPolicy::default() })
            }),
            ("enableExecuteCommand", |t| t.containers[0].managed_agents = vec![ManagedAgent::default()]),
            ("portMappings.containerPortRange", |t| {
                t.containers[0].port_mappings =
                    vec![PortMapping { container_port_range: Some("1-2".into()), ..PortMapping::default() }];
            }),
        ];
        for (field, change) in cases {
            let found = first_unsupported(&task_with(change)).map(|unsupported| unsupported.field);
            assert_eq!(found.as_deref(), Some(field));
        }
    }
}
