//! Volumes, mount points and volumesFrom.

use super::*;

fn volume(members: Value) -> Value {
    let mut volume = json!({"name": "v"});
    lay_over(volume.as_object_mut().unwrap(), &members);
    json!({"volumes": [volume]})
}

#[test]
fn volumes_by_themselves() {
    assert_refused(
        minimal,
        &[
            (Inferred, volume(json!({"name": null})), "volume.name should not be null or empty."),
            (Seen, volume(json!({"name": "var.run"})), "volume.name contains invalid characters."),
            (
                Inferred,
                json!({"volumes": [{"name": "v"}, {"name": "v"}]}),
                "Volume names must be unique within a Task Definition.",
            ),
            (Seen, volume(json!({"host": {"sourcePath": ""}})), "host.sourcePath should not be blank."),
            (
                Seen,
                volume(json!({"host": {"sourcePath": "/v"}, "efsVolumeConfiguration": {"fileSystemId": "fs-1"}})),
                "When the volume parameter is specified, only one volume configuration type should be used.",
            ),
            (
                Inferred,
                volume(json!({"dockerVolumeConfiguration": {}, "configuredAtLaunch": true})),
                "When the volume parameter is specified, only one volume configuration type should be used.",
            ),
            (
                Inferred,
                volume(json!({"dockerVolumeConfiguration": {"scope": "x"}})),
                "scope should be one of [task,shared]",
            ),
            (
                Inferred,
                volume(json!({"dockerVolumeConfiguration": {"scope": "task", "autoprovision": true}})),
                "autoprovision is only supported when scope is shared.",
            ),
            (
                Seen,
                volume(json!({"configuredAtLaunch": true})),
                "Volumes [v] are not referenced by any of the containers.",
            ),
        ],
    );
    assert_accepted(
        minimal,
        &[
            volume(json!({})),
            volume(json!({"host": {}})),
            volume(json!({"host": {}, "dockerVolumeConfiguration": {"scope": "shared", "autoprovision": true}})),
            volume(json!({"configuredAtLaunch": false})),
        ],
    );
}

#[test]
fn efs_volumes() {
    let efs = |members: Value| volume(json!({"efsVolumeConfiguration": members}));
    assert_refused(
        minimal,
        &[
            (Inferred, efs(json!({})), "EFSVolumeConfiguration.fileSystemId should not be null or empty."),
            (
                Seen,
                efs(json!({
                    "fileSystemId": "fs-1",
                    "rootDirectory": "/data",
                    "transitEncryption": "ENABLED",
                    "authorizationConfig": {"accessPointId": "fsap-1"},
                })),
                "When using an EFS access point, the root directory must either be set to \"/\" or be omitted.",
            ),
            (
                Seen,
                efs(json!({"fileSystemId": "fs-1", "authorizationConfig": {"iam": "ENABLED"}})),
                "EFS IAM authorization requires TransitEncryption to be enabled.",
            ),
            (
                Inferred,
                efs(json!({"fileSystemId": "fs-1", "authorizationConfig": {"accessPointId": "fsap-1"}})),
                "EFS access point requires TransitEncryption to be enabled.",
            ),
        ],
    );
    assert_accepted(
        minimal,
        &[
            efs(json!({"fileSystemId": "fs-1", "rootDirectory": "/data"})),
            efs(json!({
                "fileSystemId": "fs-1",
                "rootDirectory": "/",
                "transitEncryption": "ENABLED",
                "authorizationConfig": {"accessPointId": "fsap-1", "iam": "ENABLED"},
            })),
        ],
    );
}

#[test]
fn what_containers_mount() {
    let mount = |point: Value| json!({"volumes": [{"name": "v"}], "app": {"mountPoints": [point]}});
    let from = |source: Value| json!({"app": {"volumesFrom": [{"sourceContainer": source}]}});
    assert_refused(
        minimal,
        &[
            (Seen, mount(json!({"sourceVolume": "w", "containerPath": "/w"})), "Unknown volume 'w'."),
            (Seen, mount(json!({"containerPath": "/w"})), "Unknown volume 'null'."),
            (Inferred, mount(json!({"sourceVolume": "v"})), "MountPoint.containerPath should not be null or empty."),
            (Seen, from(json!("b")), "Invalid 'volumesFrom' setting. Unknown container: 'b'."),
            (Inferred, from(Value::Null), "Invalid 'volumesFrom' setting. Unknown container: 'null'."),
            (Inferred, from(json!("app")), "Container volumesFrom should not have a cycle"),
        ],
    );
    assert_accepted(
        minimal,
        &[
            mount(json!({"sourceVolume": "v", "containerPath": "/v", "readOnly": true})),
            json!({
                "volumes": [{"name": "v", "configuredAtLaunch": true}],
                "app": {"mountPoints": [{"sourceVolume": "v", "containerPath": "/v"}]},
            }),
            json!({
                "app": {"volumesFrom": [{"sourceContainer": "b"}]},
                "more": [{"name": "b", "image": "i", "memory": 64}],
            }),
        ],
    );
}
