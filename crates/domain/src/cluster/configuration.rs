//! `configuration` of a cluster: what it may say of execute-command logging.

use longshore_ecs_wire::shapes::{ClusterConfiguration, ExecuteCommandLogging};

use crate::Refusal;

/// Checks a configuration that a caller gives.
///
/// # Errors
/// InvalidParameterException: an unknown `logging`; a log configuration is there if and only if it is `OVERRIDE`.
pub fn validate(configuration: &ClusterConfiguration) -> Result<(), Refusal> {
    let Some(execute_command) = &configuration.execute_command_configuration else { return Ok(()) };
    let overridden = match &execute_command.logging {
        Some(ExecuteCommandLogging::Unknown(_)) => {
            return Err(Refusal::invalid_parameter("logging should be one of [NONE,DEFAULT,OVERRIDE]"));
        }
        logging => *logging == Some(ExecuteCommandLogging::Override),
    };
    match (overridden, execute_command.log_configuration.is_some()) {
        (true, false) => {
            Err(Refusal::invalid_parameter("logConfiguration must be specified when logging is OVERRIDE."))
        }
        (false, true) => {
            Err(Refusal::invalid_parameter("logConfiguration can only be specified when logging is OVERRIDE."))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use longshore_ecs_wire::shapes::{ExecuteCommandConfiguration, ExecuteCommandLogConfiguration};

    #[test]
    fn logging_and_its_configuration_go_together() {
        let must = Some("logConfiguration must be specified when logging is OVERRIDE.");
        let can_only = Some("logConfiguration can only be specified when logging is OVERRIDE.");
        let unknown = Some("logging should be one of [NONE,DEFAULT,OVERRIDE]");
        for (logging, configured, text) in [
            (None, false, None),
            (Some("NONE"), false, None),
            (Some("DEFAULT"), false, None),
            (Some("OVERRIDE"), true, None),
            (Some("OVERRIDE"), false, must),
            (Some("DEFAULT"), true, can_only),
            (None, true, can_only),
            (Some("none"), false, unknown),
        ] {
            let configuration = ClusterConfiguration {
                execute_command_configuration: Some(ExecuteCommandConfiguration {
                    logging: logging.map(ExecuteCommandLogging::from),
                    log_configuration: configured.then(ExecuteCommandLogConfiguration::default),
                    ..ExecuteCommandConfiguration::default()
                }),
                ..ClusterConfiguration::default()
            };
            let refused = validate(&configuration).err();
            assert_eq!(refused.as_ref().map(|refusal| refusal.message.as_str()), text, "{logging:?} {configured}");
        }
        assert_eq!(validate(&ClusterConfiguration::default()), Ok(()));
    }
}
