//! What the crates of Rust Blitz agree on, each with a line of why.
//!
//! A program that runs cells, the kernel that reads it, the command line that sets both up and the
//! crate that notebooks import are compiled apart and meet only at run time: through bytes in a
//! pipe, variables of the environment, exported symbols and files. Each of those is named here, once.
//! Nothing here does more than to name and to find, and nothing is needed for it but the standard library: cells
//! are compiled against this crate, too.

pub mod build_environment;
pub mod launcher;
pub mod layout;
pub mod marks;
pub mod program;
pub mod symbols;
pub mod variables;
pub mod versions;
pub mod worker;

pub use layout::Layout;
