//! Builds a store of many tasks and times its way back: `cargo run --release --example recovery [TASKS] [DIRECTORY]`.
//!
//! Prints rows per second of building (batches of 1,000 rows, each durable), what the file takes per byte of live data,
//! and how long it takes from the file to the first page of ListTasks, three times, with what of it is reading alone.

use std::path::{Path, PathBuf};
use std::time::Instant;

use longshore_domain::cluster::ClusterRecord;
use longshore_domain::node::NodeRecord;
use longshore_domain::task::{ContainerRecord, ContainerStatus, DesiredStatus, LaunchType, TaskRecord, TaskStatus};
use longshore_domain::{EcsId, Resources, Scope, Timestamp};
use longshore_ecs_wire::shapes::{KeyValuePair, NetworkBinding, Tag, TaskOverride, TransportProtocol};
use longshore_store::backend::sqlite::Sqlite;
use longshore_store::backend::{Batch, Durable};
use longshore_store::record::Row;
use longshore_store::{Backend, Options, Record, Store, TaskFilter};

/// As the server allocates.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const CLUSTER: u64 = 1;
const NODES: u64 = 200;
const BATCH: u64 = 1_000;

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

fn scope() -> Scope {
    Scope::new("000000000000", "us-east-1")
}

/// A RUNNING task: one container with a port and a digest; every tenth has overrides and tags.
fn task(sequence: u64) -> TaskRecord {
    let at = |later: i64| Some(Timestamp::from_millis(1_790_000_000_123 + sequence as i64 * 7 + later));
    let family: std::sync::Arc<str> = format!("family-{}", scatter(sequence) % 200).into();
    let rich = sequence.is_multiple_of(10);
    TaskRecord {
        cluster: CLUSTER,
        id: id(sequence),
        sequence,
        revision: 3,
        group: format!("service:service-{}", scatter(sequence) % 2_000).into(),
        family,
        started_by: Some(format!("ecs-svc/{}", scatter(scatter(sequence) % 2_000)).into()),
        launch_type: LaunchType::Ec2,
        capacity_provider: None,
        node: Some(id(u64::MAX - sequence % NODES)),
        container_instance: Some(id(u64::MAX / 2 - sequence % NODES)),
        resources: Resources { cpu: 256, memory: 512, tcp_ports: vec![49_153], udp_ports: vec![] },
        desired_status: DesiredStatus::Running,
        last_status: TaskStatus::Running,
        version: 3,
        created_at: Timestamp::from_millis(1_790_000_000_000 + sequence as i64 * 7),
        connectivity_at: at(1),
        pull_started_at: at(2),
        pull_stopped_at: at(300),
        started_at: at(400),
        stopping_at: None,
        execution_stopped_at: None,
        stopped_at: None,
        stop_code: None,
        stopped_reason: None,
        containers: vec![ContainerRecord {
            last_status: ContainerStatus::Running,
            runtime_id: Some(hex(sequence).into()),
            image_digest: Some(format!("sha256:{}", hex(scatter(sequence) % 200)).into()),
            exit_code: None,
            reason: None,
            network_bindings: vec![NetworkBinding {
                bind_ip: Some("0.0.0.0".into()),
                container_port: Some(80),
                host_port: Some(49_153),
                protocol: Some(TransportProtocol::Tcp),
                ..NetworkBinding::default()
            }],
        }],
        overrides: rich.then(|| {
            let cpu = KeyValuePair { name: Some("SHARD".into()), value: Some(sequence.to_string()) };
            let container = longshore_ecs_wire::shapes::ContainerOverride {
                name: Some("app".into()),
                environment: Some(vec![cpu]),
                ..Default::default()
            };
            TaskOverride { container_overrides: Some(vec![container]), ..TaskOverride::default() }.into()
        }),
        network_configuration: None,
        platform_version: None,
        enable_execute_command: false,
        tags: if rich { vec![Tag { key: Some("team".into()), value: Some("blue".into()) }] } else { vec![] },
    }
}

fn row(record: impl Into<Record>, version: u64) -> Row {
    let record = record.into();
    Row { kind: record.kind(), key: record.key(), version, body: Some(record.encode().expect("a record is JSON")) }
}

fn node(number: u64) -> NodeRecord {
    NodeRecord {
        id: id(u64::MAX - number),
        builtin: false,
        active: true,
        capacity: Resources { cpu: 32_768, memory: 16_000, tcp_ports: vec![22], udp_ports: vec![] },
        attributes: vec![],
        engine_version: "DockerVersion: 20.10.24".into(),
        registered_at: Timestamp::from_millis(1),
    }
}

fn build(file: &Path, tasks: u64) {
    let mut backend = Sqlite::open(file).expect("a new store");
    backend.load(&mut |_| {}).expect("an empty store");
    let mut first: Vec<Row> = (0..NODES).map(|number| row(node(number), 1)).collect();
    first.push(row(ClusterRecord::new(scope(), "c", CLUSTER, Timestamp::from_millis(1)), 1));
    backend.commit(&Batch { previous: 0, version: 1, rows: first }).expect("a commit");
    let (mut previous, mut live, mut committing) = (1, 0, 0.0);
    for start in (1..=tasks).step_by(BATCH as usize) {
        let rows: Vec<Row> =
            (start..=tasks.min(start + BATCH - 1)).map(|sequence| row(task(sequence), 1 + sequence)).collect();
        live += rows.iter().map(|row| row.key.len() + row.body.as_ref().map_or(0, String::len)).sum::<usize>();
        let version = 1 + tasks.min(start + BATCH - 1);
        let begun = Instant::now();
        backend.commit(&Batch { previous, version, rows }).expect("a commit");
        committing += begun.elapsed().as_secs_f64();
        previous = version;
    }
    drop(backend);
    let size = std::fs::metadata(file).map_or(0, |file| file.len());
    println!("built: {:.0} rows/s; {live} bytes of live data, file {:.3} of it", tasks as f64 / committing, {
        size as f64 / live as f64
    });
}

/// CPU seconds of this process so far.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    [11, 12].iter().filter_map(|at| fields.get(*at)?.parse::<f64>().ok()).sum::<f64>() / 100.0
}

fn timed<T>(what: &str, run: impl FnOnce() -> T) -> T {
    let (begun, before) = (Instant::now(), cpu());
    let done = run();
    println!("{what}: {:.2} s, CPU {:.2} s", begun.elapsed().as_secs_f64(), cpu() - before);
    done
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let tasks = arguments.next().and_then(|tasks| tasks.parse().ok()).unwrap_or(1_000_000);
    let kept = arguments.next().map(PathBuf::from);
    let temporary = std::env::temp_dir().join(format!("longshore-recovery-{}", std::process::id()));
    let directory = kept.clone().unwrap_or_else(|| temporary.clone());
    std::fs::create_dir_all(&directory).expect("a directory");
    let file = directory.join("longshore.db");
    if !file.exists() {
        build(&file, tasks);
    }
    for _ in 0..3 {
        let mut rows = 0;
        timed("read and checked", || {
            Sqlite::open(&file).and_then(|mut backend| backend.load(&mut |_| rows += 1)).expect("a whole store");
        });
        let store = timed("to the first page", || {
            let store = Store::open(Options::new(Backend::Sqlite(directory.clone()))).expect("a whole store");
            let cluster = store.view().cluster(&scope(), "c").expect("the cluster");
            let filter = TaskFilter { desired_status: DesiredStatus::Running, dimensions: vec![] };
            let page = cluster.tasks.page(&filter, None, 100, &mut Default::default());
            println!("{rows} rows, {} tasks, a page of {}", cluster.tasks.len(), page.ids.len());
            store
        });
        drop(store);
    }
    if kept.is_none() {
        // What is left over is in the system's temporary directory.
        let _left = std::fs::remove_dir_all(temporary);
    }
}
