//! An engine under test, what it is given to run, and the cleaning up after it.

use std::collections::BTreeMap;
use std::future::Future;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bollard::query_parameters::TopOptions;
use futures_util::FutureExt;
use longshore_node::deadline::{Deadlined, Deadlines};
use longshore_node::docker::DockerEngine;
use longshore_node::engine::{ContainerPhase, ContainerSpec, Engine, NetworkMode, Observed};
use longshore_node::simulated::SimulatedEngine;
use sha2::{Digest, Sha256};
use tokio::time::{Instant, sleep};

/// The label that says whose a container is.
pub const NODE_LABEL: &str = "longshore.node";
/// Longer than anything takes on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// What a container of a test does.
#[derive(Debug, Clone, Copy)]
pub enum Program {
    /// Runs until SIGTERM, then exits with 143.
    RunsUntilStopped,
    /// Exits at once.
    Exits(i32),
    /// Only SIGKILL ends it.
    IgnoresSigterm,
    /// Takes memory until the kernel kills it.
    EatsMemory,
    /// Cannot be started.
    CannotStart,
}

/// The kind of engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Docker,
    Simulated,
}

/// An engine under test.
pub struct Rig {
    pub engine: Arc<dyn Engine>,
    pub kind: Kind,
    /// Value of [`NODE_LABEL`], and part of every name.
    pub node: String,
    pub image: String,
}

impl Rig {
    pub async fn docker() -> Self {
        let docker = DockerEngine::from_environment().expect("DOCKER_HOST is supported");
        let engine = Deadlined::new(docker, Deadlines { stop_margin: PATIENCE, ..Deadlines::default() });
        engine.ping().await.expect("a container engine answers: scripts/install-docker.sh starts one");
        let image = ensure_busybox(&engine).await;
        Self { engine: Arc::new(engine), kind: Kind::Docker, node: unique_node(), image }
    }

    pub async fn simulated() -> Self {
        let engine = Deadlined::new(SimulatedEngine::new(), Deadlines::default());
        let image = "anything:1".to_owned();
        engine.pull(&image, &|_| {}).await.expect("simulated pulls succeed");
        Self { engine: Arc::new(engine), kind: Kind::Simulated, node: unique_node(), image }
    }

    /// A name of this test alone.
    pub fn name(&self, suffix: &str) -> String {
        format!("ecs-{}-{suffix}", self.node)
    }

    /// The label that says that a thing is this test's.
    pub fn labels(&self) -> BTreeMap<String, String> {
        BTreeMap::from([(NODE_LABEL.to_owned(), self.node.clone())])
    }

    /// A container that runs `program`, without a network.
    pub fn spec(&self, suffix: &str, program: Program) -> ContainerSpec {
        let mut spec = ContainerSpec {
            name: self.name(suffix),
            image: self.image.clone(),
            labels: self.labels(),
            cpu_shares: 2,
            network: NetworkMode::None,
            stop_timeout_seconds: 30,
            ..ContainerSpec::default()
        };
        match self.kind {
            Kind::Docker => {
                spec.command = Some(command(program).into_iter().map(str::to_owned).collect());
                if let Program::Exits(code) = program {
                    spec.command = Some(vec!["sh".into(), "-c".into(), format!("exit {code}")]);
                }
                if matches!(program, Program::EatsMemory) {
                    spec.memory_bytes = Some(12 << 20);
                }
            }
            Kind::Simulated => spec.labels.extend(knobs(program)),
        }
        spec
    }

    /// The same on this test's bridge network, which is made.
    pub async fn bridged(&self, suffix: &str, program: Program) -> ContainerSpec {
        let network = self.name("network");
        self.engine.ensure_network(&network, &self.labels()).await.expect("a network");
        ContainerSpec { network: NetworkMode::Bridge(network), ..self.spec(suffix, program) }
    }

    /// Creates and starts a container; its id.
    pub async fn run(&self, spec: &ContainerSpec) -> String {
        let id = self.engine.create(spec).await.expect("created");
        self.engine.start(&id).await.expect("started");
        id
    }

    /// Waits until the container's own program runs. Docker calls a container running while runc is still on its way
    /// to that program, and a signal in between ends runc instead, with exit code 2.
    pub async fn ready(&self, id: &str) {
        if self.kind == Kind::Simulated {
            return;
        }
        let docker = bollard::Docker::connect_with_defaults().expect("the engine");
        eventually("the program runs", async || {
            let processes = docker.top_processes(id, None::<TopOptions>).await.expect("a running container");
            let lines = processes.processes.unwrap_or_default().concat().join(" ");
            (lines.contains("sleep 3600") || lines.contains("/longshore-minimal")).then_some(())
        })
        .await;
    }

    pub async fn inspect(&self, id: &str) -> Observed {
        self.engine.inspect(id).await.expect("inspected")
    }

    /// The container once its process has ended.
    pub async fn exited(&self, id: &str) -> Observed {
        eventually("the container exits", async || {
            let observed = self.inspect(id).await;
            (observed.phase == ContainerPhase::Exited).then_some(observed)
        })
        .await
    }

    async fn clean_up(&self) {
        for container in self.engine.list(NODE_LABEL, &self.node).await.expect("listed") {
            self.engine.remove(&container.runtime_id).await.expect("removed");
        }
        self.engine.remove_network(&self.name("network")).await.expect("network removed");
        self.engine.remove_image(&format!("longshore-test/{}:1", self.node)).await.expect("image removed");
    }
}

fn command(program: Program) -> Vec<&'static str> {
    match program {
        Program::RunsUntilStopped => vec!["sh", "-c", "trap 'exit 143' TERM; sleep 3600 & wait"],
        Program::Exits(_) => vec![],
        Program::IgnoresSigterm => vec!["sh", "-c", "trap '' TERM; sleep 3600"],
        Program::EatsMemory => vec!["tail", "/dev/zero"],
        Program::CannotStart => vec!["/no/such/program"],
    }
}

fn knobs(program: Program) -> Option<(String, String)> {
    let (knob, value) = match program {
        Program::RunsUntilStopped => return None,
        Program::Exits(code) => ("exit-code", code.to_string()),
        Program::IgnoresSigterm => ("ignore-sigterm", "true".into()),
        Program::EatsMemory => ("fail", "oom".into()),
        Program::CannotStart => ("fail", "start".into()),
    };
    Some((format!("longshore.simulated.{knob}"), value))
}

/// Runs `body` with a rig, and cleans up whatever becomes of it.
pub fn with_rig<F>(make: impl Future<Output = Rig>, body: F)
where
    F: for<'a> FnOnce(&'a Rig) -> Pin<Box<dyn Future<Output = ()> + 'a>>,
{
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let outcome = runtime.block_on(async {
        let rig = make.await;
        let outcome = AssertUnwindSafe(body(&rig)).catch_unwind().await;
        let cleaned = AssertUnwindSafe(rig.clean_up()).catch_unwind().await;
        outcome.and(cleaned)
    });
    if let Err(panic) = outcome {
        resume_unwind(panic);
    }
}

/// Waits until `condition` gives something.
pub async fn eventually<T>(what: &str, condition: impl AsyncFn() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = condition().await {
            return found;
        }
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        sleep(Duration::from_millis(20)).await; // poll: the condition
    }
}

fn unique_node() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_nanos();
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("test-{}-{nanos:x}-{count}", std::process::id())
}

/// Sees to it that the engine has the image of Docker tests; its reference, which follows from its content.
/// Tests run as processes side by side; a lock keeps two of them from importing it twice.
async fn ensure_busybox(engine: &dyn Engine) -> String {
    let rootfs = busybox_rootfs();
    let digest: String = Sha256::digest(&rootfs).iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    let reference = format!("longshore-test/node-busybox:{digest}");
    let lock = std::env::temp_dir().join("longshore-test-node-busybox.lock");
    let lock = std::fs::File::create(lock).expect("a lock file");
    lock.lock().expect("locked");
    if engine.image(&reference).await.expect("the engine answers").is_none() {
        engine.import_image(&reference, rootfs, &[]).await.expect("imported");
    }
    reference
}

/// A file system with Debian's static busybox, its applets, and a writable `/tmp`.
pub fn busybox_rootfs() -> Vec<u8> {
    let program = std::fs::read("/bin/busybox").expect("/bin/busybox is there: apt-get install busybox-static");
    let mut archive = tar::Builder::new(Vec::new());
    for (path, mode) in [("bin/", 0o755), ("tmp/", 0o1777), ("etc/", 0o755)] {
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(tar::EntryType::Directory);
        header.set_mode(mode);
        header.set_size(0);
        archive.append_data(&mut header, path, std::io::empty()).expect("in memory");
    }
    let mut header = tar::Header::new_ustar();
    header.set_mode(0o755);
    header.set_size(program.len() as u64);
    archive.append_data(&mut header, "bin/busybox", program.as_slice()).expect("in memory");
    for applet in ["sh", "sleep", "tail", "test", "id", "hostname", "touch", "cat", "env", "grep", "httpd", "echo"] {
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(tar::EntryType::Symlink);
        header.set_size(0);
        archive.append_link(&mut header, format!("bin/{applet}"), "busybox").expect("in memory");
    }
    archive.into_inner().expect("in memory")
}
