//! `longshore backup` and `longshore restore` as commands: on a running server, under load, and killed at any moment.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Instant;

use longshore_domain::Scope;
use longshore_store::backend::sqlite;
use longshore_store::{Backend, Options, Store, StoreError};
use serde_json::json;

use crate::client::{Client, ask, request};
use crate::service::PATIENCE;

const BINARY: &str = env!("CARGO_BIN_EXE_longshore");

fn command(name: &str, data_dir: &Path) -> Command {
    let mut command = Command::new(BINARY);
    command.env_clear().env("HOME", "/nonexistent").stdin(Stdio::null());
    command.arg(name).arg(format!("--data-dir={}", data_dir.display()));
    command
}

/// Runs a command to its end: exit code and standard error.
fn run(name: &str, data_dir: &Path, arguments: &[&Path]) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } = command(name, data_dir).args(arguments).output().unwrap();
    assert!(stdout.is_empty());
    (status.code(), String::from_utf8(stderr).unwrap())
}

fn done(name: &str, data_dir: &Path, file: &Path) -> String {
    let (code, said) = run(name, data_dir, &[file]);
    assert_eq!(code, Some(0), "{said}");
    said
}

/// The number after `word` in a text.
fn number_after(text: &str, word: &str) -> u64 {
    let rest = text.split(word).nth(1).unwrap_or_else(|| panic!("no {word:?} in {text:?}"));
    let digits: String = rest.trim_start().chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap()
}

/// A server without a node; killed when it is dropped.
struct Serving {
    child: Child,
    address: SocketAddr,
}

impl Serving {
    fn start(data_dir: &Path) -> Self {
        let mut serve = command("serve", data_dir);
        serve.args(["--listen=127.0.0.1:0", "--builtin-node=none"]);
        let mut child = serve.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim_end().strip_prefix("http://").unwrap_or_else(|| panic!("no URL but {line:?}"));
        Self { address: address.parse().unwrap(), child }
    }

    async fn register(&self, family: &str) {
        let got = ask(self.address, register(family)).await;
        assert_eq!(got.status, 200, "{got:?}");
    }

    async fn version(&self) -> u64 {
        let metrics = ask(self.address, "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
        number_after(&metrics.body, "\nlongshore_store_version ")
    }

    /// Waits until it shows a version of at least this.
    async fn until_version(&self, version: u64) {
        let begun = Instant::now();
        while self.version().await < version {
            assert!(begun.elapsed() < PATIENCE, "the server has not noticed the restore");
            tokio::task::yield_now().await;
        }
    }

    async fn families(&self) -> BTreeSet<String> {
        let (mut found, mut token) = (BTreeSet::new(), None::<String>);
        loop {
            let body = json!({"maxResults": 100, "nextToken": token}).to_string();
            let page = ask(self.address, request("ListTaskDefinitionFamilies", &body)).await.json();
            let names = page["families"].as_array().unwrap_or_else(|| panic!("{page}"));
            found.extend(names.iter().map(|name| name.as_str().unwrap().to_owned()));
            match page["nextToken"].as_str() {
                Some(next) => token = Some(next.to_owned()),
                None => return found,
            }
        }
    }

    /// SIGKILL.
    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended already, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn register(family: &str) -> String {
    let container = json!({"name": "a", "image": "b", "memory": 16, "command": ["x".repeat(2000)]});
    request("RegisterTaskDefinition", &json!({"family": family, "containerDefinitions": [container]}).to_string())
}

fn names(prefix: &str, many: usize) -> BTreeSet<String> {
    (0..many).map(|number| format!("{prefix}-{number:03}")).collect()
}

/// A backup that holds these families, in a directory.
async fn backup_of(directory: &Path, prefix: &str, many: usize) -> PathBuf {
    let data_dir = directory.join(format!("source-{prefix}"));
    let server = Serving::start(&data_dir);
    for family in names(prefix, many) {
        server.register(&family).await;
    }
    let file = directory.join(prefix);
    done("backup", &data_dir, &file);
    file
}

#[tokio::test]
async fn a_running_server_goes_on_from_the_backup_and_so_does_the_next_one() {
    let directory = tempfile::tempdir().unwrap();
    let data_dir = directory.path().join("data");
    let server = Serving::start(&data_dir);
    for family in names("kept", 3) {
        server.register(&family).await;
    }
    let file = directory.path().join("backup");
    let said = done("backup", &data_dir, &file);
    let (code, refused) = run("backup", &data_dir, &[&file]);
    assert_eq!(code, Some(2), "{refused}");
    assert!(refused.contains("--force"), "{refused}");
    assert_eq!(run("backup", &data_dir, &[&file, Path::new("--force")]).0, Some(0));
    assert_eq!(number_after(&said, "at version"), server.version().await);
    server.register("lost").await;
    let before = server.version().await;

    let said = done("restore", &data_dir, &file);
    let version = number_after(&said, "as version");
    assert_eq!(version, before + (1 << 32));
    server.until_version(version).await;
    assert_eq!(server.families().await, names("kept", 3));
    server.register("later").await;
    let mut expected = names("kept", 3);
    expected.insert("later".into());
    assert_eq!(server.families().await, expected);
    server.kill();
    let server = Serving::start(&data_dir);
    assert_eq!(server.families().await, expected);

    // A restore with nobody there to notice, and one whose server is killed before it can.
    server.kill();
    done("restore", &data_dir, &file);
    let server = Serving::start(&data_dir);
    assert_eq!(server.families().await, names("kept", 3));
    server.register("lost").await;
    done("restore", &data_dir, &file);
    server.kill();
    let server = Serving::start(&data_dir);
    assert_eq!(server.families().await, names("kept", 3));
    assert_eq!(server.version().await >> 32, 3);
}

#[tokio::test]
async fn what_is_no_backup_is_refused_and_a_server_does_not_notice() {
    let directory = tempfile::tempdir().unwrap();
    let data_dir = directory.path().join("data");
    let server = Serving::start(&data_dir);
    server.register("kept").await;
    let before = server.version().await;
    let bad = directory.path().join("bad");
    for content in [&b"hello"[..], b"", b"SQLite format 3\0"] {
        std::fs::write(&bad, content).unwrap();
        let (code, said) = run("restore", &data_dir, &[&bad]);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("bad cannot be restored: ") && said.contains("nothing has been changed"), "{said}");
    }
    let (code, said) = run("backup", &directory.path().join("nowhere"), &[&bad]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("there is no store in"), "{said}");
    server.register("kept-too").await;
    assert_eq!(server.version().await, before + 1);
}

/// What the store of a directory holds, which must be whole; whoever was killed may still be letting go of it.
fn held(data_dir: &Path) -> BTreeSet<String> {
    let begun = Instant::now();
    let store = loop {
        match Store::open(Options::new(Backend::Sqlite(data_dir.to_path_buf()))) {
            Ok(store) => break store,
            Err(StoreError::Locked(_)) if begun.elapsed() < PATIENCE => std::thread::yield_now(),
            Err(error) => panic!("{error}"),
        }
    };
    let scope = Scope::new("000000000000", "us-east-1");
    store.view().families(&scope, "").map(|family| family.family.to_string()).collect()
}

#[tokio::test]
async fn a_restore_that_is_killed_has_been_done_or_not() {
    const ROUNDS: u32 = 60;
    let directory = tempfile::tempdir().unwrap();
    let files = [backup_of(directory.path(), "old", 150).await, backup_of(directory.path(), "new", 150).await];
    let contents = [names("old", 150), names("new", 150)];
    let data_dir = directory.path().join("data");
    sqlite::restore(&data_dir, &files[0]).unwrap();
    let begun = Instant::now();
    done("restore", &data_dir, &files[0]);
    let whole = begun.elapsed();
    let random = RandomState::new();
    println!("a restore takes {whole:?}; {random:?}");
    let (mut now, mut done) = (0, 0);
    for round in 0..ROUNDS {
        let next = 1 - now;
        let mut child = command("restore", &data_dir).arg(&files[next]).stderr(Stdio::null()).spawn().unwrap();
        // Mostly in the second half, where it writes.
        let share = random.hash_one(round) % 1000;
        std::thread::park_timeout(whole.mul_f64(0.3 + share as f64 / 1000.0));
        child.kill().unwrap();
        child.wait().unwrap();
        let held = held(&data_dir);
        if held == contents[next] {
            (now, done) = (next, done + 1);
        }
        assert!(held == contents[now], "round {round}: neither the one nor the other, but {held:?}");
    }
    println!("{done} of {ROUNDS} restores were done before the kill");
    sqlite::restore(&data_dir, &files[0]).unwrap();
    assert_eq!(held(&data_dir), contents[0]);
}

#[tokio::test]
async fn a_killed_backup_is_none_and_the_next_one_works() {
    const ROUNDS: u32 = 30;
    let directory = tempfile::tempdir().unwrap();
    let source = backup_of(directory.path(), "all", 150).await;
    let data_dir = directory.path().join("data");
    sqlite::restore(&data_dir, &source).unwrap();
    let file = directory.path().join("backup");
    let begun = Instant::now();
    done("backup", &data_dir, &file);
    let whole = begun.elapsed();
    let random = RandomState::new();
    for round in 0..ROUNDS {
        let target = directory.path().join(format!("backup-{round}"));
        let mut child = command("backup", &data_dir).arg(&target).stderr(Stdio::null()).spawn().unwrap();
        let share = random.hash_one(round) % 1000;
        std::thread::park_timeout(whole.mul_f64(0.2 + share as f64 / 1000.0));
        child.kill().unwrap();
        child.wait().unwrap();
        if target.exists() {
            sqlite::restore(&directory.path().join("check"), &target).unwrap();
            assert_eq!(held(&directory.path().join("check")), names("all", 150), "round {round}");
        } else {
            done("backup", &data_dir, &target);
        }
    }
}

/// Registers `live-0`, `live-1`, …; what was acknowledged, with the times of question and answer.
async fn load(address: SocketAddr, until: tokio::sync::watch::Receiver<bool>) -> Vec<(Instant, Instant, String)> {
    let mut client = Client::connect(address).await;
    let mut acknowledged = Vec::new();
    for number in 0.. {
        if *until.borrow() {
            break;
        }
        let family = format!("live-{number:06}");
        let asked = Instant::now();
        match client.ask(register(&family)).await.status {
            200 => acknowledged.push((asked, Instant::now(), family)),
            // The write met the restore.
            500 => {}
            other => panic!("{other}"),
        }
    }
    acknowledged
}

#[tokio::test]
async fn under_load_the_state_is_the_backups_and_what_was_acknowledged_since() {
    let directory = tempfile::tempdir().unwrap();
    let kept = backup_of(directory.path(), "kept", 20).await;
    let data_dir = directory.path().join("data");
    sqlite::restore(&data_dir, &kept).unwrap();
    let server = Serving::start(&data_dir);
    let (end, ended) = tokio::sync::watch::channel(false);
    let load = tokio::spawn(load(server.address, ended));
    server.until_version(server.version().await + 50).await;
    let backup_begun = Instant::now();
    let file = directory.path().join("backup");
    let (from, to) = (data_dir.clone(), file.clone());
    tokio::task::spawn_blocking(move || done("backup", &from, &to)).await.unwrap();
    server.until_version(server.version().await + 50).await;
    let restore_begun = Instant::now();
    let (to, from) = (data_dir.clone(), file.clone());
    let said = tokio::task::spawn_blocking(move || done("restore", &to, &from)).await.unwrap();
    let version = number_after(&said, "as version");
    server.until_version(version).await;
    let noticed = Instant::now();
    server.until_version(version + 50).await;
    end.send_replace(true);
    let acknowledged = load.await.unwrap();
    let families = server.families().await;
    server.kill();
    assert_eq!(Serving::start(&data_dir).families().await, families);
    let check = directory.path().join("check");
    sqlite::restore(&check, &file).unwrap();
    let in_backup = held(&check);
    assert!(names("kept", 20).is_subset(&families));
    for (asked, answered, family) in acknowledged {
        let (is_listed, was_saved) = (families.contains(&family), in_backup.contains(&family));
        if asked > noticed {
            assert!(is_listed, "{family} was acknowledged after the restore");
        } else if answered < restore_begun {
            assert_eq!(is_listed, was_saved, "{family} is of before the restore");
        }
        assert!(answered > backup_begun || was_saved, "{family} was acknowledged before the backup");
    }
}
