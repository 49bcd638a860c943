//! Pulls from a real registry on the loopback, and from ones that are down, hang or know nothing.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;

use bollard::Docker;
use bollard::query_parameters::{PushImageOptions, TagImageOptions};
use futures_util::TryStreamExt;
use longshore_node::deadline::{Deadlined, Deadlines};
use longshore_node::docker::DockerEngine;
use longshore_node::engine::{ContainerSpec, Engine, EngineError, PullProgress};
use tokio::net::TcpListener;
use tokio::time::Instant;

use crate::rig::{Program, Rig, with_rig};

/// Debian's docker-registry on a free port, with its data in a temporary directory.
struct Registry {
    process: Child,
    address: String,
    _directory: tempfile::TempDir,
}

impl Registry {
    fn start() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let configuration = directory.path().join("registry.yml");
        let data = directory.path().join("data");
        let text = format!(
            "version: 0.1\nlog: {{level: info}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: '127.0.0.1:0'}}\n",
            data.display()
        );
        std::fs::write(&configuration, text).expect("written");
        let mut process = Command::new("docker-registry")
            .args(["serve".as_ref(), configuration.as_os_str()])
            .env("OTEL_TRACES_EXPORTER", "none")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("docker-registry starts: apt-get install docker-registry");
        let mut log = BufReader::new(process.stderr.take().expect("piped")).lines().map_while(Result::ok);
        let line = log.find(|line| line.contains("listening on")).expect("it listens");
        let address = line
            .split("listening on ")
            .nth(1)
            .and_then(|rest| rest.split(['"', ' ', ',']).next())
            .expect("an address")
            .to_owned();
        std::thread::spawn(move || log.for_each(drop));
        Self { process, address, _directory: directory }
    }

    /// Pushes `image` as `repository:1`; the reference, which is not here any more.
    async fn push(&self, image: &str, repository: &str) -> String {
        let docker = Docker::connect_with_defaults().expect("the engine");
        let name = format!("{}/{repository}", self.address);
        let tag = TagImageOptions { repo: Some(name.clone()), tag: Some("1".into()) };
        docker.tag_image(image, Some(tag)).await.expect("tagged");
        let options = PushImageOptions { tag: Some("1".into()), ..PushImageOptions::default() };
        docker.push_image(&name, Some(options), None).try_collect::<Vec<_>>().await.expect("pushed");
        let reference = format!("{name}:1");
        docker
            .remove_image(&reference, None::<bollard::query_parameters::RemoveImageOptions>, None)
            .await
            .expect("untagged");
        reference
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn docker_pulls_tell_their_progress_and_digest() {
    with_rig(Rig::docker(), |rig| Box::pin(a_pull_from_a_registry(rig)));
}

async fn a_pull_from_a_registry(rig: &Rig) {
    let registry = Registry::start();
    let reference = registry.push(&rig.image, "longshore-test/busybox").await;
    assert_eq!(rig.engine.image(&reference).await, Ok(None));

    let reports = Mutex::new(Vec::new());
    let on_progress = |progress: PullProgress| reports.lock().expect("no panic").push(progress);
    let pulled = rig.engine.pull(&reference, &on_progress).await.expect("pulled");
    let digest = pulled.repository_digest.clone().expect("a registry's image has a digest");
    assert!(digest.starts_with("sha256:"), "{digest}");
    assert_eq!(rig.engine.image(&reference).await, Ok(Some(pulled)));
    let reports = reports.into_inner().expect("no panic");
    assert!(!reports.is_empty() && reports.iter().all(|report| report.current <= report.total), "{reports:?}");

    let by_digest = format!("{}@{digest}", reference.rsplit_once(':').expect("a tag").0);
    let same = rig.engine.pull(&by_digest, &|_| {}).await.expect("pulled by digest");
    assert_eq!(same.repository_digest.as_ref(), Some(&digest));

    // The image made here keeps being one that no registry knows.
    let own = rig.engine.image(&rig.image).await.expect("the engine answers").expect("it is here");
    assert_eq!(own.repository_digest, None);

    let id = rig.run(&ContainerSpec { image: reference.clone(), ..rig.spec("pulled", Program::Exits(4)) }).await;
    assert_eq!(rig.exited(&id).await.exit_code, Some(4));
    rig.engine.remove(&id).await.expect("removed");

    let wrong_tag = format!("{}:2", reference.rsplit_once(':').expect("a tag").0);
    let absent = rig.engine.pull(&wrong_tag, &|_| {}).await;
    assert!(matches!(absent, Err(EngineError::NotFound(_) | EngineError::Refused(_))), "{wrong_tag}: {absent:?}");
    for reference in [reference, by_digest] {
        rig.engine.remove_image(&reference).await.expect("removed");
    }
}

#[test]
fn docker_pulls_that_cannot_connect_fail_soon() {
    with_rig(Rig::docker(), |rig| Box::pin(pulls_without_a_registry(rig)));
}

async fn pulls_without_a_registry(rig: &Rig) {
    let begun = Instant::now();
    let down = rig.engine.pull("127.0.0.1:1/a/b:1", &|_| {}).await;
    assert!(matches!(&down, Err(EngineError::Refused(text)) if text.contains("refused")), "{down:?}");
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());

    // It takes connections and never says a word.
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = silent.local_addr().expect("an address");
    let docker = DockerEngine::from_environment().expect("the engine");
    let deadlines = Deadlines { pull_connect: Duration::from_millis(500), ..Deadlines::default() };
    let answer = Deadlined::new(docker, deadlines).pull(&format!("{address}/a/b:1"), &|_| {}).await;
    assert_eq!(answer.map(drop), Err(EngineError::Deadline { call: "pull: the registry", seconds: 1 }));
}

#[test]
fn docker_references_that_are_none_are_refused() {
    with_rig(Rig::docker(), |rig| {
        Box::pin(async move {
            for reference in ["../containers/json", "UPPER/case:1", "a b", "busybox?x", ""] {
                let answer = rig.engine.pull(reference, &|_| {}).await;
                assert!(
                    matches!(&answer, Err(EngineError::Refused(text)) if text.contains("invalid reference")),
                    "{reference}: {answer:?}"
                );
            }
        })
    });
}
