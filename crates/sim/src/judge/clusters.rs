//! What is known of the clusters that are made and deleted. Each has one caller who does that, one call after another.

use std::collections::BTreeMap;

/// What a cluster may be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct MayBe {
    /// It was never made.
    pub absent: bool,
    /// ACTIVE.
    pub active: bool,
    /// INACTIVE.
    pub inactive: bool,
}

#[derive(Debug)]
struct Cluster {
    may_be: MayBe,
    epoch: u64,
}

impl Default for Cluster {
    fn default() -> Self {
        Self { may_be: MayBe { absent: true, ..MayBe::default() }, epoch: 0 }
    }
}

/// The clusters by name.
#[derive(Debug, Default)]
pub(crate) struct Clusters(BTreeMap<String, Cluster>);

impl Clusters {
    /// How often a new cluster may have got this name.
    pub fn epoch(&self, name: &str) -> u64 {
        self.0.get(name).map_or(0, |cluster| cluster.epoch)
    }

    pub fn may_be(&self, name: &str) -> MayBe {
        self.0.get(name).map_or(Cluster::default().may_be, |cluster| cluster.may_be)
    }

    /// CreateCluster is about to be called: a new cluster may get the name from now on.
    pub fn create_begins(&mut self, name: &str) {
        let cluster = self.0.entry(name.to_owned()).or_default();
        if cluster.may_be.inactive || cluster.may_be.absent {
            cluster.epoch += 1;
        }
        cluster.may_be.active = true;
    }

    /// CreateCluster has succeeded.
    pub fn created(&mut self, name: &str) {
        self.0.entry(name.to_owned()).or_default().may_be = MayBe { active: true, ..MayBe::default() };
    }

    /// DeleteCluster is about to be called.
    pub fn delete_begins(&mut self, name: &str) {
        self.0.entry(name.to_owned()).or_default().may_be.inactive = true;
    }

    /// DeleteCluster has succeeded.
    pub fn deleted(&mut self, name: &str) {
        self.0.entry(name.to_owned()).or_default().may_be = MayBe { inactive: true, ..MayBe::default() };
    }

    /// DeleteCluster was refused because something is in it, so it is ACTIVE.
    pub fn not_deleted(&mut self, name: &str) {
        self.created(name);
    }

    /// The cluster is looked at: its status, or nothing if it is not there.
    pub fn saw(&mut self, name: &str, status: Option<&str>) -> Result<(), String> {
        let cluster = self.0.entry(name.to_owned()).or_default();
        let legal = match status {
            None => cluster.may_be.absent,
            Some("ACTIVE") => cluster.may_be.active,
            Some("INACTIVE") => cluster.may_be.inactive,
            Some(_) => false,
        };
        if legal { Ok(()) } else { Err(format!("cluster {name} is {status:?} and may be {:?}", cluster.may_be)) }
    }
}
