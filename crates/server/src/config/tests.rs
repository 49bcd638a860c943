use super::*;
use clap::Parser;

const EXAMPLE: &str = include_str!("../../../../docs/longshore.example.toml");

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    flags: ServeFlags,
}

fn flags(arguments: &[&str]) -> ServeFlags {
    Cli::try_parse_from([&["longshore"], arguments].concat()).unwrap_or_else(|error| panic!("{error}")).flags
}

fn merge(arguments: &[&str], file: &str) -> Result<Config, ConfigError> {
    let home = |name: &str| (name == "HOME").then(|| "/home/u".into());
    Config::merge(flags(arguments), FileConfig::parse(file).unwrap(), &home)
}

#[test]
fn nothing_given_is_a_useful_single_node() {
    let config = merge(&[], "").unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:8327");
    assert_eq!(config.data_dir, Path::new("/home/u/.local/share/longshore"));
    assert_eq!((config.store, config.engine), (StoreKind::Sqlite, EngineKind::Auto));
    assert_eq!((config.builtin_node, config.image_pull_behavior), (BuiltinNode::OnDemand, ImagePullBehavior::Default));
    assert_eq!((config.builtin_cpu, config.builtin_memory, config.credentials), (None, None, None));
    assert_eq!((config.stop_tasks_on_exit, config.allow_privileged_unauthenticated), (false, false));
    assert_eq!((config.container_cleanup_wait_seconds, config.task_retention_seconds), (3600, 3600));
    assert_eq!(config.orphan_grace.0.as_secs(), 24 * 3600);
    assert_eq!(config.publish_address, Ipv4Addr::LOCALHOST);
    assert_eq!((config.log_format, config.log_level.as_str()), (LogFormat::Text, "info"));
}

#[test]
fn a_flag_overrules_the_file() {
    let file = "listen = '127.0.0.1:1'\nengine = 'docker'\nstop_tasks_on_exit = true\nbuiltin_cpu = 5";
    let config = merge(&["--listen", "localhost:2", "--stop-tasks-on-exit=false"], file).unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:2");
    assert!(!config.stop_tasks_on_exit);
    assert_eq!((config.engine, config.builtin_cpu), (EngineKind::Docker, Some(5)));
}

#[test]
fn every_flag_arrives() {
    let config = merge(
        &[
            "--listen=[::1]:9",
            "--data-dir=/d",
            "--store=memory",
            "--engine=simulated",
            "--builtin-node=none",
            "--builtin-cpu=2048",
            "--builtin-memory=512",
            "--credentials=/k.toml",
            "--stop-tasks-on-exit",
            "--publish-address=10.0.0.1",
            "--image-pull-behavior=prefer-cached",
            "--container-cleanup-wait-seconds=60",
            "--orphan-grace=90m",
            "--task-retention-seconds=7200",
            "--allow-privileged-unauthenticated",
            "--log-format=json",
            "--log-level=debug",
        ],
        "",
    )
    .unwrap();
    let expected = Config {
        listen: "[::1]:9".parse().unwrap(),
        data_dir: "/d".into(),
        store: StoreKind::Memory,
        engine: EngineKind::Simulated,
        builtin_node: BuiltinNode::None,
        builtin_cpu: Some(2048),
        builtin_memory: Some(512),
        credentials: Some("/k.toml".into()),
        stop_tasks_on_exit: true,
        publish_address: "10.0.0.1".parse().unwrap(),
        image_pull_behavior: ImagePullBehavior::PreferCached,
        container_cleanup_wait_seconds: 60,
        orphan_grace: Grace(std::time::Duration::from_secs(5400)),
        task_retention_seconds: 7200,
        allow_privileged_unauthenticated: true,
        log_format: LogFormat::Json,
        log_level: "debug".into(),
    };
    assert_eq!(config, expected);
}

#[test]
fn every_flag_has_a_variable_of_its_name() {
    use clap::CommandFactory;
    for argument in Cli::command().get_arguments() {
        let Some(long) = argument.get_long().filter(|long| *long != "help") else { continue };
        let variable = format!("LONGSHORE_{}", long.replace('-', "_").to_uppercase());
        assert_eq!(argument.get_env().and_then(|name| name.to_str()), Some(variable.as_str()));
        let help = argument.get_help().unwrap().to_string();
        assert!(help.contains("Default: "), "--{long} does not tell its default");
    }
}

#[test]
fn mistakes_are_refused() {
    let refused = |arguments: &[&str], file: &str| merge(arguments, file).unwrap_err().to_string();
    let open = refused(&["--listen=0.0.0.0:80"], "");
    assert!(open.starts_with("0.0.0.0:80 is not a loopback address") && open.contains("--credentials"), "{open}");
    assert!(refused(&["--listen=192.168.0.1:80"], "").contains("--credentials"));
    assert!(refused(&["--task-retention-seconds=60"], "").contains("at least 3600"));
    assert!(refused(&["--container-cleanup-wait-seconds=0"], "").contains("at least 1"));
    assert!(refused(&[], "builtin_memory = 0").contains("builtin_memory must be at least 1"));
    assert!(FileConfig::parse("listne = '127.0.0.1:1'").unwrap_err().contains("unknown field `listne`"));
    assert!(FileConfig::parse("listen = 'here'").unwrap_err().contains("not an address"));
    for wrong in
        ["--engine=podman", "--builtin-cpu=0", "--listen=8327", "--log-format=xml", "--nope", "--orphan-grace=5"]
    {
        assert!(Cli::try_parse_from(["longshore", wrong]).is_err(), "{wrong}");
    }
    let nowhere = Config::merge(ServeFlags::default(), FileConfig::default(), &|_| None);
    assert!(matches!(nowhere, Err(ConfigError::NoDataDir)));
}

#[test]
fn with_credentials_the_network_may_be_listened_on_and_ports_are_published_there() {
    let config = merge(&["--listen=0.0.0.0:80", "--credentials=/k"], "").unwrap();
    assert_eq!(config.publish_address, Ipv4Addr::UNSPECIFIED);
}

#[test]
fn the_data_directory_follows_xdg() {
    let find = |xdg: &str| {
        let environment = |name: &str| match name {
            "XDG_DATA_HOME" => Some(xdg.into()),
            "HOME" => Some("/home/u".into()),
            _ => None,
        };
        Config::merge(ServeFlags::default(), FileConfig::default(), &environment).unwrap().data_dir
    };
    assert_eq!(find("/data"), Path::new("/data/longshore"));
    assert_eq!(find("relative"), Path::new("/home/u/.local/share/longshore"));
}

#[test]
fn paths_in_a_file_are_relative_to_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("longshore.toml");
    std::fs::write(&path, "data_dir = 'state'\ncredentials = '/etc/keys.toml'\n").unwrap();
    let file = FileConfig::read(&path).unwrap();
    assert_eq!(file.data_dir, Some(directory.path().join("state")));
    assert_eq!(file.credentials.as_deref(), Some(Path::new("/etc/keys.toml")));
}

#[test]
fn the_example_file_says_the_defaults_and_knows_every_key() {
    let as_it_stands = merge(&[], EXAMPLE).unwrap();
    assert_eq!(as_it_stands, merge(&[], "").unwrap(), "what stands there uncommented is the default");
    let uncommented: String = EXAMPLE
        .lines()
        .map(|line| line.strip_prefix("# ").filter(|rest| is_setting(rest)).unwrap_or(line))
        .flat_map(|line| [line, "\n"])
        .collect();
    let FileConfig {
        listen: Some(_),
        data_dir: Some(_),
        store: Some(_),
        engine: Some(_),
        builtin_node: Some(_),
        builtin_cpu: Some(_),
        builtin_memory: Some(_),
        credentials: Some(_),
        stop_tasks_on_exit: Some(_),
        publish_address: Some(_),
        image_pull_behavior: Some(_),
        container_cleanup_wait_seconds: Some(_),
        orphan_grace: Some(_),
        task_retention_seconds: Some(_),
        allow_privileged_unauthenticated: Some(_),
        log_format: Some(_),
        log_level: Some(_),
    } = FileConfig::parse(&uncommented).unwrap()
    else {
        panic!("a key is missing in the example file");
    };
}

fn is_setting(line: &str) -> bool {
    let is_name = |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    line.split_once(" = ").is_some_and(|(name, _)| is_name(name))
}

#[test]
fn a_grace_has_a_unit() {
    for (text, seconds) in [("0s", 0), ("90s", 90), ("30m", 1800), ("24h", 86_400), ("7d", 604_800)] {
        assert_eq!(text.parse(), Ok(Grace(std::time::Duration::from_secs(seconds))));
    }
    for wrong in ["", "s", "5", "-1s", "+1s", "1.5h", "1w", "1 h", "99999999999h", "ü"] {
        assert!(wrong.parse::<Grace>().unwrap_err().contains("24h"), "{wrong}");
    }
    assert_eq!(merge(&["--store=memory"], "").unwrap().orphan_grace, Grace(std::time::Duration::ZERO));
    assert_eq!(merge(&[], "orphan_grace = '1h'").unwrap().orphan_grace, Grace(std::time::Duration::from_secs(3600)));
}
