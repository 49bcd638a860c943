//! What a simulated container does with its life: the users' knobs.
//!
//! Each is a label `longshore.simulated.<knob>` or an environment variable `LONGSHORE_SIMULATED_<KNOB>`; the label
//! wins. `docs/simulated-engine.md` is their description for users. A knob that does not exist, or a value that
//! cannot be read, makes the creation fail: a test that asks for something must get it.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::engine::{ContainerSpec, EngineError};

const LABEL_PREFIX: &str = "longshore.simulated.";
const VARIABLE_PREFIX: &str = "LONGSHORE_SIMULATED_";

/// Exit code of a process that SIGTERM ended.
const SIGTERM_EXIT: i32 = 143;

/// A container's behaviour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Behaviour {
    /// How long a start takes.
    pub(super) start_delay: Duration,
    /// How long the process runs before it exits by itself; `None`: until it is stopped.
    pub(super) run: Option<Duration>,
    /// The code it exits with by itself.
    pub(super) exit_code: i32,
    /// How long it takes to exit after SIGTERM; `None`: it ignores the signal.
    pub(super) stop_delay: Option<Duration>,
    /// The code it exits with after SIGTERM.
    pub(super) stop_exit_code: i32,
    /// What goes wrong.
    pub(super) failure: Option<Failure>,
}

/// What goes wrong in a container's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// It cannot be created.
    Create,
    /// It cannot be started.
    Start,
    /// The kernel kills it for memory when its run time is over.
    OutOfMemory,
}

impl Behaviour {
    /// Reads the knobs of `spec`.
    ///
    /// # Errors
    ///
    /// [`EngineError::Refused`] naming the knob that does not exist or has no readable value.
    pub(super) fn of(spec: &ContainerSpec) -> Result<Self, EngineError> {
        let knobs = knobs(spec);
        let mut behaviour = Self {
            start_delay: Duration::ZERO,
            run: None,
            exit_code: 0,
            stop_delay: Some(Duration::ZERO),
            stop_exit_code: SIGTERM_EXIT,
            failure: None,
        };
        let mut ends_by_itself = false;
        let mut ignores_sigterm = false;
        for (knob, value) in &knobs {
            match knob.as_str() {
                "start-delay-ms" => behaviour.start_delay = milliseconds(knob, value)?,
                "run-ms" => behaviour.run = Some(milliseconds(knob, value)?),
                "exit-code" => {
                    behaviour.exit_code = number(knob, value)?;
                    ends_by_itself = true;
                }
                "stop-delay-ms" => behaviour.stop_delay = Some(milliseconds(knob, value)?),
                "stop-exit-code" => behaviour.stop_exit_code = number(knob, value)?,
                "ignore-sigterm" => ignores_sigterm = number(knob, value)?,
                "fail" => {
                    behaviour.failure = Some(failure(value)?);
                    ends_by_itself |= behaviour.failure == Some(Failure::OutOfMemory);
                }
                _ => {
                    return Err(EngineError::Refused(format!(
                        "{LABEL_PREFIX}{knob} is not a knob of a simulated container"
                    )));
                }
            }
        }
        if ignores_sigterm {
            behaviour.stop_delay = None;
        }
        if ends_by_itself {
            behaviour.run = behaviour.run.or(Some(Duration::ZERO));
        }
        Ok(behaviour)
    }
}

/// The knobs by name, labels over environment.
fn knobs(spec: &ContainerSpec) -> BTreeMap<String, &str> {
    let variables = spec.environment.iter().filter_map(|(name, value)| {
        let knob = name.strip_prefix(VARIABLE_PREFIX)?.to_ascii_lowercase().replace('_', "-");
        Some((knob, value.as_str()))
    });
    let labels = spec
        .labels
        .iter()
        .filter_map(|(name, value)| Some((name.strip_prefix(LABEL_PREFIX)?.to_owned(), value.as_str())));
    variables.chain(labels).collect()
}

fn milliseconds(knob: &str, value: &str) -> Result<Duration, EngineError> {
    number(knob, value).map(|millis: u32| Duration::from_millis(millis.into()))
}

fn number<T: std::str::FromStr>(knob: &str, value: &str) -> Result<T, EngineError> {
    value.trim().parse().map_err(|_| EngineError::Refused(format!("{LABEL_PREFIX}{knob} cannot be {value:?}")))
}

fn failure(value: &str) -> Result<Failure, EngineError> {
    match value {
        "create" => Ok(Failure::Create),
        "start" => Ok(Failure::Start),
        "oom" => Ok(Failure::OutOfMemory),
        "pull" => Err(EngineError::Refused(format!(
            "{LABEL_PREFIX}fail cannot be \"pull\": an image from pull-fails.invalid/ fails to be pulled"
        ))),
        _ => Err(EngineError::Refused(format!("{LABEL_PREFIX}fail cannot be {value:?}: it is create, start or oom"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn behaviour(labels: &[(&str, &str)], environment: &[(&str, &str)]) -> Result<Behaviour, EngineError> {
        let map = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
        };
        Behaviour::of(&ContainerSpec { labels: map(labels), environment: map(environment), ..ContainerSpec::default() })
    }

    #[test]
    fn without_knobs_it_runs_until_it_is_stopped() {
        let quiet = behaviour(&[("app", "x")], &[("PATH", "/bin")]).expect("readable");
        assert_eq!((quiet.run, quiet.failure), (None, None));
        assert_eq!((quiet.stop_delay, quiet.stop_exit_code), (Some(Duration::ZERO), 143));
    }

    #[test]
    fn a_label_wins_over_the_environment() {
        let both = behaviour(
            &[("longshore.simulated.run-ms", "7")],
            &[("LONGSHORE_SIMULATED_RUN_MS", "8"), ("LONGSHORE_SIMULATED_EXIT_CODE", "3")],
        )
        .expect("readable");
        assert_eq!((both.run, both.exit_code), (Some(Duration::from_millis(7)), 3));
    }

    #[test]
    fn an_exit_code_without_a_run_time_is_an_exit_at_once() {
        let failing = behaviour(&[("longshore.simulated.exit-code", "9")], &[]).expect("readable");
        assert_eq!((failing.run, failing.exit_code), (Some(Duration::ZERO), 9));
        let killed = behaviour(&[("longshore.simulated.fail", "oom")], &[]).expect("readable");
        assert_eq!((killed.run, killed.failure), (Some(Duration::ZERO), Some(Failure::OutOfMemory)));
    }

    #[test]
    fn what_cannot_be_done_is_refused_by_name() {
        for (knob, value) in [("run-ms", "soon"), ("fail", "sometimes"), ("ignore-sigterm", "1"), ("colour", "red")] {
            let label = format!("longshore.simulated.{knob}");
            let answer = behaviour(&[(&label, value)], &[]);
            assert!(matches!(answer, Err(EngineError::Refused(text)) if text.contains(&label)), "{knob}");
        }
    }
}
