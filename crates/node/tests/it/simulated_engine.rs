//! The contract, kept by the engine `simulated`, and what its users are promised on top.

use std::time::Duration;

use longshore_node::engine::{ContainerPhase, ContainerSpec, Engine, EngineError, NetworkMode};
use longshore_node::simulated::SimulatedEngine;
use tokio::time::Instant;

use crate::engine_contract::contract;
use crate::rig::Rig;

contract! { Rig::simulated();
    engine_contract::{
        a_container_goes_through_its_life,
        exit_codes_are_the_processes_own,
        what_ignores_sigterm_is_killed,
        memory_beyond_the_limit_is_told,
        what_cannot_start_says_why,
        a_name_is_given_once,
        an_exited_container_starts_again,
        a_running_container_is_removed_by_force,
        only_ones_own_are_listed,
        unknown_containers_are_not_found,
        a_container_without_an_image_is_not_created,
    },
    engine_contract_network::{
        a_fixed_port_is_held_by_one,
        dynamic_ports_differ,
        a_bridge_gives_each_container_an_address,
        a_network_is_made_once_however_many_ask,
        networks_go_once_unused,
        a_missing_network_is_named,
        host_and_none_have_no_address_of_their_own,
    },
    engine_contract_images::{
        an_imported_image_runs_and_has_no_registry_digest,
        a_failed_pull_says_why,
        a_probe_proves_that_containers_start_and_leaves_none,
    },
    engine_contract_events::{
        every_change_of_ones_own_containers_is_told,
        an_end_is_told_without_a_question,
    },
}

const IMAGE: &str = "anything:1";

async fn engine() -> SimulatedEngine {
    let engine = SimulatedEngine::new();
    engine.pull(IMAGE, &|_| {}).await.expect("pulls succeed");
    engine.ensure_network("bridge", &[].into()).await.expect("a network");
    engine
}

fn spec(name: &str, knobs: &[(&str, &str)]) -> ContainerSpec {
    ContainerSpec {
        name: name.into(),
        image: IMAGE.into(),
        labels: knobs
            .iter()
            .map(|(knob, value)| (format!("longshore.simulated.{knob}"), (*value).to_owned()))
            .collect(),
        network: NetworkMode::Bridge("bridge".into()),
        ..ContainerSpec::default()
    }
}

async fn run(engine: &SimulatedEngine, spec: &ContainerSpec) -> String {
    let id = engine.create(spec).await.expect("created");
    engine.start(&id).await.expect("started");
    id
}

async fn state(engine: &SimulatedEngine, id: &str) -> (ContainerPhase, Option<i32>) {
    let observed = engine.inspect(id).await.expect("inspected");
    (observed.phase, observed.exit_code)
}

#[tokio::test(start_paused = true)]
async fn time_passes_as_the_knobs_say() {
    let engine = engine().await;
    let begun = Instant::now();
    let id = run(&engine, &spec("a", &[("start-delay-ms", "1500"), ("run-ms", "60000"), ("exit-code", "4")])).await;
    assert_eq!(begun.elapsed(), Duration::from_millis(1500));
    tokio::time::sleep(Duration::from_millis(59_990)).await;
    assert_eq!(state(&engine, &id).await, (ContainerPhase::Running, None));
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(state(&engine, &id).await, (ContainerPhase::Exited, Some(4)));
    let observed = engine.inspect(&id).await.expect("inspected");
    let ran = observed.finished_at.zip(observed.started_at).map(|(end, start)| end.millis_since(start));
    assert!(ran.is_some_and(|ran| (59_999..=60_002).contains(&ran)), "{ran:?}");
}

#[tokio::test(start_paused = true)]
async fn a_shorter_life_planned_later_ends_first() {
    let engine = engine().await;
    let long = run(&engine, &spec("long", &[("run-ms", "3600000")])).await;
    tokio::time::sleep(Duration::from_millis(10)).await;
    let short = run(&engine, &spec("short", &[("run-ms", "1000")])).await;
    tokio::time::sleep(Duration::from_millis(1010)).await;
    assert_eq!(state(&engine, &short).await, (ContainerPhase::Exited, Some(0)));
    assert_eq!(state(&engine, &long).await, (ContainerPhase::Running, None));
}

#[tokio::test(start_paused = true)]
async fn stopping_takes_the_time_that_the_process_takes() {
    let engine = engine().await;
    for (knobs, seconds, code) in [
        (&[("stop-delay-ms", "5000"), ("stop-exit-code", "0")][..], 5, 0),
        (&[("stop-delay-ms", "40000")], 30, 137),
        (&[("ignore-sigterm", "true")], 30, 137),
        (&[("ignore-sigterm", "true"), ("run-ms", "7000"), ("exit-code", "6")], 7, 6),
    ] {
        let id = run(&engine, &spec("stopping", knobs)).await;
        let begun = Instant::now();
        engine.stop(&id, 30).await.expect("stopped");
        assert_eq!(begun.elapsed().as_secs(), seconds, "{knobs:?}");
        assert_eq!(state(&engine, &id).await, (ContainerPhase::Exited, Some(code)), "{knobs:?}");
        engine.remove(&id).await.expect("removed");
    }
}

#[tokio::test(start_paused = true)]
async fn an_end_planned_for_an_earlier_life_does_not_end_a_later_one() {
    let engine = engine().await;
    let first = run(&engine, &spec("same", &[("run-ms", "1000")])).await;
    engine.remove(&first).await.expect("removed");
    let second = run(&engine, &spec("same", &[])).await;
    assert_eq!(first, second, "ids follow from names");
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(state(&engine, &second).await, (ContainerPhase::Running, None));
}

#[tokio::test]
async fn failures_come_where_they_were_ordered() {
    let engine = engine().await;
    let refused = engine.create(&spec("a", &[("fail", "create")])).await;
    assert!(matches!(refused, Err(EngineError::Refused(_))), "{refused:?}");
    let unknown = engine.create(&spec("a", &[("explode", "now")])).await;
    assert!(matches!(unknown, Err(EngineError::Refused(text)) if text.contains("longshore.simulated.explode")));
}

#[tokio::test(start_paused = true)]
async fn a_slow_registry_takes_its_time() {
    let engine = SimulatedEngine::new();
    let begun = Instant::now();
    let image = engine.pull("pull-takes-2500ms.invalid/a", &|_| {}).await.expect("pulled");
    assert_eq!(begun.elapsed(), Duration::from_millis(2500));
    assert!(image.repository_digest.is_some());
    assert_eq!(engine.image("pull-takes-2500ms.invalid/a:latest").await, Ok(Some(image)));
}

#[tokio::test(start_paused = true)]
async fn fifty_thousand_containers_live_and_end() {
    let engine = engine().await;
    let own = |number: usize, knobs: &[(&str, &str)]| {
        let mut spec = spec(&format!("c{number}"), knobs);
        spec.labels.insert("longshore.node".into(), "n".into());
        spec
    };
    for number in 0..50_000 {
        run(&engine, &own(number, if number % 2 == 0 { &[("run-ms", "60000")] } else { &[] })).await;
    }
    tokio::time::sleep(Duration::from_secs(61)).await;
    let listed = engine.list("longshore.node", "n").await.expect("listed");
    let running = listed.iter().filter(|container| container.phase == ContainerPhase::Running).count();
    assert_eq!((listed.len(), running), (50_000, 25_000));
}
