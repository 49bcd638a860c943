//! Credentials of a task's roles, inside a payload or renewed on their own. They live in memory only.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One set of temporary credentials.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct IamRoleCredentials {
    /// Unguessable id under which containers fetch them; itself a secret.
    pub credentials_id: String,
    /// ARN of the role.
    pub role_arn: String,
    /// Access key id.
    pub access_key_id: String,
    /// Secret access key.
    pub secret_access_key: String,
    /// Session token.
    pub session_token: String,
    /// End of validity, RFC 3339, passed through.
    pub expiration: String,
    /// Scope, as the server names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential_scope: Option<String>,
}

impl fmt::Debug for IamRoleCredentials {
    /// Shows the role and the expiration, never a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IamRoleCredentials")
            .field("role_arn", &self.role_arn)
            .field("expiration", &self.expiration)
            .finish_non_exhaustive()
    }
}

/// Which of a task's two roles a set belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum RoleType {
    /// The role that the containers act as.
    #[default]
    TaskApplication,
    /// The role that the node acts as for the task (image pulls, logs, secrets).
    TaskExecution,
}

/// Server → node: new credentials for a known task.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct IamRoleCredentialsMessage {
    /// Id that the acknowledgement repeats. Required.
    pub message_id: String,
    /// The task. Required.
    pub task_arn: String,
    /// ARN of the task's cluster.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub task_cluster_arn: String,
    /// Which role.
    pub role_type: RoleType,
    /// The credentials. Required.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_credentials: Option<IamRoleCredentials>,
}

/// Node → server: one set of credentials was taken over.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct IamRoleCredentialsAckRequest {
    /// `messageId` of the message that brought them.
    pub message_id: String,
    /// Which set.
    pub credentials_id: String,
    /// Its end of validity, repeated.
    pub expiration: String,
}
