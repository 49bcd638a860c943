//! What Docker's refusals mean.
//!
//! Docker tells kinds of failure apart by HTTP status and, where the status is not enough, only by its words; both
//! are read here and nowhere else. Docker's own text is kept, because it becomes the reason of a stopped task.

use bollard::errors::Error;

use crate::engine::EngineError;

/// Sorts a failure that can come from any call.
pub(super) fn classify(error: Error) -> EngineError {
    match error {
        Error::DockerResponseServerError { status_code, message } => refusal(status_code, message),
        Error::DockerStreamError { error } => by_text(error),
        Error::HyperLegacyError { .. }
        | Error::HyperResponseError { .. }
        | Error::IOError { .. }
        | Error::SocketNotFoundError(_)
        | Error::RequestTimeoutError => EngineError::Unreachable(with_causes(&error)),
        other => EngineError::Refused(with_causes(&other)),
    }
}

/// Sorts a failure of creating a container: only there does a conflict mean that the name is taken. Podman up to 4
/// answers it with status 500.
pub(super) fn classify_create(error: Error) -> EngineError {
    match error {
        Error::DockerResponseServerError { status_code, message }
            if status_code == 409 || message.contains("name is already in use") =>
        {
            EngineError::NameTaken(message)
        }
        other => classify(other),
    }
}

/// Whether the thing is there already.
pub(super) fn is_there_already(error: &Error) -> bool {
    match error {
        Error::DockerResponseServerError { status_code, message } => {
            *status_code == 409 || message.contains("already exists")
        }
        _ => false,
    }
}

/// Whether the engine said that the thing does not exist.
pub(super) fn is_not_found(error: &Error) -> bool {
    matches!(error, Error::DockerResponseServerError { status_code: 404, .. })
}

/// Whether several things have the name.
pub(super) fn is_ambiguous(error: &Error) -> bool {
    matches!(error, Error::DockerResponseServerError { message, .. } if message.contains("ambiguous"))
}

/// Whether the engine is busy with the same thing already.
pub(super) fn is_in_progress(error: &Error) -> bool {
    matches!(error, Error::DockerResponseServerError { status_code: 409, message } if message.contains("in progress"))
}

fn refusal(status_code: u16, message: String) -> EngineError {
    let message = message.trim_end().to_owned();
    if status_code == 404 || message.ends_with("network not found") {
        return EngineError::NotFound(message);
    }
    if message.is_empty() {
        return EngineError::Refused(format!("the engine answered with status {status_code}"));
    }
    by_text(message)
}

fn by_text(message: String) -> EngineError {
    let port_taken = ["port is already allocated", "address already in use", "all ports are allocated"];
    if port_taken.iter().any(|text| message.contains(text)) {
        EngineError::PortTaken(message)
    } else {
        EngineError::Refused(message)
    }
}

/// The error's text with those of its causes that it does not repeat.
fn with_causes(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(next) = cause {
        let words = next.to_string();
        if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
        cause = next.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status_code: u16, message: &str) -> Error {
        Error::DockerResponseServerError { status_code, message: message.into() }
    }

    #[test]
    fn a_conflict_is_a_taken_name_only_at_create() {
        let conflict = "Conflict. The container name \"/a\" is already in use by container \"b\".";
        assert_eq!(classify_create(answer(409, conflict)), EngineError::NameTaken(conflict.into()));
        assert_eq!(classify(answer(409, "removal in progress")), EngineError::Refused("removal in progress".into()));
        let podman = "creating container storage: the container name \"a\" is in use by b: that name is already in use";
        assert_eq!(classify_create(answer(500, podman)), EngineError::NameTaken(podman.into()));
        let missing = "No such image: a:1";
        assert_eq!(classify_create(answer(404, missing)), EngineError::NotFound(missing.into()));
    }

    #[test]
    fn taken_ports_are_recognised_by_dockers_words() {
        for text in [
            "driver failed programming external connectivity on endpoint a: Bind for 127.0.0.1:80 failed: port is already allocated",
            "Error starting userland proxy: listen tcp4 127.0.0.1:80: bind: address already in use",
        ] {
            assert_eq!(classify(answer(500, text)), EngineError::PortTaken(text.into()));
        }
        assert_eq!(classify(answer(500, "no space left")), EngineError::Refused("no space left".into()));
        assert_eq!(classify(answer(502, "")), EngineError::Refused("the engine answered with status 502".into()));
    }

    #[test]
    fn a_broken_connection_is_told_with_its_cause() {
        let broken = std::io::Error::new(std::io::ErrorKind::BrokenPipe, "pipe gone");
        assert_eq!(classify(Error::from(broken)), EngineError::Unreachable("pipe gone".into()));
    }
}
