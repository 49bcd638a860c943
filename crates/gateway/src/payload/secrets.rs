//! What a node fetches from elsewhere for a container: secrets, secret log options, credentials of a registry.

use longshore_domain::Scope;
use longshore_ecs_wire::agent;
use longshore_ecs_wire::shapes::{self, ContainerDefinition};

/// The container's secrets, and those of its log driver.
pub(super) fn of_container(scope: &Scope, definition: &ContainerDefinition) -> Vec<agent::Secret> {
    let own = definition.secrets.iter().flatten().map(|given| secret(scope, given, "CONTAINER"));
    let options = definition.log_configuration.as_ref().and_then(|log| log.secret_options.as_ref());
    own.chain(options.into_iter().flatten().map(|given| secret(scope, given, "LOG_DRIVER"))).collect()
}

/// The credentials of a private registry.
pub(super) fn registry(scope: &Scope, definition: &ContainerDefinition) -> Option<agent::RegistryAuthentication> {
    let shapes::RepositoryCredentials { credentials_parameter } = definition.repository_credentials.as_ref()?;
    let parameter = credentials_parameter.clone().unwrap_or_default();
    Some(agent::RegistryAuthentication {
        kind: "asm".into(),
        ecr_auth_data: None,
        asm_auth_data: Some(agent::AsmAuthData {
            region: Some(region(scope, &parameter)),
            credentials_parameter: parameter,
        }),
    })
}

fn secret(scope: &Scope, given: &shapes::Secret, target: &str) -> agent::Secret {
    let shapes::Secret { name, value_from } = given;
    let value_from = value_from.clone().unwrap_or_default();
    // A bare name is a parameter of SSM.
    let provider = if value_from.split(':').nth(2) == Some("secretsmanager") { "asm" } else { "ssm" };
    agent::Secret {
        name: name.clone().unwrap_or_default(),
        region: Some(region(scope, &value_from)),
        provider: Some(provider.into()),
        kind: Some("ENVIRONMENT_VARIABLE".into()),
        target: Some(target.into()),
        container_path: None,
        value_from,
    }
}

/// The region that an ARN names; a bare name is kept in the task's own region.
fn region(scope: &Scope, value_from: &str) -> String {
    let named = value_from.strip_prefix("arn:").and_then(|rest| rest.split(':').nth(2));
    named.filter(|region| !region.is_empty()).unwrap_or(&scope.region).to_owned()
}
