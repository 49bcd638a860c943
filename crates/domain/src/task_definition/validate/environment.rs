//! Environment variables, environment files and secrets.
//!
//! Secrets and files are only named here; whether they can be read shows when a task starts.

use std::collections::BTreeSet;

use longshore_ecs_wire::shapes::{ContainerDefinition, Secret};

use super::null_or_empty;
use super::roles::{invalid_arn, is_arn};
use crate::Refusal;
use crate::task_definition::draft::{Draft, filled, items};

/// Environment files a container may have.
const MOST_FILES: usize = 10;

pub(super) fn check(draft: &Draft<'_>) -> Result<(), Refusal> {
    for container in draft.containers {
        if items(&container.environment).iter().any(|variable| filled(&variable.name).is_none()) {
            return Err(blank_variable());
        }
        check_files(container)?;
        check_secrets(container, draft.execution_role_arn.is_some())?;
        if let Some(credentials) = &container.repository_credentials {
            let parameter = filled(&credentials.credentials_parameter)
                .ok_or_else(|| null_or_empty("RepositoryCredentials.credentialsParameter"))?;
            check_arn_or_name(parameter)?;
        }
    }
    Ok(())
}

fn blank_variable() -> Refusal {
    Refusal::client("Environment variable name cannot be null or blank.")
}

fn check_files(container: &ContainerDefinition) -> Result<(), Refusal> {
    let files = items(&container.environment_files);
    if files.len() > MOST_FILES {
        return Err(Refusal::client(
            "The maximum number of environment files was exceeded. Specify ten or less and try again.",
        ));
    }
    for file in files {
        let value = file.value.as_deref().unwrap_or_default();
        if !is_arn(value) {
            return Err(invalid_arn());
        }
        if !value.ends_with(".env") {
            return Err(Refusal::client("Environment files must have the .env file extension."));
        }
    }
    Ok(())
}

fn check_secrets(container: &ContainerDefinition, has_execution_role: bool) -> Result<(), Refusal> {
    let secrets = items(&container.secrets);
    let log_secrets = container.log_configuration.as_ref().map_or(&[][..], |log| items(&log.secret_options));
    let has_secrets = !secrets.is_empty() || !log_secrets.is_empty();
    if has_secrets && !has_execution_role {
        return Err(Refusal::client(
            "When you are specifying container secrets, you must also specify a value for 'executionRoleArn'.",
        ));
    }
    check_secret_list(secrets)?;
    check_secret_list(log_secrets)?;
    for secret in secrets {
        if items(&container.environment).iter().any(|variable| variable.name == secret.name) {
            let name = secret.name.as_deref().unwrap_or_default();
            return Err(Refusal::client(format!(
                "The secret name must be unique and not shared with any new or existing environment variables set on \
                 the container, such as '{name}'."
            )));
        }
    }
    Ok(())
}

fn check_secret_list(secrets: &[Secret]) -> Result<(), Refusal> {
    let mut names = BTreeSet::new();
    for secret in secrets {
        let name = filled(&secret.name).ok_or_else(|| null_or_empty("Secret.name"))?;
        if !names.insert(name) {
            return Err(Refusal::client(format!(
                "Duplicate secret names found: {name}. Each secret name must be unique."
            )));
        }
        check_arn_or_name(filled(&secret.value_from).ok_or_else(|| null_or_empty("Secret.valueFrom"))?)?;
    }
    Ok(())
}

/// A parameter may be given by name; what claims to be an ARN must be one.
fn check_arn_or_name(text: &str) -> Result<(), Refusal> {
    if text.starts_with("arn:") && !is_arn(text) { Err(invalid_arn()) } else { Ok(()) }
}
