//! What an operation works with: the store, the clock, the source of seeds; and who calls it.

use std::sync::Arc;

use arc_swap::Guard;
use longshore_domain::secret::SecretRecord;
use longshore_domain::{EcsId, Refusal, Scope, Timestamp};
use longshore_store::{State, Store, StoreError, Tx, UpdateError, Write};
use serde::Serialize;

use crate::Connections;
use crate::page_token::{self, PageTokens, StoredKeyTokens};

/// Where the time comes from.
pub trait Clock: Send + Sync + 'static {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// Where the seeds of ids come from; random, outside tests.
pub trait Seeds: Send + Sync + 'static {
    /// A new seed.
    fn seed(&self) -> EcsId;
}

/// Who calls, as authentication found out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Account and region.
    pub scope: Scope,
    /// ARN of the principal.
    pub principal: Arc<str>,
    /// Unique id of the principal, as GetCallerIdentity shows it.
    pub user_id: Arc<str>,
}

/// The operations over one store.
#[derive(Clone)]
pub struct Api {
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) seeds: Arc<dyn Seeds>,
    page_tokens: StoredKeyTokens,
    pub(crate) allow_privileged: bool,
    connections: Connections,
}

impl Api {
    /// The API over a store. The first one on a store makes the key that authenticates page tokens.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn new(store: Store, clock: Arc<dyn Clock>, seeds: Arc<dyn Seeds>) -> Result<Self, StoreError> {
        if store.view().secret(page_token::KEY).is_none() {
            let secret = SecretRecord { name: page_token::KEY.into(), key: [seeds.seed(), seeds.seed()] };
            let write = Write {
                scope: Scope::new("", ""),
                principal: "longshore".into(),
                at: clock.now(),
                seed: seeds.seed(),
                input: secret,
            };
            let kept: Result<(), UpdateError<std::convert::Infallible>> = store.update(write, keep_secret).await;
            match kept {
                Ok(()) => {}
                Err(UpdateError::Store(error)) => return Err(error),
                Err(UpdateError::Busy | UpdateError::Refused(_)) => return Err(StoreError::Closed),
            }
        }
        let view = store.view();
        let key = view.secret(page_token::KEY).map(|secret| secret.key).ok_or(StoreError::Closed)?;
        Ok(Self {
            store,
            clock,
            seeds,
            page_tokens: StoredKeyTokens::new(key),
            allow_privileged: true,
            connections: Connections::default(),
        })
    }

    /// The same API, which refuses tasks that could reach the host unless `allowed`.
    #[must_use]
    pub fn with_privileged(self, allowed: bool) -> Self {
        Self { allow_privileged: allowed, ..self }
    }

    /// Which machines have a session now; whoever holds the sessions keeps it up to date.
    pub fn connections(&self) -> &Connections {
        &self.connections
    }

    /// The store.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The page tokens of this state's key.
    pub(crate) fn page_tokens(&self, state: &State) -> Guard<Arc<PageTokens>> {
        self.page_tokens.of(state)
    }

    /// The latest published state.
    pub fn view(&self) -> Arc<State> {
        self.store.view()
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Runs a write: `decide` sees the caller, the time, a seed and the input, and nothing else.
    pub(crate) async fn update<I, T>(
        &self,
        caller: &Caller,
        input: I,
        decide: fn(&mut Tx<'_>, &Write<I>) -> Result<T, Refusal>,
    ) -> Result<T, Refusal>
    where
        I: Serialize + Send + 'static,
        T: Send + 'static,
    {
        let write = Write {
            scope: caller.scope.clone(),
            principal: Arc::clone(&caller.principal),
            at: self.clock.now(),
            seed: self.seeds.seed(),
            input,
        };
        self.store.update(write, decide).await.map_err(|error| match error {
            UpdateError::Refused(refusal) => refusal,
            UpdateError::Busy => Refusal::throttled(),
            UpdateError::Store(StoreError::Bound { .. }) => {
                Refusal::client("The request changes more than one transaction may.")
            }
            UpdateError::Store(error) => {
                tracing::error!(%error, "a write failed");
                Refusal::server()
            }
        })
    }
}

fn keep_secret(tx: &mut Tx<'_>, write: &Write<SecretRecord>) -> Result<(), std::convert::Infallible> {
    if tx.state().secret(&write.input.name).is_none() {
        tx.put(write.input.clone());
    }
    Ok(())
}
