//! The machine the numbers belong to, and what a process has taken of it, from `/proc`.

use std::fs;
use std::time::Duration;

/// Ticks of `utime` and `stime` in a second, on every Linux architecture that Rust supports.
const TICKS_PER_SECOND: u64 = 100;

/// CPU time that all threads of a process have used, in user and system mode; steps of 10 ms.
///
/// # Errors
/// The process is gone.
pub fn cpu(pid: u32) -> Result<Duration, String> {
    let text = read(&format!("/proc/{pid}/stat"))?;
    ticks(&text)
        .map(|ticks| Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND))
        .ok_or_else(|| format!("/proc/{pid}/stat cannot be understood"))
}

/// `utime` + `stime`: fields 14 and 15, counted after the name in parentheses, which is field 2.
fn ticks(stat: &str) -> Option<u64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().skip(11);
    Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
}

/// Resident memory of a process in MB (1,000,000 bytes).
///
/// # Errors
/// The process is gone.
pub fn resident_mb(pid: u32) -> Result<f64, String> {
    let text = read(&format!("/proc/{pid}/status"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<f64>().ok());
    kib.map(|kib| kib * 1024.0 / 1e6).ok_or_else(|| format!("/proc/{pid}/status has no VmRSS"))
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
    fn the_ticks_are_found_behind_any_name() {
        let stat = "42 (a ) name) S 1 42 42 0 -1 4194560 100 0 0 0 700 55 1 2 20 0 1 0 1000 1 1";
        assert_eq!(ticks(stat), Some(755));
        assert_eq!(ticks("42 (a) S 1"), None);
    }

    #[test]
    fn this_process_has_memory_and_time() {
        assert!(resident_mb(std::process::id()).unwrap() > 0.5);
        assert!(cpu(std::process::id()).is_ok());
    }
}
