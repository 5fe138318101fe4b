//! What shares the standard library with the cells, as sources.
//!
//! A cell is a shared object that links the standard library dynamically; every other program here
//! has a copy of its own. So what must see the cells' standard output, panics and values is compiled
//! beside them, on the machine that runs them, by rustc alone:
//!
//! | source | library | compiled by | used by |
//! |---|---|---|---|
//! | [`RUNTIME`] | `blitz_cell_runtime`, a `cdylib` | `blitz-kernel warm` | the process that runs cells |
//! | [`SUPPORT`] | `blitz_cell_support`, an `rlib` | the toolchain | each cell |
//! | [`PREPARED`] | `blitz_prepared`, a `dylib` with `blitz` and `tch` in it | the toolchain | cells that name one of them |
//!
//! Here they are modules only for the tests, and so that rustfmt and clippy read them.

/// The source of the cells' runtime: flushing, input, panics and interrupts.
pub const RUNTIME: &str = include_str!("runtime.rs");

/// The files of the crate that cells call, by name; the first is its root.
pub const SUPPORT: [(&str, &str); 4] = [
    ("lib.rs", include_str!("support/lib.rs")),
    ("showing.rs", include_str!("support/showing.rs")),
    ("user_error.rs", include_str!("support/user_error.rs")),
    ("variable_store.rs", include_str!("support/variable_store.rs")),
];

/// The files of the crate that holds what notebooks use; the first is its root.
pub const PREPARED: [(&str, &str); 2] = [
    ("lib.rs", include_str!("prepared/lib.rs")),
    ("instances.rs", include_str!("prepared/instances.rs")),
];

// Only for rustfmt: its crates are compiled for cells, after this.
#[cfg(any())]
#[path = "prepared/lib.rs"]
mod prepared;
#[cfg(test)]
mod runtime;
// All of it is for cells.
#[cfg(test)]
#[allow(dead_code, unused_imports)]
#[path = "support/lib.rs"]
mod support;

#[cfg(test)]
mod tests {
    use super::*;
    use blitz_contract::{marks, symbols};

    #[test]
    fn the_runtime_defines_the_symbols_that_others_look_up() {
        for symbol in [
            symbols::INTERRUPT_REQUESTED,
            symbols::REQUEST_INTERRUPT,
            symbols::FORGET_INTERRUPT,
            symbols::FORGET_INPUT,
            symbols::RUNTIME_START,
            symbols::RUNTIME_FLUSH,
            symbols::CELL_BEGINS,
            symbols::CELL_ENDED,
            symbols::LAUNCH_CONTEXT,
        ] {
            let definition = format!("#[unsafe(no_mangle)]\npub extern \"C\" fn {symbol}(");
            assert_eq!(RUNTIME.matches(&definition).count(), 1, "{symbol}");
        }
        assert_eq!(RUNTIME.matches("no_mangle").count(), 9, "one that nobody looks up");
    }

    #[test]
    fn what_cells_tell_stands_between_the_marks_that_the_kernel_looks_for() {
        use support::{showing, user_error, variable_store};
        assert_eq!(variable_store::USER_ERROR_OCCURRED, marks::ERROR_OCCURRED);
        assert_eq!(variable_store::VARIABLE_CHANGED_TYPE, marks::VARIABLE_CHANGED_TYPE);
        assert_eq!(user_error::USER_ERROR, marks::USER_ERROR);
        assert_eq!(showing::BEGIN_TEXT, format!("{}text/plain\n", marks::BEGIN_CONTENT));
        assert_eq!(showing::END_CONTENT, marks::END_CONTENT);
    }

    #[test]
    fn an_interrupt_is_noticed_once_and_can_be_forgotten() {
        assert!(!runtime::blitz_interrupt_requested());
        runtime::blitz_request_interrupt();
        assert!(runtime::blitz_interrupt_requested());
        assert!(!runtime::blitz_interrupt_requested());
        runtime::blitz_request_interrupt();
        runtime::blitz_forget_interrupt();
        assert!(!runtime::blitz_interrupt_requested());
    }
}
