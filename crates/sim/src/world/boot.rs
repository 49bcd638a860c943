//! From a disk to a running server: open, register the node, start what runs beside the API, and have it judged.

use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use longshore_api::{Api, Clock, Seeds};
use longshore_controllers::{Driver, Now, Reaper, TaskRetention};
use longshore_domain::node::NodeRecord;
use longshore_domain::{EcsId, Resources, Scope};
use longshore_ecs_wire::shapes::Attribute;
use longshore_gateway::{Session, SessionIdentity, SessionOptions};
use longshore_store::backend::sqlite::Sqlite;
use longshore_store::watch::{Interest, Watch};
use longshore_store::{Kind, Steps, Store, StoreError, Tx, Write};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::{Link, World, lock};
use crate::disk::{Disk, Mounted};

/// The name of the store's file.
const FILE: &str = "longshore.db";
/// The machine of the world.
const NODE: EcsId = EcsId([7; 16]);
/// Frames that may wait each way.
const STREAM: usize = 64;
/// Pause before a session that ended begins again, as in the server.
const SESSION_PAUSE: Duration = Duration::from_millis(250);

/// What ends with the server.
pub(super) struct Running {
    pub api: Api,
    pub steps: Steps,
    /// Tells of tasks that go.
    pub tasks: Watch,
    _reaper: Driver,
    sessions: JoinHandle<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.sessions.abort();
    }
}

/// Starts a server; it is not open to callers yet. An error says what kept it from starting.
pub(super) async fn boot(world: &Arc<World>, disk: &Disk, mounted: &Mounted) -> Result<Running, String> {
    let folder = mounted.folder();
    mounted.show().map_err(|error| error.to_string())?;
    let backend = Sqlite::open(&folder.join(FILE)).map_err(|error| without(folder, &error))?;
    let (store, mut steps) = Store::stepped(Box::new(backend)).map_err(|error| without(folder, &error))?;
    let version = store.view().version();
    world.judge().opened_at(version);
    let clock: Arc<dyn Clock> = Arc::clone(&world.clock) as Arc<dyn Clock>;
    let seeds: Arc<dyn Seeds> = Arc::clone(&world.seeds) as Arc<dyn Seeds>;
    let prepare = async {
        let api = Api::new(store.clone(), clock, seeds).await?;
        register(world, &store).await?;
        Ok::<Api, StoreError>(api)
    };
    let mut prepare = std::pin::pin!(prepare);
    let api = loop {
        tokio::select! {
            biased;
            api = &mut prepare => break api.map_err(|error| without(folder, &error))?,
            () = sleep(Duration::from_millis(1)) => {
                steps.decide();
                steps.commit();
                if !disk.is_alive() {
                    return Err("it ended while it started".into());
                }
            }
        }
    };
    let tasks = store.watch_from(store.view().version(), Interest::Kind(Kind::Task));
    let tasks = tasks.map_err(|error| error.to_string())?;
    let now: Now = now(world);
    let reaper = Reaper::new(store.clone(), TaskRetention::default(), Arc::clone(&now));
    let reaper = Driver::start(reaper, store.clone(), Reaper::driver_options(), now);
    let sessions = tokio::spawn(sessions(Arc::clone(world), store.clone()));
    Ok(Running { api, steps, tasks, _reaper: reaper, sessions })
}

/// An error's text without what differs from run to run.
fn without(folder: &Path, error: &StoreError) -> String {
    error.to_string().replace(&*folder.to_string_lossy(), "")
}

fn now(world: &Arc<World>) -> Now {
    let clock = Arc::clone(&world.clock);
    Arc::new(move || clock.now())
}

async fn register(world: &World, store: &Store) -> Result<(), StoreError> {
    let attribute = |name: &str, value: &str| Attribute {
        name: Some(name.to_owned()),
        value: Some(value.to_owned()),
        ..Attribute::default()
    };
    let record = NodeRecord {
        id: NODE,
        builtin: true,
        active: true,
        capacity: Resources { cpu: 1 << 20, memory: 1 << 20, ..Resources::default() },
        attributes: vec![attribute("ecs.cpu-architecture", "x86_64"), attribute("ecs.os-family", "LINUX")],
        engine_version: "simulated".into(),
        registered_at: world.clock.now(),
    };
    let write = Write {
        scope: Scope::new("", ""),
        principal: "longshore".into(),
        at: world.clock.now(),
        seed: world.seeds.seed(),
        input: record,
    };
    store.update(write, keep_node).await.map_err(|error| match error {
        longshore_store::UpdateError::Store(error) => error,
        other => StoreError::Commit(other.to_string()),
    })
}

fn keep_node(tx: &mut Tx<'_>, write: &Write<NodeRecord>) -> Result<(), Infallible> {
    tx.put(write.input.clone());
    Ok(())
}

/// Offers the node one session after another, as the server does for its own node.
async fn sessions(world: Arc<World>, store: Store) {
    let prefix = "arn:aws:ecs:us-east-1:000000000000";
    let session = Session {
        store,
        node: NODE,
        identity: SessionIdentity {
            cluster_arn: format!("{prefix}:cluster/longshore"),
            container_instance_arn: format!("{prefix}:container-instance/longshore/{NODE}"),
        },
        options: SessionOptions::default(),
        now: now(&world),
        on_connected: Arc::new(|_, _| {}),
    };
    loop {
        let (to_node, from_server) = mpsc::channel(STREAM);
        let (to_server, from_node) = mpsc::channel(STREAM);
        *lock(&world.link) = Some(Link { from_server, to_server });
        let end = session.clone().run(to_node, from_node).await;
        world.event("gateway", format_args!("a session ended: {end:?}"));
        sleep(SESSION_PAUSE).await;
    }
}
