//! The binary itself: exit codes, the line on the standard output, signals, a lack of descriptors.

use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::client::{Client, ask, request};
use crate::service::PATIENCE;

const BINARY: &str = env!("CARGO_BIN_EXE_longshore");

/// The command without anything of this process's environment but `HOME`.
fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("HOME", "/nonexistent").stdin(Stdio::null());
    command
}

fn refused(arguments: &[&str]) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } = command(BINARY).arg("serve").args(arguments).output().unwrap();
    assert!(stdout.is_empty(), "nothing but data goes to the standard output");
    (status.code(), String::from_utf8(stderr).unwrap())
}

/// A server process without a node; killed if a test fails before it ends.
struct Process {
    child: Child,
    address: SocketAddr,
    stdout: BufReader<ChildStdout>,
    _directory: tempfile::TempDir,
}

impl Process {
    /// Starts the server through a shell that runs `limit` first.
    fn start(limit: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let script = format!("{limit}; exec \"$0\" \"$@\"");
        let mut child = command("/bin/sh")
            .args(["-c", &script, BINARY, "serve", "--listen=127.0.0.1:0", "--store=memory", "--builtin-node=none"])
            .arg(format!("--data-dir={}", directory.path().display()))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let address = line.trim_end().strip_prefix("http://").unwrap_or_else(|| panic!("no URL but {line:?}"));
        Self { address: address.parse().unwrap(), child, stdout, _directory: directory }
    }

    /// Sends a signal and waits for the end: the exit code and the standard error.
    fn end(mut self, signal: &str) -> (Option<i32>, String) {
        let sent = Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            match self.child.try_wait().unwrap() {
                Some(status) => break status,
                None => assert!(Instant::now() < deadline, "the server ends on {signal}"),
            }
            std::thread::park_timeout(Duration::from_millis(5));
        };
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "", "the URL is all that goes to the standard output");
        let mut errors = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        (status.code(), errors)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn mistakes_have_exit_code_2_and_a_sentence() {
    for (arguments, text) in [
        (&["--listen=0.0.0.0:0"][..], "longshore: 0.0.0.0:0 is not a loopback address"),
        (&["--listen=0.0.0.0:0"], "--credentials FILE"),
        (&["--credentials=/nonexistent/keys"], "longshore: cannot read the credentials file /nonexistent/keys"),
        (&["--config=/nonexistent/c.toml"], "longshore: cannot read the configuration file /nonexistent/c.toml"),
        (&["--task-retention-seconds=5"], "stopped tasks stay listed for at least 3600 seconds"),
        (&["--log-level=,=,"], "--log-level"),
        (&["--engine=podman"], "possible values: auto, docker, simulated"),
        (&["--no-such-flag"], "--no-such-flag"),
    ] {
        let (code, errors) = refused(&[arguments, &["--data-dir=/nonexistent/longshore"]].concat());
        assert_eq!(code, Some(2), "{arguments:?}: {errors}");
        assert!(errors.contains(text), "{arguments:?}: {errors}");
    }
}

#[test]
fn a_taken_port_has_exit_code_1() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let directory = tempfile::tempdir().unwrap();
    let data = format!("--data-dir={}", directory.path().display());
    let (code, errors) = refused(&["--listen", &address, &data, "--builtin-node=none"]);
    assert_eq!(code, Some(1), "{errors}");
    assert!(errors.contains(&format!("cannot listen on {address}")), "{errors}");
}

#[tokio::test]
async fn the_url_is_printed_and_both_signals_end_the_server_well() {
    for signal in ["-TERM", "-INT"] {
        let process = Process::start(":");
        assert_eq!(ask(process.address, "GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n").await.status, 200);
        let got = ask(process.address, request("NoSuchOperation", "{}")).await;
        assert_eq!((got.status, got.error_type().as_str()), (400, "UnknownOperationException"));
        let mut idle = Client::connect(process.address).await;
        let (code, errors) = tokio::task::spawn_blocking(move || process.end(signal)).await.unwrap();
        assert_eq!(code, Some(0), "{errors}");
        assert!(idle.is_closed().await);
    }
}

#[tokio::test]
async fn a_lack_of_descriptors_passes() {
    let process = Process::start("ulimit -n 40");
    let crowd: Vec<TcpStream> = (0..60).map(|_| TcpStream::connect(process.address).unwrap()).collect();
    let mut late = Client::connect(process.address).await;
    late.send(request("NoSuchOperation", "{}")).await;
    drop(crowd);
    assert_eq!(late.answer().await.status, 400);
    let (code, errors) = tokio::task::spawn_blocking(move || process.end("-TERM")).await.unwrap();
    assert_eq!(code, Some(0), "{errors}");
    assert!(errors.contains("cannot accept connections, trying again"), "the limit was reached: {errors}");
}
