//! Where an engine listens: what `DOCKER_HOST` says, else the first socket that is there.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::engine::EngineError;

/// Docker's own socket.
const DEFAULT_SOCKET: &str = "/var/run/docker.sock";

/// Where an engine listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// A Unix socket.
    Unix(PathBuf),
    /// `host:port`, without TLS.
    Tcp(String),
}

impl fmt::Display for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(formatter, "unix://{}", path.display()),
            Self::Tcp(address) => write!(formatter, "tcp://{address}"),
        }
    }
}

impl Endpoint {
    /// The engine that `DOCKER_HOST` names, else the first socket that is there: Docker's, a rootless Docker's,
    /// Docker Desktop's and its kin's, Podman's. When none is there, Docker's own, in case it comes.
    ///
    /// # Errors
    ///
    /// [`EngineError::Unsupported`] if `DOCKER_HOST` asks for anything but `unix://` or `tcp://` without TLS.
    pub fn from_environment() -> Result<Self, EngineError> {
        Self::find(&|key| std::env::var(key).ok().filter(|value| !value.is_empty()), &|path| path.exists())
    }

    fn find(variable: &dyn Fn(&str) -> Option<String>, exists: &dyn Fn(&Path) -> bool) -> Result<Self, EngineError> {
        if let Some(host) = variable("DOCKER_HOST") {
            let tls = variable("DOCKER_TLS_VERIFY").is_some();
            return Self::parse(&host, tls);
        }
        let mut candidates = vec![PathBuf::from(DEFAULT_SOCKET)];
        if let Some(runtime) = variable("XDG_RUNTIME_DIR").map(PathBuf::from) {
            candidates.push(runtime.join("docker.sock"));
            candidates.push(runtime.join("podman/podman.sock"));
        }
        if let Some(home) = variable("HOME").map(PathBuf::from) {
            for socket in [
                ".docker/run/docker.sock",
                ".docker/desktop/docker.sock",
                ".colima/default/docker.sock",
                ".rd/docker.sock",
            ] {
                candidates.push(home.join(socket));
            }
        }
        candidates.push(PathBuf::from("/run/podman/podman.sock"));
        let found = candidates.into_iter().find(|path| exists(path));
        Ok(Self::Unix(found.unwrap_or_else(|| PathBuf::from(DEFAULT_SOCKET))))
    }

    /// Reads the value of `DOCKER_HOST`.
    fn parse(host: &str, tls: bool) -> Result<Self, EngineError> {
        match host.split_once("://") {
            Some(("unix", path)) if path.starts_with('/') => Ok(Self::Unix(path.into())),
            Some(("tcp" | "http", _)) if tls => {
                Err(EngineError::Unsupported("DOCKER_TLS_VERIFY: use a Unix socket or an SSH tunnel to one".into()))
            }
            Some(("tcp" | "http", address)) if !address.is_empty() => {
                Ok(Self::Tcp(address.trim_end_matches('/').to_owned()))
            }
            _ => {
                Err(EngineError::Unsupported(format!("DOCKER_HOST={host}: it must be unix:///path or tcp://host:port")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(variables: &[(&str, &str)], sockets: &[&str]) -> Result<Endpoint, EngineError> {
        let variable =
            |key: &str| variables.iter().find(|(name, _)| *name == key).map(|(_, value)| (*value).to_owned());
        Endpoint::find(&variable, &|path| sockets.iter().any(|socket| Path::new(socket) == path))
    }

    fn unix(path: &str) -> Result<Endpoint, EngineError> {
        Ok(Endpoint::Unix(path.into()))
    }

    #[test]
    fn docker_host_comes_first() {
        let sockets = ["/var/run/docker.sock"];
        assert_eq!(find(&[("DOCKER_HOST", "unix:///run/x.sock")], &sockets), unix("/run/x.sock"));
        let tcp = find(&[("DOCKER_HOST", "tcp://10.0.0.1:2375/")], &sockets);
        assert_eq!(tcp, Ok(Endpoint::Tcp("10.0.0.1:2375".into())));
    }

    #[test]
    fn what_cannot_be_reached_safely_is_refused() {
        for host in ["ssh://host", "https://host:2376", "unix://relative", "tcp://", "nonsense"] {
            let answer = find(&[("DOCKER_HOST", host)], &[]);
            assert!(matches!(answer, Err(EngineError::Unsupported(text)) if text.contains(host)), "{host}");
        }
        let tls = find(&[("DOCKER_HOST", "tcp://10.0.0.1:2376"), ("DOCKER_TLS_VERIFY", "1")], &[]);
        assert!(matches!(tls, Err(EngineError::Unsupported(_))));
    }

    #[test]
    fn sockets_are_tried_in_order() {
        let places = [("XDG_RUNTIME_DIR", "/run/user/7"), ("HOME", "/home/a")];
        let podman = "/run/user/7/podman/podman.sock";
        assert_eq!(find(&places, &["/var/run/docker.sock", podman]), unix("/var/run/docker.sock"));
        assert_eq!(find(&places, &[podman, "/run/podman/podman.sock"]), unix(podman));
        let desktop = "/home/a/.docker/run/docker.sock";
        assert_eq!(find(&places, &[desktop, "/run/podman/podman.sock"]), unix(desktop));
        assert_eq!(find(&places, &["/run/podman/podman.sock"]), unix("/run/podman/podman.sock"));
        assert_eq!(find(&[], &[]), unix(DEFAULT_SOCKET));
    }
}
