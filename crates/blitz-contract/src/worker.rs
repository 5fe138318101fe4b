//! A worker: a process that runs a function of a cell, as one of several.
//!
//! The process that runs cells makes a directory with three named pipes for each rank and starts
//! `blitz-kernel --root ROOT work DIRECTORY LIBRARY OFFSET [STATICS]…` as often as there are ranks.
//! The worker's standard streams are two of the pipes. By the third it tells what becomes of the
//! function, and it ends when the worker does.
//!
//! In the cell's `LIBRARY`, `OFFSET` bytes behind its start, is an `extern "C" fn(c_int) -> c_int`
//! that takes the third pipe's descriptor and returns the exit code.
//!
//! A program starts itself instead: `PROGRAM blitz-work DIRECTORY OFFSET`, with the function `OFFSET`
//! bytes behind the start of the program in memory.

use std::path::{Path, PathBuf};

/// The kernel's argument before those of a worker.
pub const COMMAND: &str = "work";

/// A program's own argument before those of a worker.
pub const AGAIN: &str = "blitz-work";

/// Which of a rank's pipes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pipe {
    /// What becomes of the function.
    Control,
    /// The standard output.
    Stdout,
    /// The standard error.
    Stderr,
}

impl Pipe {
    /// The pipe of the rank `rank` in `dir`.
    pub fn path(self, dir: &Path, rank: usize) -> PathBuf {
        let name = match self {
            Pipe::Control => "control",
            Pipe::Stdout => "stdout",
            Pipe::Stderr => "stderr",
        };
        dir.join(format!("{name}-{rank}"))
    }
}
