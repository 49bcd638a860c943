//! A process that serves, from its start to its end.

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::machine::{self, Memory};
use super::release;
use super::signer::{REGION, Signer};

/// How long a process has to start, and to end once it was told to.
const DEADLINE: Duration = Duration::from_secs(60);

const ACCESS_KEY_ID: &str = "AKIDBENCHMARK0000001";
const SECRET: &str = "a/secret+of/the+benchmarks";

/// The account of all requests.
pub const ACCOUNT: &str = "123456789012";

/// A serving process; it is killed when this goes out of scope.
#[derive(Debug)]
pub struct ServerProcess {
    child: Child,
    /// Address and port it listens on.
    pub address: String,
}

impl ServerProcess {
    /// `longshore serve` on a free port with this data directory, signatures verified.
    ///
    /// # Errors
    /// It does not start; the text holds the end of its log.
    pub fn longshore(data_dir: &Path, flags: &[&str]) -> Result<Self, String> {
        let credentials = data_dir.join("credentials.toml");
        let text = format!(
            "[[key]]\naccess_key_id = '{ACCESS_KEY_ID}'\nsecret_access_key = '{SECRET}'\naccount = '{ACCOUNT}'\n"
        );
        let written = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&credentials);
        written
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(|error| format!("cannot write {}: {error}", credentials.display()))?;
        let mut command = longshore(data_dir);
        command.arg("--credentials").arg(credentials).args(["--listen", "127.0.0.1:0"]).args(flags);
        Self::start(command, data_dir)
    }

    /// The bare hyper server of this program, which answers with as many bytes as it is asked for.
    ///
    /// # Errors
    /// It does not start.
    pub fn bare_hyper(log_dir: &Path) -> Result<Self, String> {
        let mut command = Command::new(release::program("xtask"));
        command.args(["bench", "bare-hyper"]);
        Self::start(command, log_dir)
    }

    fn start(mut command: Command, log_dir: &Path) -> Result<Self, String> {
        let name = command.get_program().to_string_lossy().into_owned();
        let log = log_dir.join("server.log");
        let failed = |why: String| format!("{name}: {why}");
        let file = std::fs::File::create(&log).map_err(|error| failed(error.to_string()))?;
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(file).spawn();
        let mut child = child.map_err(|error| failed(error.to_string()))?;
        let address = first_line(&mut child).and_then(|line| Some(line.trim().strip_prefix("http://")?.to_owned()));
        let process = Self { child, address: address.clone().unwrap_or_default() };
        match address {
            Some(_) => Ok(process),
            None => Err(failed(format!("no address within {DEADLINE:?}: {}", end_of(&log)))),
        }
    }

    /// Who signs requests to it.
    pub fn signer(&self) -> Signer {
        Signer {
            access_key_id: ACCESS_KEY_ID.to_owned(),
            secret_access_key: SECRET.to_owned(),
            host: self.address.clone(),
        }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// CPU time it has used.
    ///
    /// # Errors
    /// It is gone.
    pub fn cpu(&self) -> Result<Duration, String> {
        machine::cpu(self.child.id())
    }

    /// Its memory.
    ///
    /// # Errors
    /// It is gone.
    pub fn memory(&self) -> Result<Memory, String> {
        machine::memory(self.child.id())
    }

    /// Tells it to end and waits until it has.
    ///
    /// # Errors
    /// It did not end in time; it is killed then.
    pub fn stop(mut self) -> Result<(), String> {
        stop(&mut self.child)
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        kill(&mut self.child);
    }
}

/// `longshore serve` with this data directory and no other flag yet.
pub fn longshore(data_dir: &Path) -> Command {
    let mut command = Command::new(release::program("longshore"));
    command.arg("serve").arg("--data-dir").arg(data_dir);
    command
}

/// Sends SIGTERM and waits for the end.
///
/// # Errors
/// It did not end in time; it is killed then.
pub fn stop(child: &mut Child) -> Result<(), String> {
    let told = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    told.map_err(|error| format!("cannot run kill: {error}"))?;
    let started = Instant::now();
    while started.elapsed() < DEADLINE {
        match child.try_wait() {
            Ok(Some(_)) => return Ok(()),
            Ok(None) => std::thread::sleep(Duration::from_millis(5)),
            Err(error) => return Err(format!("cannot be waited for: {error}")),
        }
    }
    kill(child);
    Err(format!("did not end within {DEADLINE:?}"))
}

/// Kills and reaps, whether it runs or not.
pub fn kill(child: &mut Child) {
    // Both fail only when there is nothing left to end.
    let _ = child.kill();
    let _ = child.wait();
}

/// A cluster's ARN in the benchmarks' account.
pub fn cluster_arn(name: &str) -> String {
    format!("arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/{name}")
}

/// The first line on the standard output, which is read to its end beside us.
fn first_line(child: &mut Child) -> Option<String> {
    let mut lines = BufReader::new(child.stdout.take()?).lines();
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        // Nobody listens any more after the first line.
        while let Some(Ok(line)) = lines.next() {
            let _ = sender.send(line);
        }
    });
    receiver.recv_timeout(DEADLINE).ok()
}

fn end_of(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines.get(lines.len().saturating_sub(5)..).unwrap_or_default().join("; ")
}
