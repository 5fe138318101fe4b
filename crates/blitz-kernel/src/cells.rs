//! The process that runs cells, and the kernel's side of it.

pub mod channels;
pub mod event;
pub mod frames;
pub mod libtorch;
pub mod outcome;
pub mod process;
pub mod reader;
