//! What every engine promises about images and probes.

use longshore_node::engine::{ContainerSpec, EngineError};
use longshore_node::minimal_image;

use crate::rig::{Kind, NODE_LABEL, Program, Rig, busybox_rootfs};

pub async fn an_imported_image_runs_and_has_no_registry_digest(rig: &Rig) {
    let reference = format!("longshore-test/{}:1", rig.node);
    assert_eq!(rig.engine.image(&reference).await, Ok(None));
    let entry_point = ["/bin/busybox".to_owned(), "sh".into(), "-c".into(), "exit 5".into()];
    let imported = rig.engine.import_image(&reference, busybox_rootfs(), &entry_point).await.expect("imported");
    assert!(imported.id.starts_with("sha256:"), "{}", imported.id);
    assert_eq!(imported.repository_digest, None);
    assert_eq!(rig.engine.image(&reference).await, Ok(Some(imported)));

    let mut spec = ContainerSpec { image: reference.clone(), ..rig.spec("imported", Program::Exits(5)) };
    spec.command = None;
    let id = rig.run(&spec).await;
    assert_eq!(rig.exited(&id).await.exit_code, Some(5));
    rig.engine.remove(&id).await.expect("removed");

    rig.engine.remove_image(&reference).await.expect("removed");
    rig.engine.remove_image(&reference).await.expect("absent is success");
    assert_eq!(rig.engine.image(&reference).await, Ok(None));
}

pub async fn a_failed_pull_says_why(rig: &Rig) {
    let reference = match rig.kind {
        // Nothing listens on port 1 of the loopback.
        Kind::Docker => "127.0.0.1:1/longshore-test/absent:1",
        Kind::Simulated => "pull-fails.invalid/longshore-test/absent:1",
    };
    let answer = rig.engine.pull(reference, &|_| {}).await;
    let Err(EngineError::Refused(text)) = answer else { panic!("{answer:?}") };
    assert!(text.contains("127.0.0.1:1") || text.contains(reference), "{text}");
    assert_eq!(rig.engine.image(reference).await, Ok(None));
}

pub async fn a_probe_proves_that_containers_start_and_leaves_none(rig: &Rig) {
    let reference = minimal_image::ensure(&*rig.engine).await.expect("the minimal image");
    assert_eq!(minimal_image::ensure(&*rig.engine).await.as_ref(), Ok(&reference));
    let labels = rig.labels();
    rig.engine.probe(&reference, &labels).await.expect("containers start");
    rig.engine.probe(&reference, &labels).await.expect("again");
    assert_eq!(rig.engine.list(NODE_LABEL, &rig.node).await, Ok(vec![]));
    let absent = format!("longshore-test/{}:absent", rig.node);
    let refused = rig.engine.probe(&absent, &labels).await;
    assert!(matches!(refused, Err(EngineError::NotFound(_))), "{refused:?}");
}
