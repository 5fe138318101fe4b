//! The functions that the process running cells exports by name.
//!
//! The cell runtime defines them (`#[unsafe(no_mangle)]`), the kernel's binary and the helper crate
//! look them up in the process: neither is linked to it.

/// `extern "C" fn() -> bool`: whether the running cell is asked to stop. `true` takes the request.
/// The helper crate asks it in every loop that can be interrupted.
pub const INTERRUPT_REQUESTED: &str = "blitz_interrupt_requested";

/// `extern "C" fn()`: asks the running cell to stop. Safe in a signal handler.
pub const REQUEST_INTERRUPT: &str = "blitz_request_interrupt";

/// `extern "C" fn()`: forgets a request that no cell took.
pub const FORGET_INTERRUPT: &str = "blitz_forget_interrupt";

/// `extern "C" fn() -> bool`: forgets what a cell was given to read and left in the buffer of its
/// standard input; `false` where somebody holds that. Not while a cell may read.
pub const FORGET_INPUT: &str = "blitz_forget_input";

/// `extern "C" fn(Callbacks)`: prepares the process, in the thread that will run cells.
pub const RUNTIME_START: &str = "blitz_runtime_start";

/// `extern "C" fn()`: passes on what cells wrote without a line break.
pub const RUNTIME_FLUSH: &str = "blitz_runtime_flush";

/// `extern "C" fn()`: a cell begins; what it writes is passed on often.
pub const CELL_BEGINS: &str = "blitz_cell_begins";

/// `extern "C" fn()`: the cell has ended; what it wrote is passed on, and what its threads write later only
/// now and then.
pub const CELL_ENDED: &str = "blitz_cell_ended";

/// `extern "C" fn() -> *const c_char`: what a new process needs to run a function of a cell, in
/// lines: the repository, then the libraries of statics in the order in which they were loaded. The
/// text stays until the next call. Null in a process that itself was started so.
pub const LAUNCH_CONTEXT: &str = "blitz_launch_context";
