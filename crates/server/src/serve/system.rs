//! What only the running program has: the machine's clock, its randomness, its size.

use std::time::{SystemTime, UNIX_EPOCH};

use longshore_api::{Clock, Seeds};
use longshore_domain::{EcsId, Timestamp};

/// The machine's clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

/// Seeds from the operating system.
#[derive(Debug, Clone, Copy)]
pub struct RandomSeeds;

impl Seeds for RandomSeeds {
    fn seed(&self) -> EcsId {
        let mut bytes = [0; 16];
        if let Err(error) = getrandom::fill(&mut bytes) {
            // The ids of tasks would repeat: better no server than one that loses tasks.
            tracing::error!(%error, "the operating system gives no random bytes");
            std::process::abort();
        }
        EcsId(bytes)
    }
}

/// Cores of this machine.
pub fn cores() -> u64 {
    std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64)
}

/// Memory of this machine in MiB, where the system says it in `/proc/meminfo`.
pub fn memory_mib() -> Option<u64> {
    parse_meminfo(&std::fs::read_to_string("/proc/meminfo").ok()?)
}

fn parse_meminfo(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib / 1024)
}

/// The architecture as ECS names it.
pub fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "aarch64" => "arm64",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn meminfo_is_read() {
        assert_eq!(parse_meminfo("MemTotal:       2097152 kB\nMemFree: 1 kB\n"), Some(2048));
        assert_eq!(parse_meminfo("MemTotal: x kB"), None);
        assert_eq!(parse_meminfo(""), None);
    }

    #[test]
    fn seeds_differ() {
        assert_ne!(RandomSeeds.seed(), RandomSeeds.seed());
    }
}
