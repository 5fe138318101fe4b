//! What `cargo blitz bench` measures, and how it is told.
//!
//! This is a library beside the command line, not a program that it starts: `cargo blitz` compiles it
//! in parallel with what it has of its own and needs no second start. It knows commands, results and
//! tables. Setting up, running programs and showing how far they are is for the caller, so nothing
//! here imports the command line.

pub mod distributed;
pub mod kernel;
pub mod load;
mod median;
pub mod train;
