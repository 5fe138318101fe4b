//! The toolchain between evcxr and the real one.
//!
//! evcxr and its rust-analyzer start cargo, rustc and rustup about forty times before the first
//! tensor is printed, read crates that no cell can name, and compile each cell through cargo. So a
//! kernel puts links to its own binary before the real tools. Under those names it answers what was
//! answered before (`answers`), shows rust-analyzer less (`metadata`, `sysroot`), and compiles a
//! cell by calling rustc as cargo did once (`compile_cell`), unless a kernel has compiled the same before
//! (`kept_cells`).
//!
//! # What would make this crate unnecessary
//!
//! evcxr would have to let its caller
//!
//! - compile a cell: a function from the generated source and the dependencies to a shared object or
//!   rustc's diagnostics, in the place of `cargo build` (`compile_cell`, `recording`, `opt_level`, `job`);
//! - end a compilation that runs, from another thread ([`Control::cancel`]);
//! - decide how a value is shown and an error reported, in the place of text that it writes into the
//!   source, with names of its own (`instrument`, `absolute`);
//! - give it the variable store and what else its source calls compiled, the crates of most cells in one
//!   library, and the linker for a cell (`aids`, `linker`);
//! - not let a cell take variables that it does not name (`unused_variables`);
//! - give its rust-analyzer the graph of crates and the standard library, in the place of what cargo
//!   and rustc say of them (`metadata`, `sysroot`, `sources`);
//! - start it without asking the toolchain what is known since set-up (`answers`).
//!
//! Then [`Control`] would be arguments of those calls, and everything else would go.

mod absolute;
mod aids;
mod answers;
mod call;
mod check;
mod compile_cell;
mod control;
pub mod crate_dir;
mod install;
mod instrument;
mod job;
mod kept_cells;
mod linker;
mod messages;
mod metadata;
pub mod notebook;
mod opt_level;
mod parent;
mod recording;
mod repeated;
mod rustc;
mod session;
mod sources;
mod static_lifetimes;
mod sysroot;
mod sysroot_metadata;
mod tool;
mod toolchain;
mod unused_variables;
pub mod variable_types;

pub use aids::why_not_prepared;
pub use check::{Checked, Compiler};
pub use control::Control;
pub use install::{Variables, prepare, prepare_set_up, restore, variables_of_stock};
pub use parent::end_with_parent;
pub use session::Analysis;
pub use tool::run as run_as_tool;
