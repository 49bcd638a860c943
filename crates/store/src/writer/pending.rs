//! An update on its way: decided once, answered once.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tokio::sync::oneshot;

use super::queue::Charge;
use crate::{StoreError, Tx, UpdateError, Write};

/// What the caller of an update waits for.
pub(crate) type Outcome<T, E> = Result<T, UpdateError<E>>;

/// An update whose types are its caller's business.
pub(crate) trait Pending: Send {
    /// Decides; whether its changes are to be kept.
    ///
    /// # Errors
    /// The decision panicked.
    fn decide(&mut self, tx: &mut Tx<'_>) -> Result<bool, StoreError>;

    /// Answers what was decided, or why that does not stand.
    fn answer(self: Box<Self>, fault: Option<StoreError>);
}

/// An update of a caller.
pub(crate) struct Update<I, T, E> {
    /// Its input, until it is decided.
    write: Option<Write<I>>,
    decide: fn(&mut Tx<'_>, &Write<I>) -> Result<T, E>,
    decided: Option<Result<T, E>>,
    caller: oneshot::Sender<Outcome<T, E>>,
    /// What it counts for, until it is answered.
    _charge: Charge,
}

impl<I, T, E> Update<I, T, E> {
    /// The update, and where its outcome arrives.
    pub(crate) fn new(
        write: Write<I>,
        decide: fn(&mut Tx<'_>, &Write<I>) -> Result<T, E>,
        charge: Charge,
    ) -> (Self, oneshot::Receiver<Outcome<T, E>>) {
        let (caller, outcome) = oneshot::channel();
        (Self { write: Some(write), decide, decided: None, caller, _charge: charge }, outcome)
    }
}

impl<I: Send, T: Send, E: Send> Pending for Update<I, T, E> {
    fn decide(&mut self, tx: &mut Tx<'_>) -> Result<bool, StoreError> {
        let Some(write) = self.write.take() else { return Ok(false) };
        let decide = self.decide;
        match catch_unwind(AssertUnwindSafe(|| decide(tx, &write))) {
            Ok(decided) => Ok(self.decided.insert(decided).is_ok()),
            Err(panic) => {
                let said = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
                let said = said.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
                Err(StoreError::Panicked(said))
            }
        }
    }

    fn answer(self: Box<Self>, fault: Option<StoreError>) {
        let outcome = match (fault, self.decided) {
            (Some(fault), _) => Err(UpdateError::Store(fault)),
            (None, Some(decided)) => decided.map_err(UpdateError::Refused),
            (None, None) => Err(UpdateError::Store(StoreError::Closed)),
        };
        // The caller may have gone away; the outcome stands all the same.
        let _gone = self.caller.send(outcome);
    }
}
