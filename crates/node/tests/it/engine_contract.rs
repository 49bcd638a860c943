//! What every engine promises about the life of a container, in the words of the trait.

use std::time::Duration;

use longshore_node::engine::{ContainerPhase, ContainerSpec, EngineError};
use tokio::time::Instant;

use crate::rig::{NODE_LABEL, Program, Rig};

/// Makes a test of each contract function for one engine.
macro_rules! contract {
    ($rig:expr; $($module:ident :: { $($function:ident),+ $(,)? }),+ $(,)?) => {
        $($(
            #[test]
            fn $function() {
                crate::rig::with_rig($rig, |rig| Box::pin(crate::$module::$function(rig)));
            }
        )+)+
    };
}
pub(crate) use contract;

pub async fn a_container_goes_through_its_life(rig: &Rig) {
    let engine = &rig.engine;
    let spec = rig.spec("life", Program::RunsUntilStopped);
    let id = engine.create(&spec).await.expect("created");
    let created = rig.inspect(&id).await;
    assert_eq!((created.phase, created.exit_code), (ContainerPhase::Created, None));
    assert_eq!((created.started_at, created.finished_at), (None, None));
    assert_eq!((&created.runtime_id, &created.name), (&id, &spec.name));
    assert_eq!(created.labels.get(NODE_LABEL), Some(&rig.node));

    engine.start(&id).await.expect("started");
    engine.start(&id).await.expect("already running is success");
    let running = rig.inspect(&spec.name).await;
    assert_eq!((running.phase, running.exit_code), (ContainerPhase::Running, None));
    assert_eq!(running.runtime_id, id);
    let started_at = running.started_at.expect("a start time");
    rig.ready(&id).await;

    engine.stop(&id, 30).await.expect("stopped");
    engine.stop(&id, 30).await.expect("not running is success");
    let exited = rig.inspect(&id).await;
    assert_eq!((exited.phase, exited.exit_code), (ContainerPhase::Exited, Some(143)));
    assert_eq!((exited.oom_killed, exited.error), (false, None));
    assert_eq!(exited.started_at, Some(started_at));
    assert!(exited.finished_at.expect("an end") >= started_at);

    engine.remove(&id).await.expect("removed");
    engine.remove(&id).await.expect("absent is success");
    assert!(matches!(engine.inspect(&id).await, Err(EngineError::NotFound(_))));
}

pub async fn exit_codes_are_the_processes_own(rig: &Rig) {
    for code in [0, 7] {
        let id = rig.run(&rig.spec(&format!("exit-{code}"), Program::Exits(code))).await;
        let exited = rig.exited(&id).await;
        assert_eq!((exited.exit_code, exited.oom_killed), (Some(code), false));
        assert!(exited.finished_at >= exited.started_at && exited.started_at.is_some());
    }
}

pub async fn what_ignores_sigterm_is_killed(rig: &Rig) {
    for (suffix, timeout) in [("patient", 1), ("at-once", 0)] {
        let id = rig.run(&rig.spec(suffix, Program::IgnoresSigterm)).await;
        rig.ready(&id).await;
        let begun = Instant::now();
        rig.engine.stop(&id, timeout).await.expect("stopped");
        assert!(begun.elapsed() >= Duration::from_secs(timeout.into()));
        let killed = rig.inspect(&id).await;
        assert_eq!((killed.phase, killed.exit_code), (ContainerPhase::Exited, Some(137)));
        assert!(!killed.oom_killed);
    }
}

pub async fn memory_beyond_the_limit_is_told(rig: &Rig) {
    let id = rig.run(&rig.spec("oom", Program::EatsMemory)).await;
    let killed = rig.exited(&id).await;
    assert_eq!((killed.exit_code, killed.oom_killed), (Some(137), true));
}

pub async fn what_cannot_start_says_why(rig: &Rig) {
    let id = rig.engine.create(&rig.spec("broken", Program::CannotStart)).await.expect("created");
    let refused = rig.engine.start(&id).await;
    let Err(EngineError::Refused(text)) = refused else { panic!("{refused:?}") };
    assert!(!text.is_empty());
    let broken = rig.inspect(&id).await;
    assert_eq!((broken.phase, broken.exit_code), (ContainerPhase::Created, None));
    assert_eq!((broken.started_at, broken.finished_at), (None, None));
    assert!(broken.error.is_some());
}

pub async fn a_name_is_given_once(rig: &Rig) {
    let spec = rig.spec("name", Program::RunsUntilStopped);
    let id = rig.engine.create(&spec).await.expect("created");
    let second = rig.engine.create(&spec).await;
    assert!(matches!(second, Err(EngineError::NameTaken(_))), "{second:?}");
    assert_eq!(rig.inspect(&spec.name).await.runtime_id, id);
    rig.engine.remove(&id).await.expect("removed");
    rig.engine.create(&spec).await.expect("the name is free again");
}

pub async fn an_exited_container_starts_again(rig: &Rig) {
    let id = rig.run(&rig.spec("again", Program::RunsUntilStopped)).await;
    rig.engine.stop(&id, 30).await.expect("stopped");
    let first = rig.inspect(&id).await;
    rig.engine.start(&id).await.expect("started again");
    let second = rig.inspect(&id).await;
    assert_eq!((second.phase, second.exit_code), (ContainerPhase::Running, None));
    assert_eq!(second.finished_at, None);
    assert!(second.started_at >= first.finished_at);
}

pub async fn a_running_container_is_removed_by_force(rig: &Rig) {
    let id = rig.run(&rig.spec("forced", Program::IgnoresSigterm)).await;
    let (first, second) = tokio::join!(rig.engine.remove(&id), rig.engine.remove(&id));
    assert_eq!((first, second), (Ok(()), Ok(())));
    assert!(matches!(rig.engine.inspect(&id).await, Err(EngineError::NotFound(_))));
}

pub async fn only_ones_own_are_listed(rig: &Rig) {
    let own = rig.run(&rig.spec("own", Program::RunsUntilStopped)).await;
    let waiting = rig.engine.create(&rig.spec("waiting", Program::RunsUntilStopped)).await.expect("created");
    let mut spec = rig.spec("foreign", Program::RunsUntilStopped);
    spec.labels.insert(NODE_LABEL.into(), format!("{}-foreign", rig.node));
    let foreign = rig.engine.create(&spec).await.expect("created");
    let mut listed = rig.engine.list(NODE_LABEL, &rig.node).await.expect("listed");
    listed.sort_by_key(|container| container.phase == ContainerPhase::Running);
    let found = [rig.inspect(&waiting).await, rig.inspect(&own).await];
    rig.engine.remove(&foreign).await.expect("removed");
    assert_eq!(listed, found);
}

pub async fn unknown_containers_are_not_found(rig: &Rig) {
    let unknown = rig.name("unknown");
    for name in [unknown.as_str(), "../images/json", "a b", "", "a?force=1"] {
        for answer in
            [rig.engine.inspect(name).await.map(drop), rig.engine.start(name).await, rig.engine.stop(name, 1).await]
        {
            assert!(matches!(answer, Err(EngineError::NotFound(_))), "{name:?}: {answer:?}");
        }
        rig.engine.remove(name).await.expect("absent is success");
    }
}

pub async fn a_container_without_an_image_is_not_created(rig: &Rig) {
    let spec = ContainerSpec {
        image: format!("longshore-test/{}:absent", rig.node),
        ..rig.spec("no-image", Program::RunsUntilStopped)
    };
    let answer = rig.engine.create(&spec).await;
    assert!(matches!(answer, Err(EngineError::NotFound(_))), "{answer:?}");
}
