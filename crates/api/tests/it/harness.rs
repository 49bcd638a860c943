//! The API over a store in memory, with a clock that stands still and seeds that count.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use longshore_api::{Api, Caller, Clock, Seeds};
use longshore_domain::{EcsId, Refusal, Scope, Timestamp};
use longshore_store::{Backend, Options, Record, Store, StoreError, Tx, Write};
use serde::Serialize;

/// A clock that tests move.
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// Moves it on.
    pub fn advance(&self, millis: i64) {
        self.0.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}

struct CountingSeeds(AtomicU64);

impl Seeds for CountingSeeds {
    fn seed(&self) -> EcsId {
        id(self.0.fetch_add(1, Ordering::SeqCst))
    }
}

/// An id that shows a number.
pub fn id(number: u64) -> EcsId {
    EcsId(u128::from(number).to_be_bytes())
}

/// One API, its clock, and who calls it.
pub struct World {
    /// The API.
    pub api: Api,
    /// Its clock; it begins at 1,700,000,000 s.
    pub clock: Arc<ManualClock>,
    /// Account 000000000000 in us-east-1.
    pub caller: Caller,
}

/// A caller of another account or region.
pub fn caller(account: &str, region: &str) -> Caller {
    Caller {
        scope: Scope::new(account, region),
        principal: format!("arn:aws:iam::{account}:user/tester").into(),
        user_id: "AIDATESTER".into(),
    }
}

/// A new, empty world.
pub async fn world() -> World {
    world_on(Store::open(Options::new(Backend::Memory)).unwrap(), 1).await
}

/// The world of a data directory, whose seeds count from `first_seed`. The writer of an earlier one may still be ending.
pub async fn sqlite_world(directory: &Path, first_seed: u64) -> World {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        match Store::open(Options::new(Backend::Sqlite(directory.to_owned()))) {
            Ok(store) => return world_on(store, first_seed).await,
            Err(StoreError::Locked(_)) if Instant::now() < deadline => tokio::task::yield_now().await,
            Err(error) => panic!("{error}"),
        }
    }
}

async fn world_on(store: Store, first_seed: u64) -> World {
    let clock = Arc::new(ManualClock(AtomicI64::new(1_700_000_000_000)));
    let seeds = Arc::new(CountingSeeds(AtomicU64::new(first_seed)));
    let api = Api::new(store, Arc::clone(&clock) as Arc<dyn Clock>, seeds).await.unwrap();
    World { api, clock, caller: caller("000000000000", "us-east-1") }
}

impl World {
    /// Writes records as they are.
    pub async fn put(&self, records: Vec<Record>) {
        let write = Write {
            scope: self.caller.scope.clone(),
            principal: Arc::clone(&self.caller.principal),
            at: self.api.now(),
            seed: id(0),
            input: records,
        };
        self.api.store().update(write, put_all).await.unwrap();
    }
}

fn put_all(tx: &mut Tx<'_>, write: &Write<Vec<Record>>) -> Result<(), std::convert::Infallible> {
    for record in &write.input {
        tx.put(record.clone());
    }
    Ok(())
}

/// `class: text` of a refusal.
pub fn refused<T: std::fmt::Debug>(outcome: Result<T, Refusal>) -> String {
    outcome.unwrap_err().to_string()
}

/// Compares a response with `tests/golden/<name>.json`; with `LONGSHORE_WRITE_GOLDENS` set it writes the file.
pub fn assert_golden<T: Serialize>(name: &str, response: &T) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(format!("{name}.json"));
    let text = serde_json::to_string_pretty(response).unwrap() + "\n";
    if std::env::var_os("LONGSHORE_WRITE_GOLDENS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &text).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, golden, "{name}");
}
