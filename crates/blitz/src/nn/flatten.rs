//! Many dimensions into one, as a layer.

use std::fmt;

use tch::Tensor;
use tch::nn::Module;

use super::misfit::{Misfit, or_panic, refused};
use crate::error::Result;

/// Joins the dimensions `start_dim ..= end_dim` into one (`torch.nn.Flatten`). The default keeps
/// the batch: `[N, C, H, W]` to `[N, C * H * W]`. The input is not modified; where it can, the
/// output shares its memory.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Flatten {
    /// The first dimension to join; 1. Negative ones count from the end.
    pub start_dim: i64,
    /// The last dimension to join; -1, the very last.
    pub end_dim: i64,
}

impl Default for Flatten {
    fn default() -> Flatten {
        Flatten { start_dim: 1, end_dim: -1 }
    }
}

impl Flatten {
    /// The fallible form of `forward`.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Layer`] where the input has too few dimensions, [`crate::Error::Torch`] for
    /// libtorch's other refusals.
    pub fn f_forward(&self, input: &Tensor) -> Result<Tensor> {
        input
            .f_flatten(self.start_dim, self.end_dim)
            .map_err(|error| refused(format!("{self:?}"), self.misfit(input), "flatten")(error))
    }

    fn misfit(&self, input: &Tensor) -> Option<Misfit> {
        let needed = |dim: i64| if dim < 0 { -dim } else { dim + 1 };
        let least = needed(self.start_dim).max(needed(self.end_dim));
        ((input.dim() as i64) < least).then(|| Misfit {
            expected: format!("an input of at least {least} dimensions"),
            got: format!("{:?}", input.size()),
            hint: String::new(),
        })
    }
}

impl Module for Flatten {
    fn forward(&self, input: &Tensor) -> Tensor {
        or_panic(self.f_forward(input))
    }
}

impl fmt::Debug for Flatten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Flatten(start_dim={}, end_dim={})", self.start_dim, self.end_dim)
    }
}
