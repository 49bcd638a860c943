//! RegisterTaskDefinition, DeregisterTaskDefinition and DescribeTaskDefinition in the shared families.

use super::super::call::{Behaviour, Request};
use super::super::client::Over;
use super::{SHARED_FAMILIES, Worker, shared_family};

impl Worker<'_> {
    pub(super) fn define(&mut self) -> Result<(), Over> {
        let shared = self.client.shared;
        let family = shared_family(self.random.below(SHARED_FAMILIES));
        let latest = shared.judge().latest_revision(&family).unwrap_or(0);
        let revision = u32::try_from(self.random.between(1, latest as usize)).unwrap_or(1);
        let request = match self.random.below(10) {
            0..6 => Request::RegisterTaskDefinition { family, behaviour: Behaviour::Lasting, marker: shared.unique() },
            _ if latest == 0 => return Ok(()),
            6..8 => Request::DeregisterTaskDefinition { family, revision },
            _ => Request::DescribeTaskDefinition { family, revision },
        };
        self.client.call(request).map(drop)
    }
}
