//! `bench run-task`: from RunTask to RUNNING, beside the engine's own API.
//!
//! One round runs a task (docker, bridge network, one container) and takes the time from sending
//! RunTask to the first DescribeTasks answer that says RUNNING; then it creates and starts a
//! container from the same configuration on the same network through the engine's socket. Stopped
//! containers of both kinds stay until the end.

use std::net::TcpStream;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::choice::Choices;
use super::docker_api::{self, DockerApi};
use super::http_client::Connection;
use super::pages::unix_seconds;
use super::report::{Aim, Figure, Report, rounded};
use super::server::ServerProcess;
use super::signer::Signer;
use super::statistics::{median, millis, percentile};

/// Pause between two looks at a task that is to start; the error of its time.
const POLL: Duration = Duration::from_millis(1);

/// How long a task has to get anywhere.
const DEADLINE: Duration = Duration::from_secs(60);

/// Rounds before those that count.
const WARM_UP: u32 = 2;

/// The cluster's name is the default one.
const CLUSTER: &str = "default";

/// Signed calls on one connection.
struct Client {
    signer: Signer,
    connection: Connection<TcpStream>,
}

/// One round.
struct Round {
    /// RunTask sent to RUNNING seen.
    running: Duration,
    /// RunTask sent to RunTask answered.
    accepted: Duration,
    /// Created and started through the engine's API.
    engine: Duration,
}

/// Runs the benchmark; its report.
///
/// # Errors
/// Server or engine do not do what they should.
pub fn run(words: &[&str]) -> Result<Report, String> {
    let (choices, _) = Choices::read_either(&[("rounds", 15)], &[("rounds", 2)], words)?;
    let image = docker_api::ensure_image()?;
    let data_dir = tempfile::tempdir().map_err(|error| format!("no folder for data: {error}"))?;
    let server = ServerProcess::longshore(data_dir.path(), &["--engine", "docker"])?;
    let mut engine = DockerApi::connect()?;
    let measured = rounds(&server, &mut engine, &image, choices.get("rounds"));
    let node_id = std::fs::read_to_string(data_dir.path().join("node-id")).unwrap_or_default();
    let stopped = server.stop();
    engine.clean_up(node_id.trim())?;
    stopped?;
    Ok(report(&measured?))
}

fn rounds(server: &ServerProcess, engine: &mut DockerApi, image: &str, count: u32) -> Result<Vec<Round>, String> {
    let mut client = Client { signer: server.signer(), connection: Connection::tcp(&server.address)? };
    let container = json!({ "name": "app", "image": image, "memory": 32, "essential": true });
    let definition = json!({ "family": "bench", "networkMode": "bridge", "containerDefinitions": [container] });
    client.call("RegisterTaskDefinition", &definition)?;
    let mut rounds = Vec::new();
    for number in 0..WARM_UP + count {
        eprintln!("round {number}");
        let (arn, accepted, running) = client.run_task()?;
        let body = engine.body_like(&arn)?;
        client.stop_task(&arn)?;
        let started = Instant::now();
        let id = engine.create_and_start(&format!("longshore-bench-{}-{number}", std::process::id()), &body)?;
        let took = started.elapsed();
        engine.stop(&id)?;
        if number >= WARM_UP {
            rounds.push(Round { running, accepted, engine: took });
        }
    }
    Ok(rounds)
}

impl Client {
    fn call(&mut self, operation: &str, input: &Value) -> Result<Value, String> {
        let request = self.signer.request(operation, &input.to_string(), unix_seconds(), 0);
        let answer = self.connection.send(&request).and_then(|answer| answer.json());
        answer.map_err(|error| format!("{operation}: {error}"))
    }

    /// Runs a task; its ARN, when it was accepted and when it was RUNNING.
    fn run_task(&mut self) -> Result<(String, Duration, Duration), String> {
        let input = json!({ "cluster": CLUSTER, "taskDefinition": "bench", "launchType": "EC2" });
        let started = Instant::now();
        let answer = self.call("RunTask", &input)?;
        let accepted = started.elapsed();
        let arn = answer["tasks"][0]["taskArn"].as_str().ok_or_else(|| format!("RunTask: {answer}"))?.to_owned();
        self.wait(&arn, "RUNNING", POLL)?;
        Ok((arn, accepted, started.elapsed()))
    }

    fn stop_task(&mut self, arn: &str) -> Result<(), String> {
        self.call("StopTask", &json!({ "cluster": CLUSTER, "task": arn }))?;
        self.wait(arn, "STOPPED", POLL * 10)
    }

    fn wait(&mut self, arn: &str, status: &str, pause: Duration) -> Result<(), String> {
        let started = Instant::now();
        loop {
            let answer = self.call("DescribeTasks", &json!({ "cluster": CLUSTER, "tasks": [arn] }))?;
            let task = &answer["tasks"][0];
            match task["lastStatus"].as_str() {
                Some(found) if found == status => return Ok(()),
                Some("STOPPED") => return Err(format!("the task stopped: {}", task["stoppedReason"])),
                _ if started.elapsed() > DEADLINE => return Err(format!("not {status} within {DEADLINE:?}: {task}")),
                _ => sleep(pause),
            }
        }
    }
}

fn report(rounds: &[Round]) -> Report {
    let times = |of: fn(&Round) -> Duration| rounds.iter().map(move |round| millis(of(round)));
    let (running, engine) = (median(times(|round| round.running)), median(times(|round| round.engine)));
    let paired = median(rounds.iter().map(|round| millis(round.running) / millis(round.engine)));
    let mut details = format!(
        "{} rounds after {WARM_UP} to warm up. The median of the rounds' own ratios is {paired:.2}.\n\n\
         | | median ms | p90 ms | least ms |\n|---|---:|---:|---:|\n",
        rounds.len()
    );
    let mut row = |name: &str, of: fn(&Round) -> Duration| {
        let [middle, slow, least] = [50, 90, 0].map(|percent| percentile(times(of), percent));
        details += &format!("| {name} | {middle:.1} | {slow:.1} | {least:.1} |\n");
    };
    row("RunTask sent to RUNNING seen", |round| round.running);
    row("of it, RunTask sent to answered", |round| round.accepted);
    row("engine's API: create and start", |round| round.engine);
    let all = |of: fn(&Round) -> Duration| times(of).map(rounded).collect::<Vec<_>>();
    Report {
        name: "run-task",
        figures: vec![Figure::new(
            "run-task: RunTask to RUNNING ÷ create and start through the engine's API",
            running / engine,
            Aim::AtMost(1.15),
        )],
        details,
        numbers: json!({
            "runningMillis": all(|round| round.running),
            "acceptedMillis": all(|round| round.accepted),
            "engineMillis": all(|round| round.engine),
        }),
    }
}
