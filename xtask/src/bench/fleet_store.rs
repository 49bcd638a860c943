//! Fleets in a store's file: built once, kept, and copied for each server.
//!
//! A fleet is written through [`Store::update`], so the file is what a server would have made, and is kept under
//! `target/bench/fleets`, under a name that follows from the rows and the schema of a small fleet's file: another
//! generator, another record or another format makes another name.

use std::convert::Infallible;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use longshore_domain::EcsId;
use longshore_domain::cluster::ClusterRecord;
use longshore_store::{Backend, Options, Record, Store, Tx, Write};
use tempfile::TempDir;
use tokio::task::JoinSet;

use super::contents;
use super::fleet::Fleet;
use super::fleet_records::{MOMENT, definition, fargate_node, instance, node, principal, scope, task};
use crate::workspace;

/// The cluster of every fleet.
pub const CLUSTER: &str = "bench";

/// The store's file in a data directory.
pub const FILE: &str = "longshore.db";

/// Records in one update.
pub const BATCH: usize = 100;

/// Updates under way at once.
const UNDER_WAY: usize = 64;

/// Tasks of the fleet whose file's bytes name a format.
const SAMPLE: u64 = 500;

/// A data directory of its own with the fleet's file in it, gone when this is dropped.
///
/// # Errors
/// The fleet cannot be built or copied.
pub fn data_dir_with(fleet: &Fleet) -> Result<TempDir, String> {
    let built = built(fleet)?;
    let directory = data_dir()?;
    let failed = |error: std::io::Error| format!("cannot list {}: {error}", built.display());
    for file in fs::read_dir(&built).map_err(failed)? {
        let file = file.map_err(failed)?;
        copy(&file.path(), &directory.path().join(file.file_name()))?;
    }
    Ok(directory)
}

/// An empty data directory on the same disk as those with fleets.
///
/// # Errors
/// What the system says.
pub fn data_dir() -> Result<TempDir, String> {
    let parent = folder("runs")?;
    tempfile::tempdir_in(parent).map_err(|error| format!("no folder for data: {error}"))
}

/// Copies a file, sharing its blocks where the file system can; afterwards it is in the page cache.
fn copy(from: &Path, to: &Path) -> Result<(), String> {
    let status = Command::new("cp").arg("--reflink=auto").args([from, to]).status();
    match status {
        Ok(status) if status.success() => {
            fs::read(to).map(drop).map_err(|error| format!("cannot read {}: {error}", to.display()))
        }
        Ok(status) => Err(format!("cannot copy {} ({status})", from.display())),
        Err(error) => Err(format!("cannot run cp: {error}")),
    }
}

/// The folder that holds the fleet's file, which is built if it is not there.
fn built(fleet: &Fleet) -> Result<PathBuf, String> {
    let name = format!("{}-{}-{}", format_name()?, fleet.tasks, fleet.stopped_of_ten);
    let place = folder("fleets")?.join(name);
    if !place.join(FILE).exists() {
        let started = Instant::now();
        let making = tempfile::tempdir_in(folder("runs")?).map_err(|error| error.to_string())?;
        write(fleet, making.path())?;
        fs::rename(making.keep(), &place).map_err(|error| format!("cannot keep a fleet: {error}"))?;
        eprintln!("a fleet of {} tasks was written in {:.1} s", fleet.tasks, started.elapsed().as_secs_f64());
    }
    Ok(place)
}

/// Ten digits of a digest of what a fleet's file holds.
fn format_name() -> Result<String, String> {
    let directory = data_dir()?;
    write(&Fleet::of(SAMPLE), directory.path())?;
    let digest = contents::digest(&directory.path().join(FILE)).map_err(|error| format!("no sample: {error}"))?;
    Ok(digest.chars().take(10).collect())
}

fn folder(name: &str) -> Result<PathBuf, String> {
    let folder = workspace::target().join("bench").join(name);
    fs::create_dir_all(&folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    Ok(folder)
}

/// Writes the fleet into the data directory of a server that does not run.
fn write(fleet: &Fleet, data_dir: &Path) -> Result<(), String> {
    let failed = |error: &dyn std::fmt::Display| format!("cannot store a fleet: {error}");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| failed(&e))?;
    let store = Store::open(Options::new(Backend::Sqlite(data_dir.to_owned()))).map_err(|e| failed(&e))?;
    runtime.block_on(async {
        put_fleet(fleet, &store).await?;
        store.close().await.map_err(|error| failed(&error))
    })
}

async fn put_fleet(fleet: &Fleet, store: &Store) -> Result<(), String> {
    let cluster = store.update(input(fleet.tasks + 1), put_cluster).await;
    let cluster = cluster.map_err(|error| format!("cannot store a fleet: {error}"))?;
    let definitions = (0..fleet.families).flat_map(|index| {
        let (family, definition) = definition(index);
        [Record::from(family), Record::from(definition)]
    });
    put_all(store, definitions).await?;
    let nodes = (0..fleet.instances).map(|index| Record::from(node(index)));
    put_all(store, nodes.chain([Record::from(fargate_node())])).await?;
    put_all(store, (0..fleet.instances).map(|index| Record::from(instance(cluster, index)))).await?;
    put_all(store, (0..fleet.tasks).map(|index| Record::from(task(fleet, cluster, index)))).await
}

/// Writes records, many updates at once.
///
/// # Errors
/// What the store says.
pub async fn put_all(store: &Store, records: impl Iterator<Item = Record>) -> Result<(), String> {
    let failed = |error: &dyn std::fmt::Display| format!("cannot write to the store: {error}");
    let mut records = records.peekable();
    let mut under_way = JoinSet::new();
    while records.peek().is_some() {
        let batch: Vec<Record> = records.by_ref().take(BATCH).collect();
        let store = store.clone();
        under_way.spawn(async move { store.update(input(batch), put).await });
        if under_way.len() >= UNDER_WAY {
            settled(under_way.join_next().await).map_err(|error| failed(&error))?;
        }
    }
    while let Some(outcome) = under_way.join_next().await {
        settled(Some(outcome)).map_err(|error| failed(&error))?;
    }
    Ok(())
}

type Outcome = Result<Result<(), longshore_store::UpdateError<Infallible>>, tokio::task::JoinError>;

fn settled(outcome: Option<Outcome>) -> Result<(), String> {
    match outcome {
        Some(Ok(Err(error))) => Err(error.to_string()),
        Some(Err(error)) => Err(error.to_string()),
        Some(Ok(Ok(()))) | None => Ok(()),
    }
}

/// Data for the store, as of the fleet's moment.
pub fn input<I>(input: I) -> Write<I> {
    Write { scope: scope(), principal: principal(), at: MOMENT, seed: EcsId([0; 16]), input }
}

/// Makes the cluster with `input` as the next sequence number; its incarnation.
fn put_cluster(tx: &mut Tx<'_>, write: &Write<u64>) -> Result<u64, Infallible> {
    let mut cluster = ClusterRecord::new(write.scope.clone(), CLUSTER, tx.version(), write.at);
    cluster.next_sequence = write.input;
    tx.put(cluster);
    Ok(tx.version())
}

fn put(tx: &mut Tx<'_>, write: &Write<Vec<Record>>) -> Result<(), Infallible> {
    write.input.iter().for_each(|record| tx.put(record.clone()));
    Ok(())
}
