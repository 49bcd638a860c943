//! Bugs that a simulation must find. They exist only with the feature `planted-bugs`, which nothing but
//! `cargo xtask sim` turns on, and do nothing until one of them is planted.

use std::sync::atomic::{AtomicU8, Ordering};

/// A bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bug {
    /// Callers are answered before their batch is durable.
    AnswerBeforeDurability,
    /// A batch is published before it is durable.
    EarlyPublish,
    /// Some tasks do not enter the index of all stopped tasks.
    LostIndexUpdate,
    /// RunTask does not record its client token.
    TokenRecordMissing,
    /// A removed task stays on disk.
    ResurrectedTask,
    /// A page of ListTasks begins one task too late.
    CursorOffByOne,
}

impl Bug {
    /// Every bug, with its name.
    pub const ALL: [(Self, &'static str); 6] = [
        (Self::AnswerBeforeDurability, "answer-before-durability"),
        (Self::EarlyPublish, "early-publish"),
        (Self::LostIndexUpdate, "lost-index-update"),
        (Self::TokenRecordMissing, "token-record-missing"),
        (Self::ResurrectedTask, "resurrected-task"),
        (Self::CursorOffByOne, "cursor-off-by-one"),
    ];
}

/// The planted one's place in the enumeration, counted from 1; 0: none.
static PLANTED: AtomicU8 = AtomicU8::new(0);

/// Plants a bug in this process, instead of the one that was planted before.
pub fn plant(bug: Option<Bug>) {
    PLANTED.store(bug.map_or(0, |bug| bug as u8 + 1), Ordering::Relaxed);
}

/// Whether this bug is planted.
pub fn has(bug: Bug) -> bool {
    PLANTED.load(Ordering::Relaxed) == bug as u8 + 1
}
