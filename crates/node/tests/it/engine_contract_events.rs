//! What every engine promises about its event stream.

use longshore_node::engine::EngineEvent;
use tokio::sync::mpsc::Receiver;
use tokio::time::timeout;

use crate::rig::{NODE_LABEL, PATIENCE, Program, Rig};

/// The next event.
pub async fn next(events: &mut Receiver<EngineEvent>) -> EngineEvent {
    timeout(PATIENCE, events.recv()).await.expect("an event in time").expect("the stream goes on")
}

/// Reads up to an event of this container.
async fn seen(events: &mut Receiver<EngineEvent>, id: &str) -> Vec<EngineEvent> {
    let mut before = Vec::new();
    loop {
        let event = next(events).await;
        if matches!(&event, EngineEvent::Container { runtime_id, .. } if runtime_id == id) {
            return before;
        }
        before.push(event);
    }
}

pub async fn every_change_of_ones_own_containers_is_told(rig: &Rig) {
    let mut events = rig.engine.events(NODE_LABEL, &rig.node);
    assert_eq!(next(&mut events).await, EngineEvent::Resync);

    let mut spec = rig.spec("foreign", Program::RunsUntilStopped);
    spec.labels.insert(NODE_LABEL.into(), format!("{}-foreign", rig.node));
    let foreign = rig.run(&spec).await;
    rig.engine.remove(&foreign).await.expect("removed");

    let id = rig.engine.create(&rig.spec("own", Program::RunsUntilStopped)).await.expect("created");
    let name = rig.name("own");
    assert_eq!(next(&mut events).await, EngineEvent::Container { runtime_id: id.clone(), name });
    rig.engine.start(&id).await.expect("started");
    assert_eq!(seen(&mut events, &id).await, []);
    rig.engine.stop(&id, 30).await.expect("stopped");
    assert_eq!(seen(&mut events, &id).await, []);
}

pub async fn an_end_is_told_without_a_question(rig: &Rig) {
    let mut events = rig.engine.events(NODE_LABEL, &rig.node);
    assert_eq!(next(&mut events).await, EngineEvent::Resync);
    let id = rig.run(&rig.spec("ends", Program::Exits(3))).await;
    // Looks only when told to, as the runner does.
    loop {
        seen(&mut events, &id).await;
        if rig.inspect(&id).await.exit_code == Some(3) {
            return;
        }
    }
}
