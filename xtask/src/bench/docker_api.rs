//! The container engine's own API, straight over its socket, and what has to be cleaned up there.

use std::os::unix::net::UnixStream;

use longshore_node::docker::DockerEngine;
use longshore_node::minimal_image;
use longshore_node::ownership::NODE_LABEL;
use serde_json::{Map, Value, json};

use super::http_client::Connection;

/// Label of what the benchmarks make themselves.
const OWN_LABEL: &str = "longshore-bench";

/// A connection to the engine.
#[derive(Debug)]
pub struct DockerApi {
    connection: Connection<UnixStream>,
}

impl DockerApi {
    /// Connects to the socket in `DOCKER_HOST`, else to Docker's usual one.
    ///
    /// # Errors
    /// Nobody listens there.
    pub fn connect() -> Result<Self, String> {
        let host = std::env::var("DOCKER_HOST").unwrap_or_default();
        let path = host.strip_prefix("unix://").unwrap_or("/var/run/docker.sock");
        Ok(Self { connection: Connection::unix(path)? })
    }

    /// Creates a container and starts it; its id. It runs when this returns.
    ///
    /// # Errors
    /// What the engine says.
    pub fn create_and_start(&mut self, name: &str, body: &Value) -> Result<String, String> {
        let created = self.call("POST", &format!("/containers/create?name={name}"), Some(body))?;
        let id = created["Id"].as_str().ok_or("a created container has no id")?.to_owned();
        self.call("POST", &format!("/containers/{id}/start"), None)?;
        Ok(id)
    }

    /// Stops a container.
    ///
    /// # Errors
    /// What the engine says.
    pub fn stop(&mut self, id: &str) -> Result<(), String> {
        self.call("POST", &format!("/containers/{id}/stop?t=10"), None).map(drop)
    }

    /// The body that creates a container like that of a task, labelled as ours.
    ///
    /// # Errors
    /// The task has no container, or what the engine says.
    pub fn body_like(&mut self, task_arn: &str) -> Result<Value, String> {
        let found = self.list("containers/json?all=1&", &format!("com.amazonaws.ecs.task-arn={task_arn}"))?;
        let id = found.iter().find_map(|container| container["Id"].as_str()).ok_or("the task has no container")?;
        let seen = self.call("GET", &format!("/containers/{id}/json"), None)?;
        let mut body = seen["Config"].as_object().cloned().ok_or("a container has no configuration")?;
        body.remove("Hostname");
        // As many labels, none of which a node would know.
        let labels = body.get("Labels").and_then(Value::as_object).into_iter().flatten();
        let mut labels: Map<_, _> = labels.map(|(name, value)| (format!("bench.{name}"), value.clone())).collect();
        labels.insert(OWN_LABEL.to_owned(), json!("1"));
        body.insert("Labels".to_owned(), Value::Object(labels));
        body.insert("HostConfig".to_owned(), seen["HostConfig"].clone());
        Ok(Value::Object(body))
    }

    /// Removes our containers and everything that this node made.
    ///
    /// # Errors
    /// What the engine says.
    pub fn clean_up(&mut self, node_id: &str) -> Result<(), String> {
        let node_label = format!("{NODE_LABEL}={node_id}");
        for label in [OWN_LABEL, &node_label] {
            for container in self.list("containers/json?all=1&", label)? {
                let id = container["Id"].as_str().unwrap_or_default();
                self.call("DELETE", &format!("/containers/{id}?force=1"), None)?;
            }
        }
        for network in self.list("networks?", &node_label)? {
            self.call("DELETE", &format!("/networks/{}", network["Id"].as_str().unwrap_or_default()), None)?;
        }
        Ok(())
    }

    fn list(&mut self, path: &str, label: &str) -> Result<Vec<Value>, String> {
        let filters = json!({ "label": [label] }).to_string();
        let listed = self.call("GET", &format!("/{path}filters={}", percent_encoded(&filters)), None)?;
        Ok(listed.as_array().cloned().unwrap_or_default())
    }

    fn call(&mut self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, String> {
        let body = body.map(Value::to_string).unwrap_or_default();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: docker\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let answer = self.connection.send(request.as_bytes()).and_then(|answer| answer.json());
        answer.map_err(|error| format!("{method} {path}: {error}"))
    }
}

/// Sees to it that the engine has the smallest image there is; its reference.
///
/// # Errors
/// What the engine says.
pub fn ensure_image() -> Result<String, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("cannot start a runtime: {error}"))?;
    runtime.block_on(async {
        let engine = DockerEngine::from_environment().map_err(|error| error.to_string())?;
        minimal_image::ensure(&engine).await.map_err(|error| error.to_string())
    })
}

fn percent_encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_survive_a_query() {
        assert_eq!(percent_encoded(r#"{"a":["b=c"]}"#), "%7B%22a%22%3A%5B%22b%3Dc%22%5D%7D");
    }
}
