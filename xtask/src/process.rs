//! Runs another program with a deadline, and says what went wrong in one text.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Runs `command` to its end and returns its standard output.
///
/// # Errors
/// The program is missing, ends with another status than 0 (the text holds its standard error), or
/// runs longer than `deadline` (it is killed then).
pub fn run(command: &mut Command, deadline: Duration) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("cannot start `{name}`: {error}"))?;
    let stdout = drain(child.stdout.take());
    let stderr = drain(child.stderr.take());
    let status = wait(&mut child, deadline).map_err(|problem| format!("`{name}` {problem}"))?;
    let stdout = stdout.join().unwrap_or_default();
    let stderr = stderr.join().unwrap_or_default();
    if status.success() { Ok(stdout) } else { Err(format!("`{name}` failed ({status}): {}", stderr.trim())) }
}

fn wait(child: &mut Child, deadline: Duration) -> Result<std::process::ExitStatus, String> {
    let started = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status),
            Ok(None) if started.elapsed() < deadline => thread::sleep(POLL_INTERVAL),
            Ok(None) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("did not end within {} s", deadline.as_secs()));
            }
            Err(error) => return Err(format!("cannot be waited for: {error}")),
        }
    }
}

/// Reads a pipe to its end beside the wait, so that a full pipe never blocks the program.
fn drain(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            let _ = pipe.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_and_failure_are_reported() {
        let hello = run(Command::new("sh").args(["-c", "echo hello"]), Duration::from_secs(10));
        assert_eq!(hello.as_deref(), Ok("hello\n"));
        let failed = run(Command::new("sh").args(["-c", "echo why >&2; exit 3"]), Duration::from_secs(10));
        assert_eq!(failed, Err("`sh` failed (exit status: 3): why".to_owned()));
        let missing = run(&mut Command::new("no-such-program-here"), Duration::from_secs(10));
        assert!(missing.is_err_and(|text| text.starts_with("cannot start `no-such-program-here`")));
    }

    #[test]
    fn a_program_past_its_deadline_is_killed() {
        let late = run(Command::new("sleep").arg("60"), Duration::from_millis(50));
        assert_eq!(late, Err("`sleep` did not end within 0 s".to_owned()));
    }
}
