//! One volume of a payload.

use longshore_ecs_wire::agent::{self, HostVolume, Volume};
use longshore_ecs_wire::shapes;

/// The volume; one that is neither docker's nor EFS's is the host's, with or without a path.
pub(super) fn volume(given: &shapes::Volume) -> Volume {
    let shapes::Volume {
        name,
        host,
        docker_volume_configuration,
        efs_volume_configuration,
        s3files_volume_configuration: _,                 // Refused by `unsendable`.
        fsx_windows_file_server_volume_configuration: _, // Refused by `unsendable`.
        configured_at_launch: _,                         // Refused by `unsendable`.
    } = given;
    let volume = Volume { name: name.clone().unwrap_or_default(), ..Volume::default() };
    if let Some(docker) = docker_volume_configuration {
        Volume { kind: Some("docker".into()), docker_volume_configuration: Some(of_docker(docker)), ..volume }
    } else if let Some(efs) = efs_volume_configuration {
        Volume { kind: Some("efs".into()), efs_volume_configuration: Some(of_efs(efs)), ..volume }
    } else {
        let source_path = host.as_ref().and_then(|host| host.source_path.clone()).filter(|path| !path.is_empty());
        Volume { kind: Some("host".into()), host: Some(HostVolume { source_path }), ..volume }
    }
}

fn of_docker(given: &shapes::DockerVolumeConfiguration) -> agent::DockerVolumeConfiguration {
    let shapes::DockerVolumeConfiguration { scope, autoprovision, driver, driver_opts, labels } = given;
    agent::DockerVolumeConfiguration {
        scope: scope.as_ref().map(ToString::to_string),
        autoprovision: autoprovision.unwrap_or(false),
        driver: driver.clone(),
        driver_opts: driver_opts.clone().unwrap_or_default(),
        labels: labels.clone().unwrap_or_default(),
    }
}

fn of_efs(given: &shapes::EFSVolumeConfiguration) -> agent::EfsVolumeConfiguration {
    let shapes::EFSVolumeConfiguration {
        file_system_id,
        root_directory,
        transit_encryption,
        transit_encryption_port,
        authorization_config,
    } = given;
    agent::EfsVolumeConfiguration {
        file_system_id: file_system_id.clone().unwrap_or_default(),
        root_directory: root_directory.clone(),
        transit_encryption: transit_encryption.as_ref().map(ToString::to_string),
        transit_encryption_port: transit_encryption_port.map(i64::from),
        authorization_config: authorization_config.as_ref().map(|given| {
            let shapes::EFSAuthorizationConfig { access_point_id, iam } = given;
            agent::EfsAuthorizationConfig {
                access_point_id: access_point_id.clone(),
                iam: iam.as_ref().map(ToString::to_string),
            }
        }),
    }
}
