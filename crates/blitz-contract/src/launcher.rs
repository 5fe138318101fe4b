//! How `cargo blitz launch` starts the processes of a training.

/// A program for the Python of the environment with PyTorch (`python -c SCRIPT OPTIONS PROGRAM …`):
/// torchrun with its own options, which on one machine stays on the loopback interface.
pub const SCRIPT: &str = include_str!("launcher.py");

/// The most processes on one machine: more are a mistake, and each takes memory.
pub const MOST_PROCESSES: usize = 64;
