//! Operations on clusters.

pub mod create_cluster;
pub mod delete_cluster;
pub mod describe_clusters;
pub mod list_clusters;
pub mod render;
pub mod stored;
pub mod update_cluster;
pub mod update_cluster_settings;
