//! `bench start`: from starting the process to its first answer, and memory when idle.
//!
//! Every round has a fresh, empty data directory. The first answer is that of a ListTasks that is
//! sent as soon as the port takes connections.

use std::net::TcpListener;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::choice::Choices;
use super::docker_api::DockerApi;
use super::http_client::Connection;
use super::machine;
use super::report::{Aim, Figure, Report, rounded};
use super::server;
use super::statistics::{median, millis, percentile};

/// How long the server has for its first answer.
const DEADLINE: Duration = Duration::from_secs(30);

/// How long the server is left alone before its memory is read.
const SETTLE: Duration = Duration::from_secs(3);

const CASES: [(&str, &[&str]); 2] = [("no flags", &[]), ("`--builtin-node none`", &["--builtin-node", "none"])];

/// Kills the process at the end, however that comes.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        server::kill(&mut self.0);
    }
}

/// Runs the benchmark; its report.
///
/// # Errors
/// The server does not answer, or the engine is not there for what its node left.
pub fn run(words: &[&str]) -> Result<Report, String> {
    let (choices, _) = Choices::read_either(&[("rounds", 15)], &[("rounds", 3)], words)?;
    let rounds = choices.get("rounds");
    let mut details = format!(
        "{rounds} rounds, each with an empty data directory.\n\n| flags | first answer, median ms | p90 ms | resident \
         MB, {} s after the first answer |\n|---|---:|---:|---:|\n",
        SETTLE.as_secs()
    );
    let (mut figures, mut numbers) = (Vec::new(), Vec::new());
    for (name, flags) in CASES {
        let times = (1..rounds).map(|_| start(flags, false)).collect::<Result<Vec<_>, _>>()?;
        let (last, memory) = start(flags, true)?;
        let times: Vec<f64> = times.iter().map(|(time, _)| *time).chain([last]).map(millis).collect();
        let middle = median(times.iter().copied());
        details += &format!("| {name} | **{middle:.1}** | {:.1} | {memory:.1} |\n", percentile(times.clone(), 90));
        figures.push(Figure::new(format!("start: ms to the first answer, {name}"), middle, Aim::AtMost(100.0)));
        figures.push(Figure::new(format!("start: MB resident when idle, {name}"), memory, Aim::AtMost(40.0)));
        let times: Vec<f64> = times.into_iter().map(rounded).collect();
        numbers.push(json!({ "flags": flags, "firstAnswerMillis": times, "residentMegabytes": rounded(memory) }));
    }
    Ok(Report { name: "start", figures, details, numbers: Value::Array(numbers) })
}

/// Starts a server once: time to its first answer, and its memory if that is asked for.
fn start(flags: &[&str], with_memory: bool) -> Result<(Duration, f64), String> {
    let data_dir = tempfile::tempdir().map_err(|error| format!("no folder for data: {error}"))?;
    let address = free_address().map_err(|error| format!("no free port: {error}"))?;
    let mut command = server::longshore(data_dir.path());
    command.args(["--listen", &address]).args(flags);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let started = Instant::now();
    let mut child = Killed(command.spawn().map_err(|error| format!("cannot start the server: {error}"))?);
    first_answer(&address, started)?;
    let time = started.elapsed();
    let memory = if with_memory {
        std::thread::sleep(SETTLE);
        machine::memory(child.0.id())?.resident as f64 / 1e6
    } else {
        0.0
    };
    server::stop(&mut child.0)?;
    if let Ok(node_id) = std::fs::read_to_string(data_dir.path().join("node-id")) {
        DockerApi::connect()?.clean_up(node_id.trim())?;
    }
    Ok((time, memory))
}

fn free_address() -> std::io::Result<String> {
    TcpListener::bind("127.0.0.1:0")?.local_addr().map(|address| address.to_string())
}

fn first_answer(address: &str, started: Instant) -> Result<(), String> {
    let request = format!(
        "POST / HTTP/1.1\r\nHost: {address}\r\nX-Amz-Target: AmazonEC2ContainerServiceV20141113.ListTasks\r\n\
         Content-Type: application/x-amz-json-1.1\r\nContent-Length: 2\r\n\r\n{{}}"
    );
    loop {
        match Connection::tcp(address) {
            Ok(mut connection) => return connection.send(request.as_bytes())?.json().map(drop),
            Err(error) if started.elapsed() > DEADLINE => return Err(error),
            Err(_) => std::thread::sleep(Duration::from_micros(200)),
        }
    }
}
