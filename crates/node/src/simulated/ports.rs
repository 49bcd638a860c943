//! The host ports that simulated containers hold. Nothing listens on them; they are only never given twice.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::engine::{EngineError, PortRequest, Protocol};

/// The first dynamic port; the last is 65535.
const FIRST_DYNAMIC: u16 = 49_153;

/// A published port of a simulated container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Published {
    pub(super) address: IpAddr,
    pub(super) container_port: u16,
    pub(super) host_port: u16,
    pub(super) protocol: Protocol,
}

/// Ports by who holds them.
#[derive(Debug)]
pub(super) struct Ports {
    taken: BTreeMap<(Protocol, u16), Vec<IpAddr>>,
    next: u16,
}

impl Default for Ports {
    fn default() -> Self {
        Self { taken: BTreeMap::new(), next: FIRST_DYNAMIC }
    }
}

impl Ports {
    /// Takes all of `requests` or none.
    ///
    /// # Errors
    ///
    /// [`EngineError::PortTaken`] with the port, or that no dynamic one is left.
    pub(super) fn take(&mut self, requests: &[PortRequest]) -> Result<Box<[Published]>, EngineError> {
        let mut published = Vec::with_capacity(requests.len());
        for request in requests {
            match self.pick(request) {
                Ok(host_port) => {
                    let address = request.publish_address;
                    self.taken.entry((request.protocol, host_port)).or_default().push(address);
                    let (container_port, protocol) = (request.container_port, request.protocol);
                    published.push(Published { address, container_port, host_port, protocol });
                }
                Err(error) => {
                    self.give_back(&published);
                    return Err(error);
                }
            }
        }
        Ok(published.into_boxed_slice())
    }

    /// Frees ports that [`Self::take`] gave.
    pub(super) fn give_back(&mut self, published: &[Published]) {
        for port in published {
            let key = (port.protocol, port.host_port);
            if let Some(holders) = self.taken.get_mut(&key) {
                if let Some(at) = holders.iter().position(|holder| *holder == port.address) {
                    holders.swap_remove(at);
                }
                if holders.is_empty() {
                    self.taken.remove(&key);
                }
            }
        }
    }

    fn pick(&mut self, request: &PortRequest) -> Result<u16, EngineError> {
        let (protocol, address) = (request.protocol, request.publish_address);
        if let Some(port) = request.host_port {
            return if self.is_free(protocol, port, address) {
                Ok(port)
            } else {
                Err(EngineError::PortTaken(format!("Bind for {address}:{port} failed: port is already allocated")))
            };
        }
        for _ in FIRST_DYNAMIC..=u16::MAX {
            let port = self.next;
            self.next = if port == u16::MAX { FIRST_DYNAMIC } else { port + 1 };
            if self.is_free(protocol, port, address) {
                return Ok(port);
            }
        }
        Err(EngineError::PortTaken(format!("all ports from {FIRST_DYNAMIC} to {} are allocated", u16::MAX)))
    }

    fn is_free(&self, protocol: Protocol, port: u16, address: IpAddr) -> bool {
        let clashes = |holder: &IpAddr| *holder == address || holder.is_unspecified() || address.is_unspecified();
        !self.taken.get(&(protocol, port)).is_some_and(|holders| holders.iter().any(clashes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(address: &str, host_port: Option<u16>, protocol: Protocol) -> PortRequest {
        PortRequest { container_port: 80, host_port, protocol, publish_address: address.parse().expect("an address") }
    }

    fn take(ports: &mut Ports, requests: &[PortRequest]) -> Result<Vec<u16>, EngineError> {
        ports.take(requests).map(|published| published.iter().map(|port| port.host_port).collect())
    }

    #[test]
    fn a_port_is_given_once_per_address_and_protocol() {
        let mut ports = Ports::default();
        let local = request("127.0.0.1", Some(80), Protocol::Tcp);
        assert_eq!(take(&mut ports, std::slice::from_ref(&local)), Ok(vec![80]));
        assert_eq!(take(&mut ports, &[request("127.0.0.2", Some(80), Protocol::Tcp)]), Ok(vec![80]));
        assert_eq!(take(&mut ports, &[request("127.0.0.1", Some(80), Protocol::Udp)]), Ok(vec![80]));
        for address in ["127.0.0.1", "0.0.0.0"] {
            let answer = take(&mut ports, &[request(address, Some(80), Protocol::Tcp)]);
            assert!(matches!(answer, Err(EngineError::PortTaken(_))), "{address}");
        }
    }

    #[test]
    fn dynamic_ports_go_round_and_run_out() {
        let mut ports = Ports::default();
        let dynamic = request("0.0.0.0", None, Protocol::Tcp);
        let all = vec![dynamic.clone(); 65_536 - 49_153];
        let given = ports.take(&all).expect("all of them");
        let numbers: Vec<u16> = given.iter().map(|port| port.host_port).collect();
        assert_eq!(numbers, (49_153..=65_535).collect::<Vec<u16>>());
        assert!(matches!(take(&mut ports, std::slice::from_ref(&dynamic)), Err(EngineError::PortTaken(_))));
        ports.give_back(&given[5..6]);
        assert_eq!(take(&mut ports, &[dynamic]), Ok(vec![49_158]));
    }

    #[test]
    fn a_refused_container_holds_no_port() {
        let mut ports = Ports::default();
        let (fixed, dynamic) = (request("0.0.0.0", Some(80), Protocol::Tcp), request("0.0.0.0", None, Protocol::Tcp));
        assert!(take(&mut ports, &[dynamic, fixed.clone(), fixed]).is_err());
        assert!(ports.taken.is_empty());
    }
}
