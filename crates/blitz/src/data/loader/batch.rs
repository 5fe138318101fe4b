//! What a training step takes.

use tch::Tensor;

/// Some images and their labels, on the loader's device.
#[derive(Debug)]
pub struct Batch {
    /// f32 `[N, 3, H, W]`, normalised.
    pub images: Tensor,
    /// i64 `[N]`, class indices.
    pub labels: Tensor,
}
