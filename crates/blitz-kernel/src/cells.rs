//! The process that runs cells, and the kernel's side of it.

pub mod channels;
pub mod event;
pub mod frames;
mod grad_mode;
pub mod input;
mod interpose;
mod launch_context;
pub mod libtorch;
pub mod outcome;
pub mod process;
mod questions;
pub mod reader;
pub mod stdin;
pub mod worker;
