//! Fleets of tasks, put into a store's file directly.
//!
//! Nine tasks of ten run, the others are stopped and still listed. Every value that the benchmark
//! filters by belongs to a multiple of 100 running tasks, except in the fleet of one, so that all
//! pages are full and fleets differ in nothing but their size.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use longshore_domain::cluster::ClusterRecord;
use longshore_domain::container_instance::{ContainerInstanceRecord, ContainerInstanceStatus};
use longshore_domain::node::NodeRecord;
use longshore_domain::task::{
    ContainerRecord, ContainerStatus, DesiredStatus, LaunchType, StopCode, TaskRecord, TaskStatus,
};
use longshore_domain::{EcsId, Resources, Scope, Timestamp};
use longshore_store::lock::DirectoryLock;
use longshore_store::{Backend, Options, Store, Tx, UpdateError, Write};

use tokio::task::JoinSet;

use super::server::ACCOUNT;
use super::signer::REGION;

/// The cluster of every fleet.
pub const CLUSTER: &str = "bench";

/// Records in one update.
const BATCH: usize = 100;

/// How long the store has to end.
const DEADLINE: Duration = Duration::from_secs(60);

/// How many tasks there are, and how many values of each kind they share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fleet {
    /// Tasks, stopped ones included.
    pub tasks: u64,
    families: u64,
    services: u64,
    starters: u64,
    instances: u64,
}

/// The fleets that are compared.
pub const FLEETS: [Fleet; 3] = [
    Fleet { tasks: 1, families: 1, services: 1, starters: 1, instances: 1 },
    Fleet { tasks: 1_000, families: 3, services: 3, starters: 3, instances: 3 },
    Fleet { tasks: 100_000, families: 30, services: 90, starters: 10, instances: 300 },
];

/// What ListTasks can be asked for in a fleet: member of the request, and value.
pub type Filter = Vec<(&'static str, String)>;

impl Fleet {
    /// The filters by kind, each kind with up to three values.
    pub fn filters(&self) -> [Vec<Filter>; 7] {
        let few = |name: &'static str, of: u64, value: &dyn Fn(u64) -> String| -> Vec<Filter> {
            (0..of.min(3)).map(|index| vec![(name, value(index))]).collect()
        };
        let ec2 = || ("launchType", "EC2".to_owned());
        let family = few("family", self.families, &family);
        let both = family.iter().map(|filter| filter.iter().cloned().chain([ec2()]).collect()).collect();
        [
            vec![vec![]],
            family,
            few("serviceName", self.services, &service),
            few("startedBy", self.starters, &starter),
            vec![vec![ec2()]],
            few("containerInstance", self.instances, &|index| instance_id(index).to_string()),
            both,
        ]
    }

    /// Writes the fleet into the data directory of a server that does not run.
    ///
    /// # Errors
    /// What the store says.
    pub fn store_in(&self, data_dir: &Path) -> Result<(), String> {
        let failed = |error: &dyn std::fmt::Display| format!("cannot store the fleet: {error}");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| failed(&e))?;
        let store = Store::open(Options::new(Backend::Sqlite(data_dir.to_owned()))).map_err(|e| failed(&e))?;
        runtime.block_on(self.put_into(&store)).map_err(|error| failed(&error))?;
        drop(store);
        until_free(data_dir)
    }

    async fn put_into(&self, store: &Store) -> Result<(), UpdateError<std::convert::Infallible>> {
        let now = now();
        let cluster = store.update(write(self.tasks + 1, now), put_cluster).await?;
        let indexes: Vec<u64> = (0..self.instances).collect();
        for batch in indexes.chunks(BATCH / 2) {
            let members = batch.iter().map(|index| (node(*index, now), instance(cluster, *index, now))).collect();
            store.update(write(members, now), put_members).await?;
        }
        let mut seen = Seen::default();
        let tasks: Vec<_> = (0..self.tasks).map(|index| self.task(cluster, index, &mut seen, now)).collect();
        // Many updates under way share one commit.
        for group in tasks.chunks(BATCH * 32) {
            let mut under_way = JoinSet::new();
            for batch in group.chunks(BATCH) {
                let (store, write) = (store.clone(), write(batch.to_vec(), now));
                under_way.spawn(async move { store.update(write, put_tasks).await });
            }
            under_way.join_all().await.into_iter().collect::<Result<(), _>>()?;
        }
        Ok(())
    }

    fn task(&self, cluster: u64, index: u64, seen: &mut Seen, now: Timestamp) -> Arc<TaskRecord> {
        let stopped = index % 10 == 9;
        let place = seen.next(stopped);
        let block = place / 100;
        let on_ec2 = place / self.families % 3 < 2;
        let on = on_ec2.then(|| seen.next_on_ec2(stopped) % self.instances);
        let family = family(place % self.families);
        let ended = stopped.then_some(now);
        Arc::new(TaskRecord {
            cluster,
            id: scattered_id(index),
            sequence: index + 1,
            family: family.as_str().into(),
            revision: 3,
            group: format!("service:{}", service(block % self.services)).into(),
            started_by: Some(starter(block / self.services % self.starters).into()),
            launch_type: if on_ec2 { LaunchType::Ec2 } else { LaunchType::Fargate },
            capacity_provider: None,
            node: on.map(node_id),
            container_instance: on.map(instance_id),
            resources: Resources { cpu: 256, memory: 512, tcp_ports: vec![], udp_ports: vec![] },
            desired_status: if stopped { DesiredStatus::Stopped } else { DesiredStatus::Running },
            last_status: if stopped { TaskStatus::Stopped } else { TaskStatus::Running },
            version: 3,
            created_at: now,
            connectivity_at: Some(now),
            pull_started_at: Some(now),
            pull_stopped_at: Some(now),
            started_at: Some(now),
            stopping_at: ended,
            execution_stopped_at: ended,
            stopped_at: ended,
            stop_code: stopped.then_some(StopCode::EssentialContainerExited),
            stopped_reason: stopped.then(|| "Essential container in task exited".into()),
            containers: vec![container(index, stopped)],
            overrides: None,
            network_configuration: None,
            platform_version: None,
            enable_execute_command: false,
            tags: vec![],
        })
    }
}

/// Waits until the store's writer has let go of the data directory.
fn until_free(data_dir: &Path) -> Result<(), String> {
    let started = Instant::now();
    loop {
        match DirectoryLock::take(data_dir) {
            Ok(_) => return Ok(()),
            Err(error) if started.elapsed() > DEADLINE => return Err(format!("the store does not end: {error}")),
            Err(_) => std::thread::sleep(Duration::from_millis(1)),
        }
    }
}

/// How many tasks of each desired status came before.
#[derive(Debug, Default)]
struct Seen {
    all: [u64; 2],
    on_ec2: [u64; 2],
}

impl Seen {
    fn next(&mut self, stopped: bool) -> u64 {
        Self::count(&mut self.all[usize::from(stopped)])
    }

    fn next_on_ec2(&mut self, stopped: bool) -> u64 {
        Self::count(&mut self.on_ec2[usize::from(stopped)])
    }

    fn count(counter: &mut u64) -> u64 {
        *counter += 1;
        *counter - 1
    }
}

fn family(index: u64) -> String {
    format!("web-application-{index}")
}

fn service(index: u64) -> String {
    format!("service-{index}")
}

fn starter(index: u64) -> String {
    format!("deployment-pipeline-{index}")
}

fn node_id(index: u64) -> EcsId {
    scattered_id(1 << 40 | index)
}

fn instance_id(index: u64) -> EcsId {
    scattered_id(1 << 41 | index)
}

/// An id that looks drawn, and is the same every time.
fn scattered_id(index: u64) -> EcsId {
    let high = u128::from(index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let low = u128::from(index.wrapping_add(7).wrapping_mul(0xbf58_476d_1ce4_e5b9));
    EcsId((high << 64 | low).to_be_bytes())
}

fn container(index: u64, stopped: bool) -> ContainerRecord {
    let id = scattered_id(1 << 42 | index);
    ContainerRecord {
        last_status: if stopped { ContainerStatus::Stopped } else { ContainerStatus::Running },
        runtime_id: Some(format!("{id}{id}").into()),
        exit_code: stopped.then_some(0),
        ..ContainerRecord::default()
    }
}

fn node(index: u64, now: Timestamp) -> NodeRecord {
    NodeRecord {
        id: node_id(index),
        builtin: false,
        active: true,
        capacity: Resources { cpu: 1 << 20, memory: 1 << 20, tcp_ports: vec![22], udp_ports: vec![] },
        attributes: vec![],
        engine_version: "DockerVersion: 20.10.24".into(),
        registered_at: now,
    }
}

fn instance(cluster: u64, index: u64, now: Timestamp) -> ContainerInstanceRecord {
    ContainerInstanceRecord {
        id: instance_id(index),
        cluster,
        node: node_id(index),
        status: ContainerInstanceStatus::Active,
        registered_at: now,
        version: 1,
        builtin: false,
        attributes: vec![],
        tags: vec![],
        registered_by: principal(),
    }
}

fn principal() -> Arc<str> {
    format!("arn:aws:iam::{ACCOUNT}:root").into()
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or_default())
}

fn write<I>(input: I, at: Timestamp) -> Write<I> {
    Write { scope: Scope::new(ACCOUNT, REGION), principal: principal(), at, seed: scattered_id(0), input }
}

type Put<T> = Result<T, std::convert::Infallible>;

/// Makes the cluster with `input` as the next sequence number; its incarnation.
fn put_cluster(tx: &mut Tx<'_>, write: &Write<u64>) -> Put<u64> {
    let mut cluster = ClusterRecord::new(write.scope.clone(), CLUSTER, tx.version(), write.at);
    cluster.next_sequence = write.input;
    tx.put(cluster);
    Ok(tx.version())
}

fn put_members(tx: &mut Tx<'_>, write: &Write<Vec<(NodeRecord, ContainerInstanceRecord)>>) -> Put<()> {
    for (node, instance) in write.input.clone() {
        tx.put(node);
        tx.put(instance);
    }
    Ok(())
}

fn put_tasks(tx: &mut Tx<'_>, write: &Write<Vec<Arc<TaskRecord>>>) -> Put<()> {
    for task in &write.input {
        tx.put(longshore_store::Record::Task(Arc::clone(task)));
    }
    Ok(())
}
