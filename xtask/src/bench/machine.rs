//! The machine the numbers belong to, and what a process has taken of it, from `/proc`.

use std::fs;
use std::time::Duration;

/// CPU time that the threads of a process have used, in user and system mode, by the scheduler's own
/// clock. A thread that ended takes its time with it; servers' threads last.
///
/// # Errors
/// The process is gone.
pub fn cpu(pid: u32) -> Result<Duration, String> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).map_err(|error| format!("no process {pid}: {error}"))?;
    let mut nanos = 0;
    for thread in threads.flatten() {
        // Absent: it has just ended.
        let text = fs::read_to_string(thread.path().join("schedstat")).unwrap_or_default();
        nanos += text.split(' ').next().and_then(|nanos| nanos.parse::<u64>().ok()).unwrap_or_default();
    }
    Ok(Duration::from_nanos(nanos))
}

/// Memory of a process, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// Resident, shared pages included.
    pub resident: u64,
    /// Resident, with its share of shared pages.
    pub proportional: u64,
    /// Of no file: heap and stacks.
    pub anonymous: u64,
}

/// Memory of a process.
///
/// # Errors
/// The process is gone.
pub fn memory(pid: u32) -> Result<Memory, String> {
    let path = format!("/proc/{pid}/smaps_rollup");
    let text = read(&path)?;
    let bytes = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        kib.map(|kib| kib * 1024).ok_or_else(|| format!("{path} has no {name}"))
    };
    Ok(Memory { resident: bytes("Rss")?, proportional: bytes("Pss")?, anonymous: bytes("Anonymous")? })
}

/// One line on the machine and how busy it was.
pub fn description() -> String {
    let first = |path: &str, key: &str| {
        let text = fs::read_to_string(path).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with(key)).unwrap_or_default().to_owned();
        line.rsplit(':').next().unwrap_or_default().trim().to_owned()
    };
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let load = first("/proc/loadavg", "");
    let load = load.split(' ').next().unwrap_or_default();
    format!(
        "{} × {}, {} of memory, Linux {}, load {load} at the start",
        cores,
        first("/proc/cpuinfo", "model name"),
        first("/proc/meminfo", "MemTotal"),
        first("/proc/sys/kernel/osrelease", ""),
    )
}

fn read(path: &str) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("cannot read {path}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_memory_and_time() {
        let memory = memory(std::process::id()).unwrap();
        assert!(memory.resident >= memory.proportional && memory.proportional >= memory.anonymous);
        assert!(memory.anonymous > 50_000);
        assert!(cpu(std::process::id()).unwrap() > Duration::from_micros(100));
    }
}
