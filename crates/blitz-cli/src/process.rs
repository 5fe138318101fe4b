//! Running other programs, and saying how far they are.

pub mod cancel;
pub mod command;
pub mod events;
pub mod logs;
pub mod progress;
