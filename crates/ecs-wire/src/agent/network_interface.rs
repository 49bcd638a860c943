//! The network interface of an awsvpc task.

use serde::{Deserialize, Serialize};

/// A network interface to move into a task's network namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ElasticNetworkInterface {
    /// ARN of the attachment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attachment_arn: Option<String>,
    /// Id of the interface (`eni-…`). Required.
    pub ec2_id: String,
    /// MAC address. Required.
    pub mac_address: String,
    /// Position among the task's interfaces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<i64>,
    /// IPv4 addresses. Required.
    pub ipv4_addresses: Vec<Ipv4Address>,
    /// IPv6 addresses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ipv6_addresses: Vec<Ipv6Address>,
    /// Gateway with the prefix length of the subnet, e.g. `10.0.0.1/24`. Required.
    pub subnet_gateway_ipv4_address: String,
    /// IPv6 gateway with prefix length.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subnet_gateway_ipv6_address: Option<String>,
    /// DNS servers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub domain_name_servers: Vec<String>,
    /// DNS search domains.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub domain_name: Vec<String>,
    /// Name of the primary address; becomes the containers' host name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub private_dns_name: Option<String>,
    /// `default` or `vlan`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interface_association_protocol: Option<String>,
    /// Device name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// An IPv4 address of an interface.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Ipv4Address {
    /// The address.
    pub private_address: String,
    /// Whether it is the primary one.
    pub primary: bool,
}

/// An IPv6 address of an interface.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Ipv6Address {
    /// The address.
    pub address: String,
    /// Whether it is the primary one.
    pub primary: bool,
}
