//! What cells write, from bytes to published messages.

pub mod markers;
pub mod message;
pub mod publisher;
pub mod text;
