//! What a server that does not verify who calls must not run for everybody: a way to the host.

use longshore_ecs_wire::shapes::TaskDefinition;

use super::super::draft::items;
use crate::Refusal;

/// Refuses privileged containers and host paths.
///
/// # Errors
/// A text that names the field and the flag that allows it.
pub fn check_unprivileged(definition: &TaskDefinition) -> Result<(), Refusal> {
    let refused = |what: String| {
        Err(Refusal::client(format!(
            "{what} is not allowed on a server without credentials; give it a credentials file, or start it with \
             --allow-privileged-unauthenticated."
        )))
    };
    for container in items(&definition.container_definitions) {
        if container.privileged == Some(true) {
            return refused(format!("privileged (container '{}')", container.name.as_deref().unwrap_or_default()));
        }
    }
    for volume in items(&definition.volumes) {
        let path = volume.host.as_ref().and_then(|host| host.source_path.as_deref());
        if path.is_some_and(|path| !path.is_empty()) {
            return refused(format!("host.sourcePath (volume '{}')", volume.name.as_deref().unwrap_or_default()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use longshore_ecs_wire::shapes::{ContainerDefinition, HostVolumeProperties, Volume};

    use super::*;

    #[test]
    fn ways_to_the_host_are_refused_by_name() {
        let privileged = TaskDefinition {
            container_definitions: Some(vec![ContainerDefinition {
                name: Some("c".into()),
                privileged: Some(true),
                ..ContainerDefinition::default()
            }]),
            ..TaskDefinition::default()
        };
        assert!(check_unprivileged(&privileged).unwrap_err().message.starts_with("privileged (container 'c')"));
        let volume = |path: Option<&str>| TaskDefinition {
            volumes: Some(vec![Volume {
                name: Some("v".into()),
                host: Some(HostVolumeProperties { source_path: path.map(Into::into) }),
                ..Volume::default()
            }]),
            ..TaskDefinition::default()
        };
        assert!(
            check_unprivileged(&volume(Some("/etc"))).unwrap_err().message.starts_with("host.sourcePath (volume 'v')")
        );
        assert_eq!(check_unprivileged(&volume(None)), Ok(()));
    }
}
