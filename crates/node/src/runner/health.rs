//! Whether the container engine works.
//!
//! A wedged engine answers pings while starts hang. So after a call that timed out or could not be made, and only then,
//! the engine is asked for a proof: it has to start a container. Until it does, the node says that its engine is bad.
//! Turning bad and turning good are logged once each.

use std::sync::Mutex;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::sleep;

use super::lock::lock;
use crate::engine::EngineError;

/// Pause between two proofs.
pub(crate) const PROBE_PAUSE: Duration = Duration::from_secs(10);

/// What is known about the engine.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum EngineHealth {
    /// Nothing speaks against it.
    #[default]
    Good,
    /// It does not work.
    Bad {
        /// Why, in words.
        reason: String,
    },
}

/// Collects suspicions.
#[derive(Default)]
pub(crate) struct HealthMonitor {
    state: Mutex<EngineHealth>,
    suspicion: Notify,
}

impl HealthMonitor {
    /// The state of knowledge.
    pub(crate) fn state(&self) -> EngineHealth {
        lock(&self.state).clone()
    }

    /// A call failed; if that speaks against the engine, a proof is asked for.
    pub(crate) fn note(&self, error: &EngineError) {
        if matches!(error, EngineError::Unreachable(_) | EngineError::Deadline { .. }) {
            self.suspicion.notify_one();
        }
    }

    /// Asks for proofs as long as there is a suspicion. Never returns.
    pub(crate) async fn watch<F>(&self, prove: impl Fn() -> F)
    where
        F: Future<Output = Result<(), EngineError>>,
    {
        loop {
            self.suspicion.notified().await;
            while let Err(error) = prove().await {
                self.turn(EngineHealth::Bad { reason: error.to_string() });
                sleep(PROBE_PAUSE).await;
            }
            self.turn(EngineHealth::Good);
            sleep(PROBE_PAUSE).await;
        }
    }

    fn turn(&self, to: EngineHealth) {
        let was = std::mem::replace(&mut *lock(&self.state), to.clone());
        match (was, to) {
            (EngineHealth::Good, EngineHealth::Bad { reason }) => {
                tracing::error!(%reason, "the container engine does not work; tasks cannot start until it does");
            }
            (EngineHealth::Bad { .. }, EngineHealth::Good) => tracing::info!("the container engine works again"),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_proof_is_asked_for_only_after_a_suspicion_and_decides() {
        let monitor = HealthMonitor::default();
        let (works, proofs) = (AtomicBool::new(true), AtomicU32::new(0));
        let prove = || async {
            proofs.fetch_add(1, Ordering::SeqCst);
            if works.load(Ordering::SeqCst) { Ok(()) } else { Err(EngineError::Unreachable("gone".into())) }
        };
        let script = async {
            sleep(Duration::from_secs(600)).await;
            monitor.note(&EngineError::NotFound("image".into()));
            sleep(Duration::from_secs(600)).await;
            assert_eq!(proofs.load(Ordering::SeqCst), 0, "nothing speaks against it");
            works.store(false, Ordering::SeqCst);
            monitor.note(&EngineError::Deadline { call: "start", seconds: 180 });
            sleep(Duration::from_secs(60)).await;
            assert_eq!(monitor.state(), EngineHealth::Bad { reason: "the engine cannot be reached: gone".into() });
            works.store(true, Ordering::SeqCst);
            sleep(PROBE_PAUSE * 2).await;
            assert_eq!(monitor.state(), EngineHealth::Good);
            let after = proofs.load(Ordering::SeqCst);
            sleep(Duration::from_secs(600)).await;
            assert_eq!(proofs.load(Ordering::SeqCst), after, "no more proofs once it works");
        };
        tokio::select! {
            () = monitor.watch(prove) => unreachable!("watches for ever"),
            () = script => {}
        }
    }
}
