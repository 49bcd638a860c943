//! Random fleets for ListTasks: scopes, clusters, incarnations of one name, and tasks as plain rows.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use longshore_api::Caller;
use longshore_domain::cluster::{ClusterRecord, ClusterStatus};
use longshore_domain::task::{DesiredStatus, LaunchType, TaskRecord, TaskStatus};
use longshore_domain::{Scope, Timestamp};
use longshore_store::{Record, Tx, Write};
use serde_json::{Map, Value, json};

use crate::harness::{World, caller, id, world};
use crate::records;

/// The scopes, as account and region.
pub const ACCOUNTS: [(&str, &str); 3] =
    [("000000000000", "us-east-1"), ("111111111111", "us-east-1"), ("000000000000", "eu-west-1")];
/// Scope, name, incarnation, whether it is ACTIVE. The third scope has nothing but its virtual `default`.
pub const CLUSTERS: [(usize, &str, u64, bool); 6] = [
    (0, "default", 1001, true),
    (0, "web", 1002, false),
    (0, "gone", 1003, false),
    (1, "default", 1004, true),
    (0, "web", 1005, true),
    (1, "web", 1006, true),
];
const FAMILIES: [&str; 2] = ["web", "batch-job"];
const SERVICES: [&str; 2] = ["x", "web"];
const DAEMONS: [&str; 2] = ["x", "logs"];
const STARTED_BY: [&str; 2] = ["ci", "ecs-svc/1"];
/// Every launch type with its name.
pub const LAUNCH_TYPES: [(&str, LaunchType); 4] = [
    ("EC2", LaunchType::Ec2),
    ("FARGATE", LaunchType::Fargate),
    ("EXTERNAL", LaunchType::External),
    ("MANAGED_INSTANCES", LaunchType::ManagedInstances),
];

/// Small and repeatable (splitmix64).
pub struct Random(pub u64);

impl Random {
    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// True in `percent` of a hundred cases.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of these.
    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[usize::try_from(self.below(from.len() as u64)).unwrap()]
    }
}

/// A task as the oracle knows it.
#[derive(Debug, Clone)]
pub struct Row {
    /// Incarnation of its cluster.
    pub cluster: u64,
    /// Its id.
    pub id: u64,
    /// Its place in the creation order.
    pub sequence: u64,
    /// Family of its definition.
    pub family: &'static str,
    /// Its group.
    pub group: String,
    /// Who started it.
    pub started_by: Option<&'static str>,
    /// Its container instance.
    pub instance: Option<u64>,
    /// Its launch type.
    pub launch_type: (&'static str, LaunchType),
    /// Where it is.
    pub last_status: TaskStatus,
    /// Whether it should stop, or has.
    pub stopped: bool,
}

impl Row {
    fn record(&self) -> TaskRecord {
        TaskRecord {
            id: id(self.id),
            family: self.family.into(),
            group: Arc::from(self.group.as_str()),
            started_by: self.started_by.map(Into::into),
            container_instance: self.instance.map(id),
            desired_status: if self.stopped { DesiredStatus::Stopped } else { DesiredStatus::Running },
            stopped_at: (self.last_status == TaskStatus::Stopped).then_some(Timestamp::from_millis(0)),
            ..records::task(self.cluster, self.sequence, self.launch_type.1, self.last_status)
        }
    }

    fn stop(&mut self, random: &mut Random) {
        self.stopped = true;
        self.last_status = random.pick(&[TaskStatus::Running, TaskStatus::Stopping, TaskStatus::Stopped]);
    }
}

/// Tasks in a world, and the same tasks as rows.
pub struct Fleet {
    /// The world.
    pub world: World,
    /// One caller a scope.
    pub callers: Vec<Caller>,
    /// The tasks.
    pub rows: Vec<Row>,
    /// The last sequence number of each cluster.
    pub sequences: BTreeMap<u64, u64>,
    /// How many tasks were made, from a random start.
    pub made: u64,
}

impl Fleet {
    /// A fleet of so many tasks over all clusters.
    pub async fn new(random: &mut Random, tasks: usize) -> Self {
        let callers = ACCOUNTS.iter().map(|(account, region)| caller(account, region)).collect();
        let mut fleet = Self {
            world: world().await,
            callers,
            rows: vec![],
            sequences: BTreeMap::new(),
            made: random.below(1 << 40),
        };
        let mut clusters = Vec::new();
        for (scope, name, incarnation, active) in CLUSTERS {
            let (account, region) = ACCOUNTS[scope];
            let now = Timestamp::from_millis(0);
            let mut record = ClusterRecord::new(Scope::new(account, region), name, incarnation, now);
            record.status = if active { ClusterStatus::Active } else { ClusterStatus::Inactive };
            clusters.push(record.into());
        }
        fleet.world.put(clusters).await;
        let clusters: Vec<u64> = CLUSTERS.iter().map(|cluster| cluster.2).collect();
        let rows: Vec<Row> = (0..tasks).map(|_| fleet.row(random.pick(&clusters), random)).collect();
        for some in rows.chunks(90) {
            fleet.world.put(some.iter().map(|row| row.record().into()).collect()).await;
        }
        fleet.rows = rows;
        fleet
    }

    /// A new task, whose id says nothing of when it came.
    fn row(&mut self, cluster: u64, random: &mut Random) -> Row {
        self.made += 1;
        let sequence = self.sequences.entry(cluster).or_insert(0);
        *sequence += if random.chance(3) { random.below(20_000) + 1 } else { random.below(3) + 1 };
        let family = random.pick(&FAMILIES);
        let group = match random.below(3) {
            0 => format!("service:{}", random.pick(&SERVICES)),
            1 => format!("daemon:{}", random.pick(&DAEMONS)),
            _ => format!("family:{family}"),
        };
        let launch_type = random.pick(&LAUNCH_TYPES);
        let alive = [TaskStatus::Provisioning, TaskStatus::Pending, TaskStatus::Activating, TaskStatus::Running];
        let mut row = Row {
            cluster,
            id: Random(self.made).next(),
            sequence: *sequence,
            family,
            group,
            started_by: random.chance(50).then(|| random.pick(&STARTED_BY)),
            instance: (launch_type.0 != "FARGATE").then(|| 1 + random.below(2)),
            launch_type,
            last_status: random.pick(&alive),
            stopped: false,
        };
        if random.chance(35) {
            row.stop(random);
        }
        row
    }

    /// Starts, stops and reaps a few tasks, mostly of one cluster.
    pub async fn change(&mut self, cluster: u64, random: &mut Random, starts: bool) {
        for _ in 0..random.below(6) {
            let cluster = if random.chance(80) { cluster } else { random.pick(&CLUSTERS).2 };
            let of_it: Vec<usize> = (0..self.rows.len()).filter(|at| self.rows[*at].cluster == cluster).collect();
            match random.below(3) {
                0 if starts => {
                    let row = self.row(cluster, random);
                    self.world.put(vec![row.record().into()]).await;
                    self.rows.push(row);
                }
                1 if !of_it.is_empty() => {
                    let row = &mut self.rows[random.pick(&of_it)];
                    row.stop(random);
                    let record = row.record();
                    self.world.put(vec![record.into()]).await;
                }
                _ if !of_it.is_empty() => {
                    let row = self.rows.remove(random.pick(&of_it));
                    self.delete(row.record().into()).await;
                }
                _ => {}
            }
        }
    }

    async fn delete(&self, record: Record) {
        let delete = |tx: &mut Tx<'_>, write: &Write<Record>| -> Result<(), std::convert::Infallible> {
            tx.delete(write.input.clone());
            Ok(())
        };
        let (scope, principal) = (self.world.caller.scope.clone(), Arc::clone(&self.world.caller.principal));
        let write = Write { scope, principal, at: self.world.api.now(), seed: id(0), input: record };
        self.world.api.store().update(write, delete).await.unwrap();
    }

    /// One page, or `Class: text` of the refusal.
    pub async fn page(
        &self,
        scope: usize,
        mut body: Map<String, Value>,
        max_results: Option<u64>,
        token: Option<&str>,
    ) -> Result<Page, String> {
        if let Some(max_results) = max_results {
            body.insert("maxResults".into(), json!(max_results));
        }
        if let Some(token) = token {
            body.insert("nextToken".into(), json!(token));
        }
        let body = Bytes::from(serde_json::to_vec(&body).unwrap());
        let answer = self.world.api.call(&self.callers[scope], Some("ListTasks"), body).await;
        let text: Value = serde_json::from_slice(&answer.body).unwrap();
        match answer.status {
            200 => Ok(Page {
                arns: text["taskArns"].as_array().unwrap().iter().map(|arn| arn.as_str().unwrap().to_owned()).collect(),
                next: text["nextToken"].as_str().map(str::to_owned),
            }),
            400 => Err(format!("{}: {}", text["__type"].as_str().unwrap(), text["message"].as_str().unwrap())),
            status => panic!("{status} {text}"),
        }
    }
}

/// A page of ListTasks.
pub struct Page {
    /// Task ARNs.
    pub arns: Vec<String>,
    /// The token.
    pub next: Option<String>,
}
