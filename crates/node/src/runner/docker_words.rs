//! Reads the two JSON strings of a payload's `dockerConfig`, strictly.
//!
//! A key that is not honoured is refused by name unless its value says nothing (`null`, `false`, `0` or empty), so that
//! no container ever runs without something that its task definition asks for.

use longshore_ecs_wire::agent::{Container, ContainerConfig, HostConfig};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// What `dockerConfig` says.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct DockerWords {
    /// The string `config`.
    pub config: ContainerConfig,
    /// The string `hostConfig`.
    pub host: HostConfig,
}

/// Why `dockerConfig` cannot be honoured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum WordsError {
    /// It asks for something that is not built; the member as the ECS API calls it.
    Unsupported(String),
    /// It is not JSON of the right shape; the container's reason.
    Broken(String),
}

const CONFIG_KEYS: &[&str] = &["User", "WorkingDir", "Labels", "Hostname", "Tty", "OpenStdin", "NetworkDisabled"];

const HOST_KEYS: &[&str] = &[
    "NetworkMode",
    "LogConfig",
    "Privileged",
    "ReadonlyRootfs",
    "CapAdd",
    "CapDrop",
    "Init",
    "ShmSize",
    "Sysctls",
    "Ulimits",
    "Dns",
    "DnsSearch",
    "ExtraHosts",
    "MemoryReservation",
];

/// Docker's words for members of a task definition that are not built.
const NOT_BUILT: &[(&str, &str)] = &[
    ("Healthcheck", "healthCheck"),
    ("Devices", "linuxParameters.devices"),
    ("Tmpfs", "linuxParameters.tmpfs"),
    ("MemorySwap", "linuxParameters.maxSwap"),
    ("MemorySwappiness", "linuxParameters.swappiness"),
    ("SecurityOpt", "dockerSecurityOptions"),
    ("Binds", "mountPoints"),
    ("Links", "links"),
    ("VolumesFrom", "volumesFrom"),
    ("PidMode", "pidMode"),
    ("IpcMode", "ipcMode"),
    ("Runtime", "resourceRequirements"),
    ("DeviceRequests", "resourceRequirements"),
];

/// Log drivers that need a service of AWS or a router container.
const LOG_DRIVERS_NOT_BUILT: &[&str] = &["awslogs", "awsfirelens"];

/// Reads both strings.
pub(crate) fn read(container: &Container) -> Result<DockerWords, WordsError> {
    let Some(words) = &container.docker_config else { return Ok(DockerWords::default()) };
    let broken_config =
        |error: &dyn std::fmt::Display| format!("DockerClientConfigError: Unable decode given docker config: {error}");
    let broken_host =
        |error: &dyn std::fmt::Display| format!("HostConfigError: Unable to decode given host config: {error}");
    let config = words.config.as_deref().map(|text| one("config", text, CONFIG_KEYS, &broken_config)).transpose()?;
    let host: Option<HostConfig> =
        words.host_config.as_deref().map(|text| one("hostConfig", text, HOST_KEYS, &broken_host)).transpose()?;
    let host = host.unwrap_or_default();
    if let Some(log) = &host.log_config
        && LOG_DRIVERS_NOT_BUILT.contains(&log.kind.as_str())
    {
        return Err(WordsError::Unsupported(format!("logConfiguration.logDriver {}", log.kind)));
    }
    Ok(DockerWords { config: config.unwrap_or_default(), host })
}

fn one<T: DeserializeOwned + Default>(
    string: &str,
    text: &str,
    known: &[&str],
    broken: &dyn Fn(&dyn std::fmt::Display) -> String,
) -> Result<T, WordsError> {
    if text.trim().is_empty() {
        return Ok(T::default());
    }
    let mut map: Map<String, Value> = serde_json::from_str(text).map_err(|error| WordsError::Broken(broken(&error)))?;
    map.retain(|key, value| !says_nothing(value) && !switches_health_check_off(key, value));
    if let Some(key) = map.keys().find(|key| !known.contains(&key.as_str())) {
        let field = NOT_BUILT.iter().find(|(word, _)| word == key).map(|(_, field)| (*field).to_owned());
        return Err(WordsError::Unsupported(field.unwrap_or_else(|| format!("dockerConfig.{string}.{key}"))));
    }
    serde_json::from_value(Value::Object(map)).map_err(|error| WordsError::Broken(broken(&error)))
}

/// Health checks are not built, so one that takes the image's away is obeyed by doing nothing.
fn switches_health_check_off(key: &str, value: &Value) -> bool {
    key == "Healthcheck" && value.pointer("/Test/0").and_then(Value::as_str) == Some("NONE")
}

fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use longshore_ecs_wire::agent::DockerConfig;

    use super::*;

    fn words(config: Option<&str>, host: Option<&str>) -> Result<DockerWords, WordsError> {
        let docker_config =
            DockerConfig { config: config.map(str::to_owned), host_config: host.map(str::to_owned), version: None };
        read(&Container { docker_config: Some(docker_config), ..Container::default() })
    }

    fn unsupported(field: &str) -> Result<DockerWords, WordsError> {
        Err(WordsError::Unsupported(field.to_owned()))
    }

    #[test]
    fn nothing_said_is_fine() {
        assert_eq!(read(&Container::default()), Ok(DockerWords::default()));
        assert_eq!(words(Some("{}"), Some("")), Ok(DockerWords::default()));
        assert_eq!(
            words(None, Some(r#"{"Devices":[],"Tmpfs":null,"MemorySwap":0,"PidMode":"","AutoRemove":false,"X":{}}"#)),
            Ok(DockerWords::default())
        );
    }

    #[test]
    fn a_health_check_switched_off_is_no_health_check() {
        assert_eq!(words(Some(r#"{"Healthcheck":{"Test":["NONE"]}}"#), None), Ok(DockerWords::default()));
    }

    #[test]
    fn what_is_built_is_read() {
        let read = words(
            Some(r#"{"User":"1000","Tty":true,"Labels":{"a":"b"}}"#),
            Some(r#"{"NetworkMode":"host","ShmSize":67108864,"Ulimits":[{"Name":"nofile","Soft":1,"Hard":2}],"LogConfig":{"Type":"syslog","Config":{"tag":"x"}}}"#),
        )
        .expect("all built");
        assert_eq!(read.config.user.as_deref(), Some("1000"));
        assert_eq!(read.config.tty, Some(true));
        assert_eq!(read.host.network_mode.as_deref(), Some("host"));
        assert_eq!(read.host.shm_size, Some(67_108_864));
        assert_eq!(read.host.log_config.map(|log| log.kind).as_deref(), Some("syslog"));
    }

    #[test]
    fn what_is_not_built_is_named() {
        assert_eq!(words(Some(r#"{"Healthcheck":{"Test":["CMD","x"]}}"#), None), unsupported("healthCheck"));
        assert_eq!(
            words(None, Some(r#"{"Devices":[{"PathOnHost":"/dev/x"}]}"#)),
            unsupported("linuxParameters.devices")
        );
        assert_eq!(words(None, Some(r#"{"MemorySwap":-1}"#)), unsupported("linuxParameters.maxSwap"));
        assert_eq!(words(None, Some(r#"{"AutoRemove":true}"#)), unsupported("dockerConfig.hostConfig.AutoRemove"));
        assert_eq!(words(Some(r#"{"StdinOnce":true}"#), None), unsupported("dockerConfig.config.StdinOnce"));
        assert_eq!(
            words(None, Some(r#"{"LogConfig":{"Type":"awslogs"}}"#)),
            unsupported("logConfiguration.logDriver awslogs")
        );
    }

    #[test]
    fn broken_json_is_said_as_amazons_agent_says_it() {
        let Err(WordsError::Broken(reason)) = words(None, Some("{")) else { panic!("broken") };
        assert!(reason.starts_with("HostConfigError: Unable to decode given host config: "), "{reason}");
        let Err(WordsError::Broken(reason)) = words(Some(r#"{"Tty":"yes"}"#), None) else { panic!("wrong type") };
        assert!(reason.starts_with("DockerClientConfigError: Unable decode given docker config: "), "{reason}");
    }
}
