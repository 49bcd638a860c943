//! Members of one container that concern nobody else: time limits, restarts, limits of the kernel.
//!
//! What Fargate narrows further stands with Fargate.

use longshore_ecs_wire::shapes::{ContainerDefinition, LinuxParameters};

use super::{check_between, invalid_container_setting, null_or_empty};
use crate::Refusal;
use crate::task_definition::draft::{Draft, filled, items, name_of};

/// Exit codes a restart policy may ignore.
const MOST_IGNORED_EXIT_CODES: usize = 50;

pub(super) fn check_essential(draft: &Draft<'_>) -> Result<(), Refusal> {
    if draft.containers.iter().all(|container| container.essential == Some(false)) {
        return Err(Refusal::client("Task definition doesn't have any essential container."));
    }
    Ok(())
}

pub(super) fn check(draft: &Draft<'_>) -> Result<(), Refusal> {
    if !draft.inference_accelerators.is_empty() {
        return Err(Refusal::client("Unsupported field 'inferenceAccelerators'."));
    }
    for container in draft.containers {
        let name = name_of(container);
        for (setting, timeout) in [("startTimeout", container.start_timeout), ("stopTimeout", container.stop_timeout)] {
            if timeout.is_some_and(|seconds| seconds < 2) {
                return Err(invalid_container_setting(setting, name));
            }
        }
        check_restart_policy(container)?;
        for ulimit in items(&container.ulimits) {
            if is_above(ulimit.soft_limit, ulimit.hard_limit) {
                let limit = ulimit.name.as_ref().map_or("", |name| name.as_str());
                return Err(Refusal::client(format!("Soft limit exceeds hard limit for ulimit {limit}.")));
            }
        }
        if let Some(parameters) = &container.linux_parameters {
            check_linux_parameters(parameters, name)?;
        }
    }
    Ok(())
}

fn check_restart_policy(container: &ContainerDefinition) -> Result<(), Refusal> {
    let Some(policy) = &container.restart_policy else {
        return Ok(());
    };
    if policy.enabled.is_none() {
        return Err(null_or_empty("RestartPolicy.enabled"));
    }
    if items(&policy.ignored_exit_codes).len() > MOST_IGNORED_EXIT_CODES {
        return Err(Refusal::client("ignoredExitCodes can have at most 50 items."));
    }
    check_between("restartAttemptPeriod", name_of(container), policy.restart_attempt_period, 60, 1800)
}

/// `-1` is no limit, which is above every number.
fn is_above(soft: Option<i32>, hard: Option<i32>) -> bool {
    match (soft.unwrap_or_default(), hard.unwrap_or_default()) {
        (_, -1) => false,
        (-1, _) => true,
        (soft, hard) => soft > hard,
    }
}

fn check_linux_parameters(parameters: &LinuxParameters, container: &str) -> Result<(), Refusal> {
    check_between("swappiness", container, parameters.swappiness, 0, 100)?;
    if parameters.max_swap.is_some_and(|swap| swap < 0) {
        return Err(invalid_container_setting("maxSwap", container));
    }
    if parameters.shared_memory_size.is_some_and(|size| size < 1) {
        return Err(invalid_container_setting("sharedMemorySize", container));
    }
    if items(&parameters.devices).iter().any(|device| filled(&device.host_path).is_none()) {
        return Err(null_or_empty("Device.hostPath"));
    }
    for mount in items(&parameters.tmpfs) {
        if filled(&mount.container_path).is_none() {
            return Err(null_or_empty("Tmpfs.containerPath"));
        }
        if mount.size.is_none_or(|size| size < 1) {
            return Err(invalid_container_setting("tmpfs", container));
        }
    }
    Ok(())
}
