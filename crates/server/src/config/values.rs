//! The closed choices of the configuration, spelled alike in file, environment and flag.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use clap::ValueEnum;
use serde::{Deserialize, Deserializer};

/// Where state is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StoreKind {
    /// One SQLite file in the data directory.
    #[default]
    Sqlite,
    /// Nothing survives the process; for tests.
    Memory,
}

/// What runs the containers of the built-in node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EngineKind {
    /// Docker if an engine answers; otherwise tasks fail with a reason.
    #[default]
    Auto,
    /// A Docker Engine API; not starting without one.
    Docker,
    /// No containers, real life cycles; for tests of scale and of users' code.
    Simulated,
}

/// Whether this server is itself a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BuiltinNode {
    /// It gives FARGATE capacity, and joins a cluster as a container instance when that has none.
    #[default]
    OnDemand,
    /// Tasks run only on nodes that register themselves.
    None,
}

/// When images are pulled; the values and their meaning are the Amazon ECS agent's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImagePullBehavior {
    /// Pull; when that fails, use what is cached.
    #[default]
    Default,
    /// Pull; when that fails, the task fails.
    Always,
    /// Pull only what was not pulled before.
    Once,
    /// Use what is cached; pull only what is not.
    PreferCached,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// Lines for people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// How long orphans are kept: a whole number with a unit, like `0s`, `90s`, `30m`, `24h`, `7d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grace(pub Duration);

impl Grace {
    /// A day; nothing where the store forgets every task at each end of the server.
    pub fn of(store: StoreKind) -> Self {
        match store {
            StoreKind::Sqlite => Self(Duration::from_secs(24 * 3600)),
            StoreKind::Memory => Self(Duration::ZERO),
        }
    }
}

impl FromStr for Grace {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parsed = || {
            let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
            let seconds: u64 = match unit {
                "s" => 1,
                "m" => 60,
                "h" => 3600,
                "d" => 24 * 3600,
                _ => return None,
            };
            let all_digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
            let number: u32 = number.parse().ok().filter(|_| all_digits)?;
            Some(Self(Duration::from_secs(seconds * u64::from(number))))
        };
        parsed().ok_or_else(|| format!("'{text}' is not a time like 0s, 30m, 24h or 7d"))
    }
}

impl<'de> Deserialize<'de> for Grace {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A listening address: `IP:PORT`, or `localhost:PORT` for `127.0.0.1:PORT`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListenAddress(pub SocketAddr);

impl FromStr for ListenAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(port) = text.strip_prefix("localhost:") {
            let port = port.parse().map_err(|_| format!("'{port}' is not a port"))?;
            return Ok(Self(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port)));
        }
        text.parse()
            .map(Self)
            .map_err(|_| format!("'{text}' is not an address of the form IP:PORT, like 127.0.0.1:8327"))
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de> Deserialize<'de> for ListenAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl ListenAddress {
    /// Whether only this machine can connect.
    pub fn is_loopback(self) -> bool {
        self.0.ip().to_canonical().is_loopback()
    }
}

/// The address host ports are published on when none is configured: as open as the API itself.
pub fn default_publish_address(listen: ListenAddress) -> IpAddr {
    if listen.is_loopback() { Ipv4Addr::LOCALHOST.into() } else { Ipv4Addr::UNSPECIFIED.into() }
}
