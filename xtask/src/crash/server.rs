//! The server's process: started, watched and killed; never left behind.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

/// How long a start may take, recovery included.
const START: Duration = Duration::from_secs(60);

/// Ports that are tried; below those that systems give to outgoing connections, which could take one between a kill
/// and the next start.
const PORTS: std::ops::Range<u16> = 20_000..30_000;

/// A shell that outlives us, whatever ends us, and kills the server whose process id it was told last. Its standard
/// input ends when we do.
const WATCHDOG: &str = "trap '' INT TERM HUP; last=; while read -r pid; do last=$pid; done; \
                        [ -z \"$last\" ] || kill -KILL \"$last\" 2>/dev/null";

/// Kills the server when this process ends, however it ends.
#[derive(Debug)]
pub struct Watchdog {
    child: Child,
    told: Option<ChildStdin>,
}

impl Watchdog {
    /// Starts it.
    ///
    /// # Errors
    /// There is no shell.
    pub fn start() -> Result<Self, String> {
        let mut command = Command::new("sh");
        command.args(["-c", WATCHDOG]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(|error| format!("cannot start sh: {error}"))?;
        let told = child.stdin.take();
        Ok(Self { child, told })
    }

    /// From now on it is this process, or none.
    fn watch(&mut self, pid: Option<u32>) -> Result<(), String> {
        let line = pid.map(|pid| pid.to_string()).unwrap_or_default();
        let told = self.told.as_mut().ok_or("the watchdog is gone")?;
        writeln!(told, "{line}").map_err(|error| format!("the watchdog is gone: {error}"))
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        drop(self.told.take());
        // It ends by itself now; it fails only when it has ended already.
        let _ = self.child.wait();
    }
}

/// How a server is started, again and again.
#[derive(Debug)]
pub struct Launch {
    /// The program.
    pub program: PathBuf,
    /// Its data directory.
    pub data_dir: PathBuf,
    /// Where its log is appended to.
    pub log: PathBuf,
    /// Address and port.
    pub address: String,
}

/// A serving process; it is killed when this goes out of scope.
#[derive(Debug)]
pub struct Server<'a> {
    child: Child,
    watchdog: &'a mut Watchdog,
    first_line: Receiver<String>,
    log: PathBuf,
}

impl<'a> Server<'a> {
    /// Starts the process, and does not wait until it serves.
    ///
    /// # Errors
    /// The program or the log.
    pub fn start(launch: &Launch, watchdog: &'a mut Watchdog) -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("cannot start {}: {error}", launch.program.display());
        let mut command = Command::new(&launch.program);
        command.arg("serve").arg("--data-dir").arg(&launch.data_dir).args(["--listen", &launch.address]);
        command.args(["--engine", "simulated", "--builtin-cpu", "100000000", "--builtin-memory", "100000000"]);
        let log = OpenOptions::new().create(true).append(true).open(&launch.log).map_err(failed)?;
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
        let mut child = command.spawn().map_err(failed)?;
        let told = watchdog.watch(Some(child.id()));
        let first_line = first_line(&mut child);
        let server = Self { child, watchdog, first_line, log: launch.log.clone() };
        told.map(|()| server)
    }

    /// Waits until it serves.
    ///
    /// # Errors
    /// It ended, or was not ready in time; the text holds the end of its log.
    pub fn ready(&mut self) -> Result<(), String> {
        let line = self.first_line.recv_timeout(START);
        if line.is_ok_and(|line| line.starts_with("http://")) {
            return Ok(());
        }
        let status = self.child.try_wait().ok().flatten();
        let what = status.map_or_else(|| format!("does not serve within {START:?}"), |status| status.to_string());
        Err(format!("the server did not start: {what}; {}", last_lines(&self.log)))
    }

    /// Whether it still runs.
    ///
    /// # Errors
    /// It ended by itself; the text holds the end of its log.
    pub fn runs(&mut self) -> Result<(), String> {
        match self.child.try_wait() {
            Ok(None) => Ok(()),
            Ok(Some(status)) => Err(format!("the server ended by itself ({status}); {}", last_lines(&self.log))),
            Err(error) => Err(format!("the server cannot be waited for: {error}")),
        }
    }

    /// Asks it to end, and does not wait.
    ///
    /// # Errors
    /// There is no `kill`.
    pub fn ask_to_end(&self) -> Result<(), String> {
        let told = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        told.map(drop).map_err(|error| format!("cannot run kill: {error}"))
    }

    /// Kills it without a warning and waits until it is gone.
    pub fn kill(mut self) {
        self.end();
    }

    fn end(&mut self) {
        // Both fail only when there is nothing left to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = self.watchdog.watch(None);
    }
}

impl Drop for Server<'_> {
    fn drop(&mut self) {
        self.end();
    }
}

/// A free address on this machine.
///
/// # Errors
/// All ports are taken.
pub fn free_address(first: usize) -> Result<String, String> {
    let count = usize::from(PORTS.end - PORTS.start);
    let ports = PORTS.cycle_from(first % count).take(count);
    let mut addresses = ports.map(|port| format!("127.0.0.1:{port}"));
    addresses.find(|address| TcpListener::bind(address).is_ok()).ok_or_else(|| "no port is free".to_owned())
}

trait CycleFrom {
    fn cycle_from(self, first: usize) -> impl Iterator<Item = u16>;
}

impl CycleFrom for std::ops::Range<u16> {
    fn cycle_from(self, first: usize) -> impl Iterator<Item = u16> {
        self.clone().skip(first).chain(self)
    }
}

/// The first line on the standard output, which is read to its end beside us.
fn first_line(child: &mut Child) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    if let Some(stdout) = child.stdout.take() {
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                // Nobody listens any more after the first line.
                let _ = sender.send(line);
            }
        });
    }
    receiver
}

/// The end of a log.
fn last_lines(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines.get(lines.len().saturating_sub(5)..).unwrap_or_default().join("; ")
}

/// What of a log, from a byte on, tells of a fault of the server; and how long the log is.
///
/// # Errors
/// The log cannot be read.
pub fn faults(log: &Path, from: usize) -> Result<(Vec<String>, usize), String> {
    let bytes = File::open(log).and_then(|_| std::fs::read(log));
    let bytes = bytes.map_err(|error| format!("cannot read {}: {error}", log.display()))?;
    let new = String::from_utf8_lossy(bytes.get(from..).unwrap_or_default()).into_owned();
    let faulty = |line: &&str| line.contains(" ERROR ") || line.contains("panicked at");
    Ok((new.lines().filter(faulty).map(ToOwned::to_owned).collect(), bytes.len()))
}

/// Waits until a file changes, or the time is over; whether it changed.
pub fn wait_for_change(file: &Path, most: Duration) -> bool {
    let state = || std::fs::metadata(file).and_then(|data| Ok((data.modified()?, data.len()))).ok();
    let (begun, before) = (Instant::now(), state());
    while begun.elapsed() < most {
        if state() != before {
            return true;
        }
        std::thread::sleep(Duration::from_micros(200));
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_watchdog_kills_what_it_was_told_last_when_its_input_ends() {
        let sleeper = || Command::new("sleep").arg("600").spawn().unwrap();
        let (mut first, mut second) = (sleeper(), sleeper());
        let mut watchdog = Watchdog::start().unwrap();
        watchdog.watch(Some(first.id())).unwrap();
        watchdog.watch(Some(second.id())).unwrap();
        drop(watchdog);
        assert!(!second.wait().unwrap().success());
        assert!(first.try_wait().unwrap().is_none());
        first.kill().unwrap();
        first.wait().unwrap();
    }

    #[test]
    fn a_watchdog_told_of_nothing_kills_nothing() {
        let mut sleeper = Command::new("sleep").arg("600").spawn().unwrap();
        let mut watchdog = Watchdog::start().unwrap();
        watchdog.watch(Some(sleeper.id())).unwrap();
        watchdog.watch(None).unwrap();
        drop(watchdog);
        assert!(sleeper.try_wait().unwrap().is_none());
        sleeper.kill().unwrap();
        sleeper.wait().unwrap();
    }

    #[test]
    fn faults_are_found_from_a_place_on() {
        let log = std::env::temp_dir().join(format!("longshore-crash-{}.log", std::process::id()));
        std::fs::write(&log, "x  INFO a\nx ERROR b\n").unwrap();
        let (found, length) = faults(&log, 0).unwrap();
        assert_eq!((found, length), (vec!["x ERROR b".to_owned()], 20));
        assert_eq!(faults(&log, length).unwrap(), (vec![], 20));
        std::fs::remove_file(log).unwrap();
    }
}
