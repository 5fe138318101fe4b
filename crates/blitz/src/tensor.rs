//! Tensors as a notebook meets them: printed, shared with arrays, drawn at random.
//!
//! | Module | What it does |
//! | --- | --- |
//! | [`repr`](mod@repr) | prints tensors as PyTorch does |
//! | [`array`](mod@array) | `ndarray` arrays that share memory with tensors |
//! | [`random`] | PyTorch's random generator |

pub mod array;
pub(crate) mod dtype;
pub mod random;
pub mod repr;
