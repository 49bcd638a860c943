//! A network configuration belongs to awsvpc and to nothing else.
//!
//! Whether subnets and groups exist is not known here: Longshore has no VPC, and takes any names.

use longshore_ecs_wire::shapes::{NetworkConfiguration, TaskDefinition};

use crate::Refusal;
use crate::task_definition::draft::{items, mode_name};

/// Subnets and security groups a configuration may name (source: the API model).
const MOST_SUBNETS: usize = 16;
const MOST_SECURITY_GROUPS: usize = 5;

/// Whether the definition's network mode goes with the configuration a run gives.
///
/// # Errors
/// InvalidParameterException: the configuration is missing, out of place, or names no subnet.
pub fn check_network_configuration(
    definition: &TaskDefinition,
    configuration: Option<&NetworkConfiguration>,
) -> Result<(), Refusal> {
    let given = configuration.and_then(|configuration| configuration.awsvpc_configuration.as_ref());
    match (mode_name(definition.network_mode.as_ref()), given) {
        ("awsvpc", None) => Err(Refusal::invalid_parameter(
            "Network Configuration must be provided when networkMode 'awsvpc' is specified.",
        )),
        ("awsvpc", Some(given)) => {
            let subnets = items(&given.subnets);
            if subnets.is_empty() {
                return Err(Refusal::invalid_parameter("subnets can not be empty."));
            }
            if subnets.len() > MOST_SUBNETS {
                return Err(Refusal::invalid_parameter("subnets can have at most 16 items."));
            }
            if items(&given.security_groups).len() > MOST_SECURITY_GROUPS {
                return Err(Refusal::invalid_parameter("securityGroups can have at most 5 items."));
            }
            Ok(())
        }
        (_, Some(_)) => Err(Refusal::invalid_parameter(
            "Network Configuration is not valid for the given networkMode of this task definition.",
        )),
        (_, None) => Ok(()),
    }
}
