//! Interrupts, from a "kernel" that this program plays: it exports the function that cells ask. No
//! other test program does.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;

mod interrupts;
mod ranks;
mod resume;

use std::cell::Cell;

thread_local! {
    /// How often this thread may still ask before the answer is "stop".
    static QUESTIONS: Cell<Option<usize>> = const { Cell::new(None) };
}

/// What the kernel's cell process exports. Each test has a thread, and so interrupts of its own.
#[unsafe(no_mangle)]
pub extern "C" fn blitz_interrupt_requested() -> bool {
    QUESTIONS.with(|questions| match questions.get() {
        Some(0) => {
            questions.set(None); // the request is taken
            true
        }
        Some(left) => {
            questions.set(Some(left - 1));
            false
        }
        None => false,
    })
}
