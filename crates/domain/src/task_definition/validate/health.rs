//! Health checks: a command and four bounded numbers.
//!
//! A command that begins with neither `CMD` nor `CMD-SHELL` is accepted, as Amazon accepts it against its own
//! documentation (github.com/aws/aws-cdk issue 34389).

use super::{check_between, null_or_empty};
use crate::Refusal;
use crate::task_definition::draft::{Draft, items, name_of};

pub(super) fn check(draft: &Draft<'_>) -> Result<(), Refusal> {
    for container in draft.containers {
        let Some(check) = &container.health_check else {
            continue;
        };
        if items(&check.command).is_empty() {
            return Err(null_or_empty("HealthCheck.command"));
        }
        let name = name_of(container);
        check_between("healthCheck.interval", name, check.interval, 5, 300)?;
        check_between("healthCheck.timeout", name, check.timeout, 2, 60)?;
        check_between("healthCheck.retries", name, check.retries, 1, 10)?;
        check_between("healthCheck.startPeriod", name, check.start_period, 0, 300)?;
    }
    Ok(())
}
