//! The messages between the server and its nodes: Amazon's agent protocol (ACS), written by hand.
//!
//! Field names are exactly the agent's, so that the same types serve Amazon's unmodified agent and our own node.
//! Members that are absent on the wire are `None` or empty here and are not written back; members that nobody here
//! knows are ignored on reading. Times called `generatedAt` are epoch milliseconds.

mod acknowledgement;
mod container;
mod docker_config;
mod frame;
mod heartbeat;
mod network_interface;
mod payload;
mod role_credentials;
mod session_end;
mod task;
mod task_manifest;
mod volume;

pub use acknowledgement::{AckRequest, NackRequest};
pub use container::{
    AsmAuthData, Container, ContainerDependency, EcrAuthData, EnvironmentFile, FirelensConfiguration, ManagedAgent,
    MountPoint, PortMapping, RegistryAuthentication, RestartPolicy, Secret, VolumeFrom,
};
pub use docker_config::{ContainerConfig, DockerConfig, HealthCheckConfig, HostConfig, LogConfig, Ulimit};
pub use frame::Frame;
pub use heartbeat::{HeartbeatAckRequest, HeartbeatMessage};
pub use network_interface::{ElasticNetworkInterface, Ipv4Address, Ipv6Address};
pub use payload::PayloadMessage;
pub use role_credentials::{IamRoleCredentials, IamRoleCredentialsAckRequest, IamRoleCredentialsMessage, RoleType};
pub use session_end::{CloseMessage, ErrorMessage, ExceptionMessage};
pub use task::{
    Association, AssociationContent, Attachment, AttachmentProperty, DesiredStatus, ProxyConfiguration, Task,
};
pub use task_manifest::{
    RESTORE_STEP, TaskIdentifier, TaskManifestMessage, TaskStopVerificationAck, TaskStopVerificationMessage,
};
pub use volume::{DockerVolumeConfiguration, EfsAuthorizationConfig, EfsVolumeConfiguration, HostVolume, Volume};

/// For `skip_serializing_if`: members that are false are absent on the wire.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_false(value: &bool) -> bool {
    !*value
}
