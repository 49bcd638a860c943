//! Running containers whose task the server does not know, as after the restore of an older backup.
//!
//! They are not removed at once: somebody may still need them, and a later restore may bring their task back. Each is
//! kept for a grace that is counted from when the node first learnt that the server does not know it, across restarts.
//! This module is the file in the node's data directory that says so, for the node and for `longshore orphans`.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use longshore_ecs_wire::Timestamp;
use serde::{Deserialize, Serialize};

/// Name of the file in the data directory.
pub const FILE: &str = "orphans.json";

/// A task that the server does not know, with what runs of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Orphan {
    /// ARN of the task.
    pub task_arn: String,
    /// When the node first learnt that the server does not know it.
    pub first_seen_at: Timestamp,
    /// Its containers, by name.
    pub containers: Vec<OrphanContainer>,
}

/// A container of an orphan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrphanContainer {
    /// Name on the engine.
    pub name: String,
    /// Its image.
    pub image: String,
}

/// The orphans of a node.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OrphanList {
    /// How long each is kept from when it was first seen.
    pub grace: Duration,
    /// The orphans, by ARN.
    pub orphans: Vec<Orphan>,
}

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OrphanFileError {
    /// It can be neither read nor written.
    #[error("cannot read or write the list of orphans in {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It holds something else.
    #[error("{path} does not hold a list of orphans: {reason}; remove it to begin the grace of all orphans anew")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

impl OrphanList {
    /// When a first look at `first_seen_at` lets an orphan go.
    pub fn removal_at(&self, orphan: &Orphan) -> Timestamp {
        orphan.first_seen_at.plus_millis(millis(self.grace))
    }

    /// The list in a data directory; empty if there is none.
    ///
    /// # Errors
    /// The file cannot be read, or holds something else.
    pub fn read(data_dir: &Path) -> Result<Self, OrphanFileError> {
        let path = data_dir.join(FILE);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(source) => return Err(OrphanFileError::Io { path, source }),
        };
        let damaged = |error: serde_json::Error| OrphanFileError::Damaged { path, reason: error.to_string() };
        serde_json::from_slice::<Stored>(&text).map(Self::from).map_err(damaged)
    }

    /// Replaces the list in a data directory; the file is there whole, old or new, whenever the machine stops.
    ///
    /// # Errors
    /// The disk.
    pub fn write(&self, data_dir: &Path) -> Result<(), OrphanFileError> {
        let path = data_dir.join(FILE);
        let failed = |source| OrphanFileError::Io { path: path.clone(), source };
        let text = serde_json::to_vec_pretty(&Stored::from(self)).map_err(|error| failed(error.into()))?;
        let fresh = data_dir.join(format!("{FILE}.new"));
        let written = fs::File::create(&fresh).and_then(|mut file| {
            file.write_all(&text)?;
            file.sync_all()
        });
        let replaced = written.and_then(|()| fs::rename(&fresh, &path));
        replaced.and_then(|()| fs::File::open(data_dir)?.sync_all()).map_err(failed)
    }
}

/// A duration in milliseconds, at most what a time can be moved by.
pub(crate) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// The file's own form: plain numbers, whose names say their units.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stored {
    grace_seconds: u64,
    orphans: Vec<StoredOrphan>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredOrphan {
    task_arn: String,
    first_seen_at_millis: i64,
    containers: Vec<OrphanContainer>,
}

impl From<&OrphanList> for Stored {
    fn from(list: &OrphanList) -> Self {
        let orphans = list.orphans.iter().map(|orphan| StoredOrphan {
            task_arn: orphan.task_arn.clone(),
            first_seen_at_millis: orphan.first_seen_at.millis(),
            containers: orphan.containers.clone(),
        });
        Self { grace_seconds: list.grace.as_secs(), orphans: orphans.collect() }
    }
}

impl From<Stored> for OrphanList {
    fn from(stored: Stored) -> Self {
        let orphans = stored.orphans.into_iter().map(|orphan| Orphan {
            task_arn: orphan.task_arn,
            first_seen_at: Timestamp::from_millis(orphan.first_seen_at_millis),
            containers: orphan.containers,
        });
        Self { grace: Duration::from_secs(stored.grace_seconds), orphans: orphans.collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list() -> OrphanList {
        let containers = vec![OrphanContainer { name: "ecs-web-1-app-00".into(), image: "web:1".into() }];
        let orphan =
            Orphan { task_arn: "arn".into(), first_seen_at: Timestamp::from_millis(1_700_000_000_123), containers };
        OrphanList { grace: Duration::from_secs(60), orphans: vec![orphan] }
    }

    #[test]
    fn what_is_written_is_read_and_nothing_else_is_left() {
        let directory = tempfile::tempdir().expect("temporary directory");
        assert_eq!(OrphanList::read(directory.path()).expect("no file is no orphans"), OrphanList::default());
        for list in [list(), OrphanList { orphans: vec![], ..list() }] {
            list.write(directory.path()).expect("writes");
            assert_eq!(OrphanList::read(directory.path()).expect("reads"), list);
        }
        assert_eq!(fs::read_dir(directory.path()).expect("lists").count(), 1);
        assert_eq!(list().removal_at(&list().orphans[0]), Timestamp::from_millis(1_700_000_060_123));
    }

    #[test]
    fn another_file_is_refused_by_name() {
        let directory = tempfile::tempdir().expect("temporary directory");
        fs::write(directory.path().join(FILE), "[]").expect("writes");
        let error = OrphanList::read(directory.path()).expect_err("damaged").to_string();
        assert!(error.contains(FILE) && error.contains("remove it"), "{error}");
    }
}
