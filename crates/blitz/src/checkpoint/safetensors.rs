//! `.safetensors`: a header in JSON that says where each tensor lies, then their bytes.
//!
//! tch reads and writes it too, but knows fewer kinds, and can neither write to a file that is
//! already open nor in a fixed order. Format: <https://github.com/huggingface/safetensors>.

mod header;
mod read;
mod write;

pub(super) use read::{Ranges, begins, open};
pub(super) use write::write;
