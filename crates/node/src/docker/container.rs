//! Containers: create, start, stop, remove, inspect, list.
//!
//! Each method of the trait is one call to Docker, except `list`, whose answer lacks exit codes and times, so that
//! each container found is inspected, and a `start` that meets taken ports.

use bollard::query_parameters::{
    CreateContainerOptions, RemoveContainerOptions, StartContainerOptions, StopContainerOptions, WaitContainerOptions,
};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::json;

use super::answer::{Inspected, Listed};
use super::connect::Connection;
use super::errors::{classify, classify_create, is_in_progress, is_not_found};
use super::spec::{DYNAMIC_PORTS, create_body};
use crate::engine::{ContainerSpec, EngineError, Observed};
use crate::minimal_image::hex;
use crate::reference::checked_name;

/// How often a start is tried while other processes hold the dynamic ports that Docker picks.
const START_ATTEMPTS: u32 = 16;

/// Inspections that `list` has under way at once.
const INSPECTIONS: usize = 8;

/// Creates a container. Podman takes no range of ports, and picks from its own.
pub(super) async fn create(engine: &Connection, spec: &ContainerSpec) -> Result<String, EngineError> {
    match create_with(engine, spec, DYNAMIC_PORTS).await {
        Err(EngineError::Refused(text)) if text.contains(DYNAMIC_PORTS) => create_with(engine, spec, "").await,
        other => other,
    }
}

async fn create_with(engine: &Connection, spec: &ContainerSpec, dynamic_ports: &str) -> Result<String, EngineError> {
    let name = checked_name("container", &spec.name)?;
    let options = CreateContainerOptions { name: Some(name.to_owned()), ..CreateContainerOptions::default() };
    let body = create_body(spec, dynamic_ports)?;
    let created = engine.docker.create_container(Some(options), body).await.map_err(classify_create)?;
    Ok(created.id)
}

/// Starts a container. Docker up to 27 does not look whether another process holds the dynamic port that it picked, and
/// fails; it picks the next one when asked again.
pub(super) async fn start(engine: &Connection, runtime_id: &str) -> Result<(), EngineError> {
    let id = checked_name("container", runtime_id)?;
    let mut attempts = 1;
    loop {
        let answer = engine.docker.start_container(id, None::<StartContainerOptions>).await.map_err(classify);
        let Err(EngineError::PortTaken(text)) = answer else { return answer };
        if attempts == START_ATTEMPTS || !is_dynamic(engine, id, &text).await? {
            return Err(EngineError::PortTaken(text));
        }
        attempts += 1;
    }
}

/// Whether the port that Docker complains about is one that it picked itself.
async fn is_dynamic(engine: &Connection, id: &str, complaint: &str) -> Result<bool, EngineError> {
    let found = look_at(engine, id).await?;
    let mut ports = found.requested_ports().peekable();
    Ok(ports.peek().is_some() && !ports.any(|port| names_port(complaint, port)))
}

async fn look_at(engine: &Connection, id: &str) -> Result<Inspected, EngineError> {
    engine.get(&format!("/containers/{id}/json")).await.map_err(classify)
}

/// Whether `text` has `:port` as a whole number.
fn names_port(text: &str, port: &str) -> bool {
    let pattern = format!(":{port}");
    let ends =
        |at: usize| !text.get(at + pattern.len()..).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    text.match_indices(&pattern).any(|(at, _)| ends(at))
}

pub(super) async fn stop(engine: &Connection, runtime_id: &str, timeout_seconds: u32) -> Result<(), EngineError> {
    let id = checked_name("container", runtime_id)?;
    let seconds = i32::try_from(timeout_seconds).unwrap_or(i32::MAX);
    let options = StopContainerOptions { t: Some(seconds), ..StopContainerOptions::default() };
    engine.docker.stop_container(id, Some(options)).await.map_err(classify)
}

pub(super) async fn remove(engine: &Connection, runtime_id: &str) -> Result<(), EngineError> {
    let Ok(id) = checked_name("container", runtime_id) else { return Ok(()) };
    let options = RemoveContainerOptions { v: true, force: true, ..RemoveContainerOptions::default() };
    match engine.docker.remove_container(id, Some(options)).await {
        Err(error) if is_in_progress(&error) => removed(engine, id).await,
        Err(error) if !is_not_found(&error) => Err(classify(error)),
        _ => Ok(()),
    }
}

/// Waits until somebody else's removal is done.
async fn removed(engine: &Connection, id: &str) -> Result<(), EngineError> {
    let options = WaitContainerOptions { condition: "removed".into() };
    let mut waiting = std::pin::pin!(engine.docker.wait_container(id, Some(options)));
    match waiting.next().await {
        Some(Err(error @ bollard::errors::Error::DockerResponseServerError { .. })) if !is_not_found(&error) => {
            Err(classify(error))
        }
        _ => Ok(()),
    }
}

pub(super) async fn inspect(engine: &Connection, id_or_name: &str) -> Result<Observed, EngineError> {
    let id = checked_name("container", id_or_name)?;
    look_at(engine, id).await.map(Inspected::observed)
}

pub(super) async fn list(engine: &Connection, key: &str, value: &str) -> Result<Vec<Observed>, EngineError> {
    let filters = json!({"label": [format!("{key}={value}")]}).to_string();
    let path = format!("/containers/json?all=true&filters={}", query_encoded(&filters));
    let found: Vec<Listed> = engine.get(&path).await.map_err(classify)?;
    let inspections = found.into_iter().map(|listed| async move {
        match inspect(engine, &listed.id).await {
            Err(EngineError::NotFound(_)) => Ok(None),
            other => other.map(Some),
        }
    });
    let all: Vec<Option<Observed>> = stream::iter(inspections).buffered(INSPECTIONS).try_collect().await?;
    Ok(all.into_iter().flatten().collect())
}

/// `text` as a value in the query of an address.
fn query_encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() {
            encoded.push(byte.into());
        } else {
            encoded.push('%');
            encoded.push_str(&hex(&[byte]));
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_label_breaks_out_of_the_query() {
        assert_eq!(query_encoded("a&b=c d\"é"), "a%26b%3dc%20d%22%c3%a9");
    }

    #[test]
    fn a_port_in_a_complaint_is_found_whole() {
        let text = "Error starting userland proxy: listen tcp4 127.0.0.1:49158: bind: address already in use";
        assert!(names_port(text, "49158"));
        assert!(!names_port(text, "4915"));
        assert!(!names_port(text, "49153-65535"));
        assert!(names_port("Bind for 0.0.0.0:80", "80"));
    }
}
