//! Somebody who writes while pages are asked for: so many task changes in a second, each acknowledged.
//!
//! A task is run, stopped, and reported as stopped: three calls, three changes. In a large fleet every second call stops
//! a task from anywhere in it instead, so that old parts of every index change, too. No node takes part: the writer
//! reports what a node would.

use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::super::fleet::{self, Fleet};
use super::super::fleet_store::CLUSTER;
use super::super::http_client::Connection;
use super::super::pages::unix_seconds;
use super::super::server::{ServerProcess, cluster_arn};
use super::super::signer::Signer;

/// Connections, each a thread.
const CONNECTIONS: usize = 32;

/// Fleets from this size on can spare a task for every second change.
const LARGE: u64 = 20_000;

/// From one task of the fleet to the next that is stopped: a prime, so that none comes twice.
const STRIDE: u64 = 999_983;

/// How long the writer runs before it is measured.
const SETTLE: Duration = Duration::from_millis(300);

/// A running writer.
pub struct Writer {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

/// What the writer costs the server when nobody reads.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Alone {
    /// CPU time for each change.
    pub cpu_micros_per_change: f64,
}

struct Shared {
    signer: Signer,
    fleet: Fleet,
    per_second: u32,
    started: Instant,
    tickets: AtomicU64,
    changes: AtomicU64,
    /// Tasks of the fleet that were looked at for stopping.
    scattered: AtomicU64,
    stop: AtomicBool,
    error: Mutex<Option<String>>,
}

impl Writer {
    /// Starts writing; `scattered` is how far an earlier writer came in the fleet.
    ///
    /// # Errors
    /// No connection.
    pub fn start(server: &ServerProcess, fleet: &Fleet, per_second: u32, scattered: u64) -> Result<Self, String> {
        let shared = Arc::new(Shared {
            signer: server.signer(),
            fleet: *fleet,
            per_second,
            started: Instant::now(),
            tickets: AtomicU64::new(0),
            changes: AtomicU64::new(0),
            scattered: AtomicU64::new(scattered),
            stop: AtomicBool::new(false),
            error: Mutex::new(None),
        });
        let mut threads = Vec::new();
        for _ in 0..CONNECTIONS {
            let mut connection = Connection::tcp(&server.address)?;
            let shared = Arc::clone(&shared);
            threads.push(thread::spawn(move || {
                if let Err(error) = shared.write(&mut connection) {
                    *shared.error.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                }
            }));
        }
        Ok(Self { shared, threads })
    }

    /// Changes that were acknowledged so far.
    pub fn changes(&self) -> u64 {
        self.shared.changes.load(Ordering::Relaxed)
    }

    /// What the writer alone costs the server.
    ///
    /// # Errors
    /// The server is gone.
    pub fn measure(&self, server: &ServerProcess, time: Duration) -> Result<Alone, String> {
        thread::sleep(SETTLE);
        let (before, cpu) = (self.changes(), server.cpu()?);
        thread::sleep(time);
        let (changes, cpu) = (self.changes() - before, server.cpu()?.saturating_sub(cpu));
        Ok(Alone { cpu_micros_per_change: cpu.as_secs_f64() * 1e6 / changes.max(1) as f64 })
    }

    /// Ends it; how far it came in the fleet.
    ///
    /// # Errors
    /// A write that was refused.
    pub fn stop(self) -> Result<u64, String> {
        self.shared.stop.store(true, Ordering::Relaxed);
        for thread in self.threads {
            thread.join().map_err(|_| "a writer panicked".to_owned())?;
        }
        match self.shared.error.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(error) => Err(format!("the writer: {error}")),
            None => Ok(self.shared.scattered.load(Ordering::Relaxed)),
        }
    }
}

impl Shared {
    fn write(&self, connection: &mut Connection<TcpStream>) -> Result<(), String> {
        while !self.stop.load(Ordering::Relaxed) {
            let ran = json!({ "cluster": CLUSTER, "taskDefinition": fleet::family(0), "launchType": "EC2" });
            let answer = self.change(connection, "RunTask", &ran)?;
            let task = answer["tasks"][0]["taskArn"].as_str().ok_or_else(|| format!("no task was run: {answer}"))?;
            self.stop_one_of_the_fleet(connection)?;
            self.change(connection, "StopTask", &json!({ "cluster": CLUSTER, "task": task }))?;
            self.stop_one_of_the_fleet(connection)?;
            let report = json!({ "cluster": CLUSTER, "task": task, "status": "STOPPED", "reason": "stopped" });
            self.change(connection, "SubmitTaskStateChange", &report)?;
            self.stop_one_of_the_fleet(connection)?;
        }
        Ok(())
    }

    fn stop_one_of_the_fleet(&self, connection: &mut Connection<TcpStream>) -> Result<(), String> {
        if self.fleet.tasks < LARGE {
            return Ok(());
        }
        let index = loop {
            let index = self.scattered.fetch_add(1, Ordering::Relaxed).wrapping_mul(STRIDE) % self.fleet.tasks;
            if !self.fleet.traits(index).stopped {
                break index;
            }
        };
        let task = format!("{}/{}", cluster_arn(CLUSTER).replace(":cluster/", ":task/"), fleet::task_id(index));
        self.change(connection, "StopTask", &json!({ "cluster": CLUSTER, "task": task })).map(drop)
    }

    /// One call when its turn has come, again while the server is busy.
    fn change(&self, connection: &mut Connection<TcpStream>, operation: &str, input: &Value) -> Result<Value, String> {
        let ticket = self.tickets.fetch_add(1, Ordering::Relaxed);
        let due = self.started + Duration::from_secs_f64(ticket as f64 / f64::from(self.per_second));
        thread::sleep(due.saturating_duration_since(Instant::now()));
        loop {
            let request = self.signer.request(operation, &input.to_string(), unix_seconds(), ticket);
            let answer = connection.send(&request)?;
            if answer.status == 400 && String::from_utf8_lossy(&answer.body).contains("ThrottlingException") {
                continue;
            }
            let answer = answer.json().map_err(|error| format!("{operation}: {error}"))?;
            self.changes.fetch_add(1, Ordering::Relaxed);
            return Ok(answer);
        }
    }
}
