//! The process that runs cells, and the kernel's side of it.

pub mod channels;
pub mod frames;
pub mod markers;
pub mod output;
pub mod process;
pub mod record;
pub mod text;
