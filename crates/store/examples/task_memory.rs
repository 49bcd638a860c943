//! Prints what tasks weigh in memory: `cargo run --release --example task_memory [TASKS] [EVERY]`.
//!
//! The fleet: RUNNING tasks of 200 Zipf families, 2,000 services, 5,000 container instances and 10,000 startedBy values,
//! with one container, its engine's id, the digest of its image and a dynamic host port; every tenth has overrides and
//! tags. One sequence number in EVERY is a task's, as after long churn. Bytes are growth of resident memory. Then all of
//! it is replaced ten times: every task stops, is reaped, and a new one starts. Memory must not grow with the rounds.

use std::sync::Arc;

use longshore_domain::cluster::ClusterRecord;
use longshore_domain::node::NodeRecord;
use longshore_domain::task::{
    ContainerRecord, ContainerStatus, DesiredStatus, LaunchType, StopCode, TaskRecord, TaskStatus,
};
use longshore_domain::{EcsId, Resources, Scope, Timestamp};
use longshore_ecs_wire::shapes::{
    ContainerOverride, KeyValuePair, NetworkBinding, Tag, TaskOverride, TransportProtocol,
};
use longshore_store::backend::{Batch, Durable};
use longshore_store::index::{IdMap, PositionSet, Rows};
use longshore_store::{Record, Store, StoreError, Tx, Write};

/// As the server allocates.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const CLUSTER: u64 = 1;
const NODES: u64 = 5_000;
const ROUNDS: u64 = 10;
/// Tasks of one update; it may change 100 records.
const SLICE: u64 = 50;

/// A deterministic scatter of a number (splitmix64).
fn scatter(n: u64) -> u64 {
    let mut z = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn id(n: u64) -> EcsId {
    EcsId((u128::from(scatter(n)) << 64 | u128::from(scatter(!n))).to_be_bytes())
}

fn hex(n: u64) -> String {
    (0..4).map(|part| format!("{:016x}", scatter(n.wrapping_mul(31).wrapping_add(part)))).collect()
}

fn zipf(drawn: u64, values: f64) -> u64 {
    let even = (drawn >> 11) as f64 / (1u64 << 53) as f64;
    (values + 1.0).powf(even) as u64 - 1
}

fn node_id(number: u64) -> EcsId {
    id(1 << 40 | number)
}

fn instance_id(number: u64) -> EcsId {
    id(1 << 41 | number)
}

/// The RUNNING task with this sequence number.
fn task(sequence: u64) -> TaskRecord {
    let drawn = |salt: u64| scatter(sequence.wrapping_mul(8).wrapping_add(salt));
    let created = 1_790_000_000_000 + sequence as i64 * 7;
    let at = |later: i64| Some(Timestamp::from_millis(created + later));
    let (family, place) = (zipf(drawn(0), 200.0), drawn(1) % NODES);
    let rich = drawn(5).is_multiple_of(10);
    TaskRecord {
        cluster: CLUSTER,
        id: id(sequence),
        sequence,
        family: format!("web-application-{family}").into(),
        revision: 3,
        group: format!("service:service-{}", drawn(2) % 2_000).into(),
        started_by: Some(format!("ecs-svc/{:019}", scatter(drawn(3) % 10_000) >> 1).into()),
        launch_type: LaunchType::Ec2,
        capacity_provider: None,
        node: Some(node_id(place)),
        container_instance: Some(instance_id(place)),
        resources: Resources { cpu: 256, memory: 512, tcp_ports: vec![], udp_ports: vec![] },
        desired_status: DesiredStatus::Running,
        last_status: TaskStatus::Running,
        version: 3,
        created_at: Timestamp::from_millis(created),
        connectivity_at: at(41),
        pull_started_at: at(230),
        pull_stopped_at: at(1_734),
        started_at: at(2_121),
        stopping_at: None,
        execution_stopped_at: None,
        stopped_at: None,
        stop_code: None,
        stopped_reason: None,
        containers: vec![ContainerRecord {
            last_status: ContainerStatus::Running,
            runtime_id: Some(hex(sequence).into()),
            image_digest: Some(format!("sha256:{}", hex(1 << 43 | family)).into()),
            exit_code: None,
            reason: None,
            network_bindings: vec![NetworkBinding {
                bind_ip: Some("0.0.0.0".into()),
                container_port: Some(8080),
                host_port: Some(49_153 + (drawn(4) % 16_000) as i32),
                protocol: Some(TransportProtocol::Tcp),
                ..NetworkBinding::default()
            }],
        }],
        overrides: rich.then(|| Arc::new(overrides(sequence))),
        network_configuration: None,
        platform_version: None,
        enable_execute_command: false,
        tags: if rich { tags(drawn(6) % 37) } else { vec![] },
    }
}

fn overrides(sequence: u64) -> TaskOverride {
    let shard = KeyValuePair { name: Some("SHARD".into()), value: Some(sequence.to_string()) };
    let container = ContainerOverride {
        name: Some("app".into()),
        command: Some(vec!["serve".into(), "--shard".into()]),
        environment: Some(vec![shard]),
        ..ContainerOverride::default()
    };
    TaskOverride { container_overrides: Some(vec![container]), ..TaskOverride::default() }
}

fn tags(team: u64) -> Vec<Tag> {
    let tag = |key: &str, value: String| Tag { key: Some(key.into()), value: Some(value) };
    vec![tag("team", format!("team-{team}")), tag("cost-center", "4711".into())]
}

fn stopped(task: TaskRecord) -> TaskRecord {
    let at = task.created_at.plus_seconds(90);
    TaskRecord {
        desired_status: DesiredStatus::Stopped,
        last_status: TaskStatus::Stopped,
        version: task.version + 2,
        stopping_at: Some(at),
        execution_stopped_at: Some(at),
        stopped_at: Some(at),
        stop_code: Some(StopCode::EssentialContainerExited),
        stopped_reason: Some("Essential container in task exited".into()),
        ..task
    }
}

/// A backend that has a fleet when it is opened, and forgets everything else.
struct Fleet {
    tasks: u64,
    every: u64,
    version: u64,
}

impl Durable for Fleet {
    fn load(&mut self, insert: &mut dyn FnMut(Record)) -> Result<u64, StoreError> {
        let before = resident();
        let scope = Scope::new("000000000000", "us-east-1");
        for number in 0..NODES {
            insert(node(number).into());
        }
        insert(ClusterRecord::new(scope, "c", CLUSTER, Timestamp::from_millis(1)).into());
        println!("nodes and cluster: {} KiB", (resident() - before) / 1024);
        // A million sequence numbers in no order, as a backend may hand them out.
        let step = (0..).map(|n| (self.tasks / 3) | 1 | (n << 1)).find(|step| gcd(*step, self.tasks) == 1);
        let step = step.expect("an odd prime that does not divide the number of tasks");
        let sequence = |number: u64| 1 + (number * step % self.tasks) * self.every;
        let start = cpu();
        (0..self.tasks).for_each(|number| drop(task(sequence(number))));
        let made = cpu();
        (0..self.tasks).for_each(|number| insert(task(sequence(number)).into()));
        println!("{} tasks entered in {:.2} s of CPU", self.tasks, cpu() - made - (made - start));
        Ok(1)
    }

    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
        self.version = batch.version;
        Ok(())
    }

    fn version(&mut self) -> Result<u64, StoreError> {
        Ok(self.version)
    }
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

fn node(number: u64) -> NodeRecord {
    NodeRecord {
        id: node_id(number),
        builtin: false,
        active: true,
        capacity: Resources { cpu: 1 << 20, memory: 1 << 20, tcp_ports: vec![22], udp_ports: vec![] },
        attributes: vec![],
        engine_version: "DockerVersion: 20.10.24".into(),
        registered_at: Timestamp::from_millis(1),
    }
}

/// Resident bytes of this process, for differences.
fn resident() -> i64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split(' ').nth(1).and_then(|pages| pages.parse::<i64>().ok()).unwrap_or(0) * 4096
}

/// Seconds that this process has spent on a core, for differences.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    // User and system time, in ticks of a hundredth of a second.
    after_name.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// Prints what `make` leaves in memory, a task.
fn weigh<T>(what: &str, tasks: u64, make: impl FnOnce() -> T) -> T {
    let before = resident();
    let made = make();
    println!("  {what:<44} {:>6.1} B/task", (resident() - before) as f64 / tasks as f64);
    made
}

/// The parts that can be filled alone; what remains of the whole is the records and what they share.
fn parts(tasks: u64, every: u64) {
    let sequences = || (0..tasks).map(move |n| 1 + n * every);
    let mut split: Vec<Vec<u64>> = vec![Vec::new(); NODES as usize];
    sequences().for_each(|sequence| split[(scatter(sequence) % NODES) as usize].push(sequence));
    let nothing = Arc::new(());
    let rows = weigh("rows, without what they point at", tasks, || {
        let mut rows = Rows::new();
        for sequence in sequences() {
            rows.insert(sequence, id(sequence).0, Arc::clone(&nothing));
        }
        rows
    });
    let ids = weigh("ids", tasks, || {
        let mut ids = IdMap::new();
        for sequence in sequences() {
            ids.insert(&id(sequence).0, sequence);
        }
        ids
    });
    let sets = weigh("one dimension of 5,000 values", tasks, || {
        let fill = |members: &Vec<u64>| {
            let mut set = PositionSet::new();
            for sequence in members {
                set.insert(*sequence);
            }
            set
        };
        split.iter().map(fill).collect::<Vec<_>>()
    });
    drop((rows, ids, sets));
}

/// Replaces the tasks of a slice: what is there stops and is reaped, and new ones start.
fn replace(tx: &mut Tx<'_>, write: &Write<(u64, u64)>) -> Result<(), ()> {
    let (first, later) = write.input;
    for sequence in first..first + SLICE {
        let table = &tx.state().cluster_by_incarnation(CLUSTER).ok_or(())?.tasks;
        if let Some(old) = table.get_by_sequence(sequence) {
            tx.put(stopped(old));
        }
    }
    for sequence in first..first + SLICE {
        let table = &tx.state().cluster_by_incarnation(CLUSTER).ok_or(())?.tasks;
        if let Some(old) = table.get_by_sequence(sequence) {
            tx.delete(old);
        }
    }
    for sequence in first + later..first + later + SLICE {
        tx.put(task(sequence));
    }
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse().expect("a number"));
    let tasks: u64 = arguments.next().unwrap_or(1_000_000);
    let every: u64 = arguments.next().unwrap_or(1);
    let store =
        weigh("everything", tasks, || Store::on(Box::new(Fleet { tasks, every, version: 1 })).expect("a store"));
    let view = store.view();
    let cluster = view.cluster_by_incarnation(CLUSTER).expect("the cluster");
    println!("  {} values are shared", cluster.tasks.shared_values());
    let start = cpu();
    let runs = cluster.tasks.iter().filter(|task| task.last_status == TaskStatus::Running).count();
    let each = (cpu() - start) * 1e6 / runs as f64;
    println!("  {runs} records made anew, {each:.2} µs each");
    drop(view);
    println!("of which");
    parts(tasks, every);
    if every > 1 {
        return;
    }
    let before = resident();
    for round in 1..=ROUNDS {
        let start = cpu();
        for first in (1 + (round - 1) * tasks..round * tasks).step_by(SLICE as usize) {
            let write = Write {
                scope: Scope::new("000000000000", "us-east-1"),
                principal: "longshore".into(),
                at: Timestamp::from_millis(1),
                seed: EcsId([0; 16]),
                input: (first, tasks),
            };
            store.update(write, replace).await.expect("an update");
        }
        let (grown, took) = ((resident() - before) / 1024 / 1024, cpu() - start);
        println!("round {round:>2}: {grown:>5} MiB beside what it was, {took:.1} s of CPU");
    }
    let view = store.view();
    let tasks_left = view.cluster_by_incarnation(CLUSTER).map_or(0, |cluster| cluster.tasks.len());
    println!(
        "{tasks_left} tasks, {} on nodes",
        (0..NODES).map(|node| view.tasks_on(node_id(node)).count()).sum::<usize>()
    );
}
