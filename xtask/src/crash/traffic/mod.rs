//! What a client does while the server is up: one thing after another, chosen by its seed.

mod clusters;
mod definitions;
mod tasks;
mod traversals;

use super::call::Name;
use super::client::{Client, Over, Shared};
use super::random::Random;
use clusters::Churn;
use traversals::Wandering;

/// Clusters that all clients share and that are never deleted.
pub const SHARED_CLUSTERS: usize = 3;

/// Families of which all clients register and deregister revisions.
pub const SHARED_FAMILIES: usize = 3;

/// The name of a shared cluster.
pub fn shared_cluster(number: usize) -> Name {
    format!("shared-{number}").into()
}

/// The name of a shared family.
pub fn shared_family(number: usize) -> Name {
    format!("family-{number}").into()
}

/// One client's life.
#[derive(Debug)]
pub struct Worker<'a> {
    client: Client<'a>,
    random: Random,
    churn: Churn,
    wandering: Option<Wandering>,
}

impl<'a> Worker<'a> {
    /// A client with these choices.
    pub fn new(number: usize, shared: &'a Shared, random: Random) -> Self {
        Self { client: Client::new(number, shared), random, churn: Churn::new(number), wandering: None }
    }

    /// Acts until everything is over.
    pub fn work(mut self) {
        while self.act().is_ok() {}
    }

    fn act(&mut self) -> Result<(), Over> {
        match self.random.below(100) {
            0..22 => self.run(),
            22..32 => self.replay(),
            32..52 => self.stop(),
            52..64 => self.describe(),
            64..84 => self.wander(),
            84..90 => self.define(),
            _ => self.churn(),
        }
    }

    fn cluster(&mut self) -> Name {
        shared_cluster(self.random.below(SHARED_CLUSTERS))
    }
}
