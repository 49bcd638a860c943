//! Proof that an engine starts containers, alike for every engine.
//!
//! A wedged engine answers pings and lists while starts hang. The probe therefore creates, starts and removes a
//! container of its own. The name follows from the labels, so what an interrupted probe left behind is met and
//! removed by the next one.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::engine::{ContainerSpec, Engine, EngineError, NetworkMode};
use crate::minimal_image::hex;

/// Creates, starts and removes a container of `reference`.
pub(crate) async fn run(
    engine: &dyn Engine,
    reference: &str,
    labels: &BTreeMap<String, String>,
) -> Result<(), EngineError> {
    let spec = ContainerSpec {
        name: name(labels),
        image: reference.to_owned(),
        labels: labels.clone(),
        cpu_shares: 2,
        network: NetworkMode::None,
        ..ContainerSpec::default()
    };
    let runtime_id = match engine.create(&spec).await {
        Err(EngineError::NameTaken(_)) => {
            engine.remove(&spec.name).await?;
            engine.create(&spec).await?
        }
        other => other?,
    };
    let started = engine.start(&runtime_id).await;
    engine.remove(&runtime_id).await?;
    started
}

fn name(labels: &BTreeMap<String, String>) -> String {
    let mut digest = Sha256::new();
    for (key, value) in labels {
        digest.update(format!("{key}={value}\n"));
    }
    let full = hex(&digest.finalize());
    format!("longshore-probe-{}", full.get(..12).unwrap_or(&full))
}
