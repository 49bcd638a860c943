//! Volumes, and the mounts that name them.
//!
//! Host paths are not looked at: they lie on the machine that will run the task.

use std::collections::BTreeSet;

use longshore_ecs_wire::shapes::{
    DockerVolumeConfiguration, EFSAuthorizationConfigIAM, EFSTransitEncryption, EFSVolumeConfiguration, Scope, Volume,
};

use super::cycle::has_cycle;
use super::names::check_name;
use super::null_or_empty;
use crate::Refusal;
use crate::task_definition::draft::{Draft, filled, items, name_of};

pub(super) fn check(draft: &Draft<'_>) -> Result<(), Refusal> {
    let mut names = BTreeSet::new();
    for volume in draft.volumes {
        check_name("volume.name", volume.name.as_deref())?;
        if !names.insert(volume.name.as_deref()) {
            return Err(Refusal::client("Volume names must be unique within a Task Definition."));
        }
        check_kind(volume)?;
    }
    check_mounts(draft, &names)?;
    check_volumes_from(draft)?;
    check_configured_at_launch(draft)
}

fn check_kind(volume: &Volume) -> Result<(), Refusal> {
    let source_path = volume.host.as_ref().and_then(|host| host.source_path.as_ref());
    let kinds = [
        source_path.is_some(),
        volume.docker_volume_configuration.is_some(),
        volume.efs_volume_configuration.is_some(),
        volume.s3files_volume_configuration.is_some(),
        volume.fsx_windows_file_server_volume_configuration.is_some(),
        volume.configured_at_launch == Some(true),
    ];
    if kinds.iter().filter(|given| **given).count() > 1 {
        return Err(Refusal::client(
            "When the volume parameter is specified, only one volume configuration type should be used.",
        ));
    }
    if source_path.is_some_and(|path| path.trim().is_empty()) {
        return Err(Refusal::client("host.sourcePath should not be blank."));
    }
    volume.docker_volume_configuration.as_ref().map_or(Ok(()), check_docker)?;
    volume.efs_volume_configuration.as_ref().map_or(Ok(()), check_efs)
}

fn check_docker(docker: &DockerVolumeConfiguration) -> Result<(), Refusal> {
    if let Some(Scope::Unknown(_)) = docker.scope {
        return Err(Refusal::client("scope should be one of [task,shared]"));
    }
    if docker.autoprovision == Some(true) && docker.scope != Some(Scope::Shared) {
        return Err(Refusal::client("autoprovision is only supported when scope is shared."));
    }
    Ok(())
}

fn check_efs(efs: &EFSVolumeConfiguration) -> Result<(), Refusal> {
    if filled(&efs.file_system_id).is_none() {
        return Err(null_or_empty("EFSVolumeConfiguration.fileSystemId"));
    }
    let Some(authorization) = &efs.authorization_config else {
        return Ok(());
    };
    let access_point = filled(&authorization.access_point_id).is_some();
    if access_point && !matches!(efs.root_directory.as_deref(), None | Some("/")) {
        return Err(Refusal::client(
            "When using an EFS access point, the root directory must either be set to \"/\" or be omitted.",
        ));
    }
    if efs.transit_encryption == Some(EFSTransitEncryption::Enabled) {
        return Ok(());
    }
    if authorization.iam == Some(EFSAuthorizationConfigIAM::Enabled) {
        return Err(Refusal::client("EFS IAM authorization requires TransitEncryption to be enabled."));
    }
    if access_point {
        return Err(Refusal::client("EFS access point requires TransitEncryption to be enabled."));
    }
    Ok(())
}

fn check_mounts(draft: &Draft<'_>, volumes: &BTreeSet<Option<&str>>) -> Result<(), Refusal> {
    for mount in draft.containers.iter().flat_map(|container| items(&container.mount_points)) {
        let volume = mount.source_volume.as_deref();
        if volume.is_none() || !volumes.contains(&volume) {
            return Err(Refusal::client(format!("Unknown volume '{}'.", volume.unwrap_or("null"))));
        }
        if filled(&mount.container_path).is_none() {
            return Err(null_or_empty("MountPoint.containerPath"));
        }
    }
    Ok(())
}

fn check_volumes_from(draft: &Draft<'_>) -> Result<(), Refusal> {
    let mut edges = Vec::new();
    for container in draft.containers {
        for from in items(&container.volumes_from) {
            let source = from.source_container.as_deref().unwrap_or("null");
            if !draft.has_container(source) {
                return Err(Refusal::client(format!("Invalid 'volumesFrom' setting. Unknown container: '{source}'.")));
            }
            edges.push((name_of(container), source));
        }
    }
    if has_cycle(edges) {
        return Err(Refusal::client("Container volumesFrom should not have a cycle"));
    }
    Ok(())
}

fn check_configured_at_launch(draft: &Draft<'_>) -> Result<(), Refusal> {
    let mounted: BTreeSet<_> = draft
        .containers
        .iter()
        .flat_map(|container| items(&container.mount_points))
        .map(|mount| &mount.source_volume)
        .collect();
    let loose: Vec<&str> = draft
        .volumes
        .iter()
        .filter(|volume| volume.configured_at_launch == Some(true) && !mounted.contains(&volume.name))
        .filter_map(|volume| volume.name.as_deref())
        .collect();
    if loose.is_empty() {
        return Ok(());
    }
    Err(Refusal::client(format!("Volumes [{}] are not referenced by any of the containers.", loose.join(", "))))
}
