//! Log configurations: what the drivers awslogs and awsfirelens need.
//!
//! Options of the other drivers are the engine's to judge.

use longshore_ecs_wire::shapes::{ContainerDefinition, FirelensConfiguration, LogDriver};

use super::null_or_empty;
use super::roles::{invalid_arn, is_arn};
use crate::Refusal;
use crate::task_definition::draft::Draft;

/// What awslogs cannot do without, in the order Amazon lists it.
const AWSLOGS_REQUIRES: &[&str] = &["awslogs-region", "awslogs-group"];

/// Everything the driver awslogs knows besides: Amazon's options and the engine's.
const AWSLOGS_KNOWS: &[&str] = &[
    "awslogs-create-group",
    "awslogs-create-stream",
    "awslogs-credentials-endpoint",
    "awslogs-datetime-format",
    "awslogs-endpoint",
    "awslogs-force-flush-interval-seconds",
    "awslogs-format",
    "awslogs-max-buffered-events",
    "awslogs-multiline-pattern",
    "awslogs-stream",
    "awslogs-stream-prefix",
    "max-buffer-size",
    "mode",
    "tag",
];

pub(super) fn check(draft: &Draft<'_>) -> Result<(), Refusal> {
    let has_router = draft.containers.iter().any(|container| container.firelens_configuration.is_some());
    for container in draft.containers {
        check_driver(container, has_router)?;
        if let Some(router) = &container.firelens_configuration {
            check_router(router)?;
        }
    }
    Ok(())
}

fn check_driver(container: &ContainerDefinition, has_router: bool) -> Result<(), Refusal> {
    let Some(log) = &container.log_configuration else {
        return Ok(());
    };
    match log.log_driver.as_ref() {
        None => Err(null_or_empty("LogConfiguration.logDriver")),
        Some(driver) if driver.as_str().trim().is_empty() => Err(null_or_empty("LogConfiguration.logDriver")),
        Some(LogDriver::Awslogs) => {
            let given: Vec<&str> = log.options.iter().flatten().map(|(option, _)| option.as_str()).collect();
            check_awslogs(&given)
        }
        Some(LogDriver::Awsfirelens) if !has_router => Err(Refusal::client(
            "When awsfirelens log driver is specified in log configuration, a firelens configuration object must be \
             specified.",
        )),
        Some(_) => Ok(()),
    }
}

fn check_awslogs(given: &[&str]) -> Result<(), Refusal> {
    let missing: Vec<&str> = AWSLOGS_REQUIRES.iter().copied().filter(|option| !given.contains(option)).collect();
    if !missing.is_empty() {
        return Err(Refusal::client(format!("Log driver awslogs requires options: {}", missing.join(", "))));
    }
    let known = |option: &&str| AWSLOGS_REQUIRES.contains(option) || AWSLOGS_KNOWS.contains(option);
    let unknown: Vec<&str> = given.iter().copied().filter(|option| !known(option)).collect();
    if unknown.is_empty() {
        return Ok(());
    }
    Err(Refusal::client(format!("Log driver awslogs disallows options: {}", unknown.join(", "))))
}

/// A configuration file in S3 is named by ARN, not by `s3://`.
fn check_router(router: &FirelensConfiguration) -> Result<(), Refusal> {
    let option = |name: &str| router.options.as_ref().and_then(|options| options.get(name)).map(String::as_str);
    if option("config-file-type") == Some("s3") && !option("config-file-value").is_some_and(is_arn) {
        return Err(invalid_arn());
    }
    Ok(())
}
