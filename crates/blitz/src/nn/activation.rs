//! Activation functions as layers.

use std::fmt;

use tch::Tensor;
use tch::nn::Module;

use super::misfit::or_panic;
use crate::error::{Error, Result};

/// `max(0, x)` of each element, any shape (`torch.nn.ReLU`). The input is not modified.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct ReLU;

impl ReLU {
    /// The fallible form of `forward`.
    ///
    /// # Errors
    ///
    /// [`Error::Torch`] where libtorch refuses, as for `Kind::Bool`.
    pub fn f_forward(&self, input: &Tensor) -> Result<Tensor> {
        input.f_relu().map_err(Error::torch("ReLU()"))
    }
}

impl Module for ReLU {
    fn forward(&self, input: &Tensor) -> Tensor {
        or_panic(self.f_forward(input))
    }
}

impl fmt::Debug for ReLU {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReLU()")
    }
}
