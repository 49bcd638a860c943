//! A stored record of any kind, its row, and the row's checksum.

use std::sync::Arc;

use longshore_domain::cluster::ClusterRecord;
use longshore_domain::container_instance::ContainerInstanceRecord;
use longshore_domain::idempotency::ClientTokenRecord;
use longshore_domain::node::NodeRecord;
use longshore_domain::secret::SecretRecord;
use longshore_domain::task::TaskRecord;
use longshore_domain::task_definition::record::{FamilyRecord, TaskDefinitionRecord};

use crate::State;
use crate::error::StoreError;
use crate::tables::Table;

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident($record:ty) = $table:literal),+ $(,)?) => {
        /// The kinds of records; each has a table of its own.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind {
            $($(#[$doc])* $kind),+
        }

        impl Kind {
            /// Every kind, in the order in which a store loads them: what a record refers to comes before it.
            pub const ALL: &[Self] = &[$(Self::$kind),+];

            /// Name of its table.
            pub fn table(self) -> &'static str {
                match self { $(Self::$kind => $table),+ }
            }
        }

        /// A record of any kind.
        #[derive(Debug, Clone, PartialEq, serde::Serialize)]
        pub enum Record {
            $($(#[$doc])* $kind(Arc<$record>)),+
        }

        impl Record {
            /// Its kind.
            pub fn kind(&self) -> Kind {
                match self { $(Self::$kind(_) => Kind::$kind),+ }
            }

            /// Its key in its table; readable.
            pub fn key(&self) -> String {
                match self { $(Self::$kind(record) => Table::row_key(&**record)),+ }
            }

            /// Its body: JSON that an operator can read.
            ///
            /// # Errors
            /// A value that JSON cannot hold.
            pub fn encode(&self) -> Result<String, StoreError> {
                match self { $(Self::$kind(record) => serde_json::to_string(&**record)),+ }
                    .map_err(|error| StoreError::Encode { table: self.kind().table(), reason: error.to_string() })
            }

            /// The record in a body.
            ///
            /// # Errors
            /// Not a record of this kind.
            pub fn decode(kind: Kind, body: &str) -> Result<Self, StoreError> {
                let damaged = |error: serde_json::Error| StoreError::Decode { table: kind.table(), reason: error.to_string() };
                match kind { $(Kind::$kind => serde_json::from_str(body).map(|record| Self::$kind(Arc::new(record))).map_err(damaged)),+ }
            }

            /// Puts it into the state and all its indexes, over what its key held before.
            pub(crate) fn insert(&self, state: &mut State) {
                match self { $(Self::$kind(record) => Table::insert(record, state)),+ }
            }

            /// Takes it out of the state and all its indexes.
            pub(crate) fn remove(&self, state: &mut State) {
                match self { $(Self::$kind(record) => Table::remove(record, state)),+ }
            }
        }

        $(impl From<$record> for Record {
            fn from(record: $record) -> Self {
                Self::$kind(Arc::new(record))
            }
        })+
    };
}

kinds! {
    /// Keys of the server.
    Secret(SecretRecord) = "secrets",
    /// Machines.
    Node(NodeRecord) = "nodes",
    /// Task definition families.
    Family(FamilyRecord) = "families",
    /// Task definitions.
    TaskDefinition(TaskDefinitionRecord) = "task_definitions",
    /// Clusters.
    Cluster(ClusterRecord) = "clusters",
    /// Container instances.
    ContainerInstance(ContainerInstanceRecord) = "container_instances",
    /// Tasks.
    Task(TaskRecord) = "tasks",
    /// Client tokens.
    ClientToken(ClientTokenRecord) = "client_tokens",
}

/// A record as it is written: its row, or the row's end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Kind; decides the table.
    pub kind: Kind,
    /// Key in the table.
    pub key: String,
    /// Store version that wrote it.
    pub version: u64,
    /// JSON; `None` deletes the row.
    pub body: Option<String>,
}

/// The checksum of a row: CRC-32 over table, key, version and body.
pub fn checksum(kind: Kind, key: &str, version: u64, body: &str) -> u32 {
    let mut hash = crc32fast::Hasher::new();
    for part in [kind.table().as_bytes(), key.as_bytes(), &version.to_be_bytes(), body.as_bytes()] {
        hash.update(&(part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize()
}
