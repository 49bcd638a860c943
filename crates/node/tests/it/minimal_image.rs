//! The minimal program, run by the host's kernel and as process 1 of a container.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use longshore_node::engine::{ContainerPhase, ContainerSpec, NetworkMode};
use longshore_node::minimal_image;
use tokio::time::Instant;

use crate::rig::{Rig, with_rig};

/// Writes this machine's program to a file that can be run.
fn program(directory: &std::path::Path) -> std::path::PathBuf {
    let bytes = minimal_image::executable(std::env::consts::ARCH).expect("this architecture is supported");
    let path = directory.join("program");
    std::fs::write(&path, bytes).expect("written");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("executable");
    path
}

#[test]
fn the_program_greets_waits_and_ends_on_either_signal() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = program(directory.path());
    for signal in ["-TERM", "-INT"] {
        let mut process = Command::new(&path).stdout(Stdio::piped()).spawn().expect("it runs");
        let mut greeting = String::new();
        let mut output = BufReader::new(process.stdout.take().expect("piped"));
        output.read_line(&mut greeting).expect("a line");
        assert_eq!(greeting, "longshore: running until SIGTERM\n");
        assert!(process.try_wait().expect("a child").is_none(), "it waits");
        let sent = Command::new("kill").args([signal, &process.id().to_string()]).status().expect("kill runs");
        assert!(sent.success());
        assert_eq!(process.wait().expect("a child").code(), Some(0), "{signal}");
    }
}

#[test]
fn docker_stops_the_minimal_image_at_once() {
    with_rig(Rig::docker(), |rig| Box::pin(stop_is_quick(rig)));
}

async fn stop_is_quick(rig: &Rig) {
    let image = minimal_image::ensure(&*rig.engine).await.expect("imported");
    let spec = ContainerSpec {
        name: rig.name("minimal"),
        image,
        labels: rig.labels(),
        cpu_shares: 2,
        network: NetworkMode::None,
        readonly_root_filesystem: true,
        ..ContainerSpec::default()
    };
    let id = rig.run(&spec).await;
    rig.ready(&id).await;
    let begun = Instant::now();
    rig.engine.stop(&id, 60).await.expect("stopped");
    let took = begun.elapsed();
    let exited = rig.inspect(&id).await;
    // SIGKILL after the timeout would make it 137.
    assert_eq!((exited.phase, exited.exit_code), (ContainerPhase::Exited, Some(0)));
    assert!(took < Duration::from_secs(20), "{took:?}");
}
