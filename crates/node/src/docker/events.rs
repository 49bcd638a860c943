//! The stream of container events.
//!
//! One task per reader follows `/events` over a connection of its own. Docker keeps no history worth relying on, so
//! after every gap, the one before the first connection included, the reader is told to look at everything. It is
//! told once the engine has answered: from then on nothing is missed.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bollard::models::EventMessage;
use bollard::query_parameters::EventsOptions;
use futures_util::StreamExt;
use tokio::sync::Notify;
use tokio::sync::mpsc::Receiver;
use tokio::time::{Instant, sleep};
use tracing::{info, warn};

use super::connect::Connection;
use super::endpoint::Endpoint;
use super::errors::classify;
use crate::engine::EngineEvent;
use crate::event_sender::EventSender;

/// The wait before the first new attempt; it doubles with each.
const FIRST_WAIT: Duration = Duration::from_millis(100);
/// The longest wait between attempts.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// How long the engine may take to begin the stream.
const ANSWER_DEADLINE: Duration = Duration::from_secs(30);
/// A connection that held this long makes the next wait short again.
const STEADY: Duration = Duration::from_secs(30);

/// Begins to follow the events of containers with label `key=value`. Needs a tokio runtime.
pub(super) fn follow(endpoint: Endpoint, key: &str, value: &str) -> Receiver<EngineEvent> {
    let (sender, receiver) = EventSender::new();
    let label = format!("{key}={value}");
    tokio::spawn(async move {
        tokio::select! {
            () = sender.closed() => {}
            () = reconnect(&endpoint, &label, &sender) => {}
        }
    });
    receiver
}

async fn reconnect(endpoint: &Endpoint, label: &str, sender: &EventSender) {
    let mut wait = FIRST_WAIT;
    let mut said = false;
    loop {
        let begun = Instant::now();
        let end = connection(endpoint, label, sender).await;
        if begun.elapsed() >= STEADY {
            wait = FIRST_WAIT;
        }
        if end.answered || !said {
            warn!(%endpoint, reason = end.reason, "no events from the engine: trying again until there are");
            said = true;
        }
        sleep(wait).await;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

/// How a connection ended.
struct End {
    /// Whether the engine had answered on it.
    answered: bool,
    reason: String,
}

/// Reads one connection to its end.
async fn connection(endpoint: &Endpoint, label: &str, sender: &EventSender) -> End {
    let answered = Arc::new(Notify::new());
    let engine = match Connection::new(endpoint, Some(Arc::clone(&answered))) {
        Ok(engine) => engine,
        Err(error) => return End { answered: false, reason: error.to_string() },
    };
    let mut events = std::pin::pin!(engine.docker.events(Some(options(label))));
    let mut patience = std::pin::pin!(sleep(ANSWER_DEADLINE));
    let mut synchronised = false;
    let reason = loop {
        tokio::select! {
            () = answered.notified(), if !synchronised => {
                synchronised = true;
                info!(%endpoint, "following the engine's events");
                sender.send(EngineEvent::Resync);
            }
            () = &mut patience, if !synchronised => {
                break format!("no answer within {} s", ANSWER_DEADLINE.as_secs());
            }
            item = events.next() => match item {
                None => break "closed by the engine".into(),
                Some(Err(error)) => break classify(error).to_string(),
                Some(Ok(event)) => {
                    if let Some(event) = change(event) {
                        sender.send(event);
                    }
                }
            }
        }
    };
    End { answered: synchronised, reason }
}

fn options(label: &str) -> EventsOptions {
    let filters = HashMap::from([
        ("type".to_owned(), vec!["container".to_owned()]),
        ("label".to_owned(), vec![label.to_owned()]),
    ]);
    EventsOptions { filters: Some(filters), ..EventsOptions::default() }
}

/// The event as the runner needs it; `None` for what changes nothing, such as an exec or an attach.
fn change(event: EventMessage) -> Option<EngineEvent> {
    let action = event.action.unwrap_or_default();
    let idle = ["exec_", "attach", "detach", "top", "resize", "export", "copy", "archive-path", "extract-to-dir"];
    if idle.iter().any(|prefix| action.starts_with(prefix)) {
        return None;
    }
    let actor = event.actor?;
    let name = actor.attributes.and_then(|mut attributes| attributes.remove("name")).unwrap_or_default();
    Some(EngineEvent::Container { runtime_id: actor.id?, name })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read_change(action: &str) -> Option<EngineEvent> {
        let event = json!({
            "Type": "container", "Action": action,
            "Actor": {"ID": "ab", "Attributes": {"name": "n", "image": "a:1"}},
        });
        change(serde_json::from_value(event).expect("an event"))
    }

    #[test]
    fn only_what_changes_a_container_is_told() {
        for action in ["create", "start", "die", "oom", "destroy", "stop", "kill", "health_status: healthy"] {
            let expected = EngineEvent::Container { runtime_id: "ab".into(), name: "n".into() };
            assert_eq!(read_change(action), Some(expected), "{action}");
        }
        for action in ["exec_create: sh", "exec_die", "attach", "top", "resize"] {
            assert_eq!(read_change(action), None, "{action}");
        }
    }
}
