//! Whether a history of concurrent calls could have happened one call at a time.
//!
//! Each call takes effect at one moment between its invocation and its answer. A call without an answer (its server
//! was killed, or said that it does not know) may have taken effect at any moment after its invocation, or never. A
//! history is linearizable when such moments can be chosen so that every answer is what a sequential [`Model`] says.
//!
//! The search is that of Wing and Gong with Lowe's memoisation, over each partition of the history by itself. It has a
//! bound of work; a history that exceeds it is reported as [`Violation::Undecided`], never as correct.

mod search;
pub mod tasks;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::hash::Hash;

/// One call of one client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call<I, O> {
    /// Who called; for messages only.
    pub client: u32,
    /// When the call began, on a clock that all clients share.
    pub invoked: u64,
    /// When its answer was there, on the same clock; `None`: it never came. Two calls of which one ends at the moment
    /// at which the other begins count as concurrent.
    pub returned: Option<u64>,
    /// What was asked.
    pub input: I,
    /// What was answered; `None`: nothing, or nothing that says whether the call took effect. Such a call counts as one
    /// that never returned.
    pub output: Option<O>,
}

impl<I, O> Call<I, O> {
    /// Whether its answer is known.
    fn answered(&self) -> Option<(u64, &O)> {
        Some((self.returned?, self.output.as_ref()?))
    }
}

/// What one call after another does and answers.
pub trait Model {
    /// Everything that answers depend on, for one partition.
    type State: Clone + Hash + Eq + Debug;
    /// What is asked.
    type Input: Debug;
    /// What is answered.
    type Output: Debug;
    /// What a partition is called. Calls of different partitions do not see each other.
    type Partition: Ord + Debug;

    /// The state before the first call.
    fn initial(&self) -> Self::State;

    /// The partition of a call.
    fn partition(&self, input: &Self::Input) -> Self::Partition;

    /// The state after a call; `None` if it cannot have been answered like this here. Without an `output`, the state
    /// after it if it takes effect here; `None` if it cannot.
    fn step(&self, state: &Self::State, input: &Self::Input, output: Option<&Self::Output>) -> Option<Self::State>;
}

/// A call of a model.
pub type CallOf<M> = Call<<M as Model>::Input, <M as Model>::Output>;

/// Why a history is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// No order of the calls explains the answers.
    #[error("not linearizable in {partition}: after {explained} of {calls} answered calls {stuck}")]
    NotLinearizable {
        /// The partition.
        partition: String,
        /// How many of its answered calls the best attempt explains.
        explained: usize,
        /// How many answered calls it has.
        calls: usize,
        /// The calls of which none can come next, and the state in which they cannot.
        stuck: String,
    },
    /// The bound of work was reached.
    #[error("undecided in {partition} after {steps} steps")]
    Undecided {
        /// The partition.
        partition: String,
        /// The bound.
        steps: usize,
    },
}

/// Checks a history in any order; `steps` bounds the model steps tried in each partition (a correct history needs a few
/// for each call).
///
/// # Errors
/// What is wrong with the first partition, by name, that is not explained.
pub fn check<M: Model>(model: &M, history: &[CallOf<M>], steps: usize) -> Result<(), Violation> {
    let mut partitions: BTreeMap<M::Partition, Vec<&CallOf<M>>> = BTreeMap::new();
    for call in history {
        partitions.entry(model.partition(&call.input)).or_default().push(call);
    }
    for (partition, calls) in partitions {
        search::explain(model, &calls, steps).map_err(|failure| match failure {
            search::Failure::Stuck { explained, calls, stuck } => {
                Violation::NotLinearizable { partition: format!("{partition:?}"), explained, calls, stuck }
            }
            search::Failure::TooMuch => Violation::Undecided { partition: format!("{partition:?}"), steps },
        })?;
    }
    Ok(())
}
