//! The search for an order of one partition's calls.
//!
//! A configuration is the set of calls that have taken effect and the state they led to. From it any call may come
//! next that began before every answered call that is still to come had its answer. Configurations that led nowhere are
//! remembered. Three things keep the search short: an answered call that leaves the state as it is comes next without
//! alternatives (whatever explains the rest explains it after this call as well), calls without an answer are tried
//! last, and one that would change nothing is never tried.

use std::collections::{BTreeSet, HashSet};

use super::{CallOf, Model};

/// Why there is no order.
pub(super) enum Failure {
    /// None of these calls can come next in the best attempt.
    Stuck { explained: usize, calls: usize, stuck: String },
    /// The bound of work was reached.
    TooMuch,
}

/// Calls by invocation. Those with an answer and those without are numbered apart.
struct Partition<'a, M: Model> {
    model: &'a M,
    answered: Vec<&'a CallOf<M>>,
    open: Vec<&'a CallOf<M>>,
}

/// The calls that have taken effect, in a form that is small because most of them are the first ones.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Done {
    /// All answered calls before this one.
    below: usize,
    /// Answered calls after that.
    above: BTreeSet<usize>,
    /// Calls without an answer.
    open: BTreeSet<usize>,
}

impl Done {
    fn has(&self, answered: usize) -> bool {
        answered < self.below || self.above.contains(&answered)
    }

    fn add(&mut self, next: Next) {
        match next {
            Next::Answered(call) => {
                self.above.insert(call);
                while self.above.remove(&self.below) {
                    self.below += 1;
                }
            }
            Next::Open(call) => {
                self.open.insert(call);
            }
        }
    }

    fn explained(&self) -> usize {
        self.below + self.above.len()
    }
}

#[derive(Debug, Clone, Copy)]
enum Next {
    Answered(usize),
    Open(usize),
}

/// A configuration and what is still to be tried from it.
struct Frame<S> {
    done: Done,
    state: S,
    /// Answered calls that may come next, with the state after each.
    answered: std::vec::IntoIter<(usize, S)>,
    /// Calls without an answer that may come next, from this one on.
    open: std::ops::Range<usize>,
}

/// Looks for an order.
pub(super) fn explain<M: Model>(model: &M, calls: &[&CallOf<M>], steps: usize) -> Result<(), Failure> {
    let mut calls = calls.to_vec();
    calls.sort_by_key(|call| call.invoked);
    let (answered, open): (Vec<&CallOf<M>>, Vec<_>) = calls.into_iter().partition(|call| call.answered().is_some());
    let partition = Partition { model, answered, open };
    let mut work = steps;
    let mut seen = HashSet::new();
    let done = Done { below: 0, above: BTreeSet::new(), open: BTreeSet::new() };
    let mut stack = vec![partition.frame(done, model.initial(), &mut work)?];
    let mut best = (0, partition.stuck(&stack[0]));
    while let Some(frame) = stack.last_mut() {
        if frame.done.explained() == partition.answered.len() {
            return Ok(());
        }
        let Some((next, state)) = partition.untried(frame, &mut work)? else {
            if frame.done.explained() > best.0 {
                best = (frame.done.explained(), partition.stuck(frame));
            }
            stack.pop();
            continue;
        };
        let mut done = frame.done.clone();
        done.add(next);
        if seen.insert((done.clone(), state.clone())) {
            stack.push(partition.frame(done, state, &mut work)?);
        }
    }
    Err(Failure::Stuck { explained: best.0, calls: partition.answered.len(), stuck: best.1 })
}

impl<M: Model> Partition<'_, M> {
    /// The answered calls that may come next, and the moment before which a call must have begun to be one.
    fn window(&self, done: &Done) -> (Vec<usize>, u64) {
        let mut earliest = u64::MAX;
        let mut window = Vec::new();
        for (number, call) in self.answered.iter().enumerate().skip(done.below) {
            if call.invoked > earliest {
                break;
            }
            if let (false, Some((returned, _))) = (done.has(number), call.answered()) {
                earliest = earliest.min(returned);
                window.push(number);
            }
        }
        window.retain(|number| self.answered[*number].invoked <= earliest);
        (window, earliest)
    }

    fn frame(&self, done: Done, state: M::State, work: &mut usize) -> Result<Frame<M::State>, Failure> {
        let (window, earliest) = self.window(&done);
        let mut answered = Vec::new();
        for number in window {
            let call = self.answered[number];
            *work = work.checked_sub(1).ok_or(Failure::TooMuch)?;
            match self.model.step(&state, &call.input, call.output.as_ref()) {
                Some(after) if after == state => {
                    answered = vec![(number, after)];
                    return Ok(Frame { done, state, answered: answered.into_iter(), open: 0..0 });
                }
                Some(after) => answered.push((number, after)),
                None => {}
            }
        }
        let open = 0..self.open.partition_point(|call| call.invoked <= earliest);
        Ok(Frame { done, state, answered: answered.into_iter(), open })
    }

    /// The next thing to try from a configuration.
    fn untried(&self, frame: &mut Frame<M::State>, work: &mut usize) -> Result<Option<(Next, M::State)>, Failure> {
        if let Some((number, after)) = frame.answered.next() {
            return Ok(Some((Next::Answered(number), after)));
        }
        for number in frame.open.by_ref() {
            if frame.done.open.contains(&number) {
                continue;
            }
            *work = work.checked_sub(1).ok_or(Failure::TooMuch)?;
            let after = self.model.step(&frame.state, &self.open[number].input, None);
            if let Some(after) = after.filter(|after| *after != frame.state) {
                return Ok(Some((Next::Open(number), after)));
            }
        }
        Ok(None)
    }

    /// What could not come next.
    fn stuck(&self, frame: &Frame<M::State>) -> String {
        let (window, _) = self.window(&frame.done);
        let calls: Vec<String> = window.iter().map(|number| format!("{:?}", self.answered[*number])).collect();
        let open: Vec<String> = self.open.iter().map(|call| format!("{:?}", call.input)).collect();
        format!(
            "none of [{}] can come next in {:?} (without an answer: [{}])",
            calls.join(", "),
            frame.state,
            open.join(", ")
        )
    }
}
