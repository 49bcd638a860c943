//! Whose container is this?
//!
//! Every node has a random id, kept in its data directory. All that it makes on an engine carries the id in the label
//! [`NODE_LABEL`]; it looks at, adopts and removes only that. Several nodes, and Amazon's agent, can share an engine.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use crate::engine::Observed;

/// Label with the id of the node that made a container or network.
pub const NODE_LABEL: &str = "longshore.node";
/// Label with the seconds that a container gets between its stop signal and SIGKILL.
pub const STOP_TIMEOUT_LABEL: &str = "longshore.stop-timeout-seconds";
/// Label of containers that only prove that the engine works.
pub const PROBE_LABEL: &str = "longshore.probe";
/// Amazon's label with the task's ARN.
pub const TASK_ARN_LABEL: &str = "com.amazonaws.ecs.task-arn";
/// Amazon's label with the container's name in its task.
pub const CONTAINER_NAME_LABEL: &str = "com.amazonaws.ecs.container-name";
/// Amazon's label with the family of the task definition.
pub const FAMILY_LABEL: &str = "com.amazonaws.ecs.task-definition-family";
/// Amazon's label with the revision of the task definition.
pub const REVISION_LABEL: &str = "com.amazonaws.ecs.task-definition-version";
/// Amazon's label with the cluster's name.
pub const CLUSTER_LABEL: &str = "com.amazonaws.ecs.cluster";

/// File in the data directory that holds the node's id.
const FILE: &str = "node-id";
/// Hex digits of an id.
const DIGITS: usize = 32;

/// Why a data directory gave no node id.
#[derive(Debug, thiserror::Error)]
pub enum NodeIdError {
    /// The file can be neither read nor made.
    #[error("cannot read or write the node id in {path}: {source}")]
    Io {
        /// The file.
        path: String,
        /// What went wrong.
        source: io::Error,
    },
    /// The file holds something else.
    #[error(
        "{path} does not hold a node id (32 hex digits); restore it from a backup, or remove it to make a new node, \
         which will not know the containers of the old one"
    )]
    Damaged {
        /// The file.
        path: String,
    },
    /// The operating system gives no random numbers.
    #[error("no random numbers for a new node id: {0}")]
    Random(String),
}

/// The node's id, 32 hex digits: read from `data_dir`, or made there. The file appears whole or not at all, also when
/// two processes make it at the same moment; both then get the same id.
pub fn node_id(data_dir: &Path) -> Result<String, NodeIdError> {
    let path = data_dir.join(FILE);
    let failed = |source| NodeIdError::Io { path: path.display().to_string(), source };
    match fs::read_to_string(&path) {
        Ok(text) => return parse(&text, &path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
    }
    let id = random_id()?;
    let fresh = data_dir.join(format!("{FILE}.{id}"));
    let written = write_durably(&fresh, &id).and_then(|()| link(&fresh, &path));
    let tidied = fs::remove_file(&fresh);
    written.and(tidied).map_err(failed)?;
    parse(&fs::read_to_string(&path).map_err(failed)?, &path)
}

/// Whether a container is this node's, for this container of this task.
pub fn is_own(observed: &Observed, node_id: &str, task_arn: &str, container: &str) -> bool {
    let has = |label: &str, value: &str| observed.labels.get(label).is_some_and(|found| found == value);
    has(NODE_LABEL, node_id) && has(TASK_ARN_LABEL, task_arn) && has(CONTAINER_NAME_LABEL, container)
}

/// Name of the node's own bridge network.
pub fn network_name(node_id: &str) -> String {
    format!("longshore-{}", node_id.get(..12).unwrap_or(node_id))
}

/// Labels of what belongs to the node and to no task.
pub fn node_labels(node_id: &str) -> BTreeMap<String, String> {
    BTreeMap::from([(NODE_LABEL.to_owned(), node_id.to_owned())])
}

fn parse(text: &str, path: &Path) -> Result<String, NodeIdError> {
    let id = text.trim();
    if id.len() == DIGITS && id.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)) {
        return Ok(id.to_owned());
    }
    Err(NodeIdError::Damaged { path: path.display().to_string() })
}

fn random_id() -> Result<String, NodeIdError> {
    let mut bytes = [0u8; DIGITS / 2];
    getrandom::fill(&mut bytes).map_err(|error| NodeIdError::Random(error.to_string()))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn write_durably(path: &Path, id: &str) -> io::Result<()> {
    let mut file = fs::File::create_new(path)?;
    writeln!(file, "{id}")?;
    file.sync_all()
}

/// A hard link never replaces what is there: whoever comes second keeps the first one's file.
fn link(fresh: &Path, path: &Path) -> io::Result<()> {
    match fs::hard_link(fresh, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_made_once_and_kept() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let first = node_id(dir.path()).expect("made");
        assert_eq!(first.len(), 32);
        assert_eq!(node_id(dir.path()).expect("read"), first);
        let names: Vec<_> =
            fs::read_dir(dir.path()).expect("lists").map(|entry| entry.expect("entry").file_name()).collect();
        assert_eq!(names, ["node-id"], "nothing else is left behind");
        let other = tempfile::tempdir().expect("temporary directory");
        assert_ne!(node_id(other.path()).expect("made"), first);
    }

    #[test]
    fn processes_that_start_together_agree() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let path = dir.path();
        let ids: Vec<String> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..16).map(|_| scope.spawn(|| node_id(path).expect("made"))).collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
        });
        assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    }

    #[test]
    fn a_damaged_file_is_refused_and_kept() {
        let dir = tempfile::tempdir().expect("temporary directory");
        for text in ["", "abc", "0123456789ABCDEF0123456789ABCDEF", "0123456789abcdef0123456789abcdef0"] {
            fs::write(dir.path().join("node-id"), text).expect("writes");
            let error = node_id(dir.path()).expect_err("damaged");
            assert!(matches!(error, NodeIdError::Damaged { .. }), "{error}");
            assert_eq!(fs::read_to_string(dir.path().join("node-id")).expect("reads"), text);
        }
    }

    #[test]
    fn a_missing_directory_is_named() {
        let error = node_id(Path::new("/nonexistent/longshore")).expect_err("no directory").to_string();
        assert!(error.contains("/nonexistent/longshore/node-id"), "{error}");
    }
}
