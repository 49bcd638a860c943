//! The virtual `default` becomes a record at the first write.

use longshore_domain::Timestamp;
use longshore_domain::cluster::ClusterRecord;
use longshore_store::Tx;

/// The record to change: the cluster's own, or for the virtual `default` a new one with an incarnation of its own.
/// The caller puts it.
pub(crate) fn stored(tx: &Tx<'_>, record: &ClusterRecord, now: Timestamp) -> ClusterRecord {
    match record.incarnation {
        0 => ClusterRecord { incarnation: tx.version(), created_at: now, ..record.clone() },
        _ => record.clone(),
    }
}
