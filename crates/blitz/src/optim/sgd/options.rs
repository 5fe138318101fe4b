//! What `torch.optim.SGD` is told.

use crate::error::{Error, Result};

/// The keyword arguments of `torch.optim.SGD`, with its defaults.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SgdOptions {
    /// Learning rate, at least 0; 0.001.
    pub lr: f64,
    /// Share of the last step's direction that goes into this one's, at least 0; 0 is plain
    /// gradient descent.
    pub momentum: f64,
    /// Share of the gradient that does not go into the momentum; 0.
    pub dampening: f64,
    /// Share of each parameter that is added to its gradient, at least 0; 0.
    pub weight_decay: f64,
    /// Whether to look ahead along the momentum (Nesterov's variant); needs momentum above 0 and
    /// no dampening.
    pub nesterov: bool,
}

impl Default for SgdOptions {
    fn default() -> SgdOptions {
        SgdOptions { lr: 1e-3, momentum: 0.0, dampening: 0.0, weight_decay: 0.0, nesterov: false }
    }
}

impl SgdOptions {
    /// Whether each value lies in its range.
    pub(super) fn check(&self) -> Result<()> {
        at_least_0("lr", self.lr)?;
        at_least_0("momentum", self.momentum)?;
        at_least_0("weight_decay", self.weight_decay)?;
        if !self.dampening.is_finite() {
            return Err(Error::option("dampening", "finite", self.dampening));
        }
        if self.nesterov && (self.momentum == 0.0 || self.dampening != 0.0) {
            let got = format!("momentum {} and dampening {}", self.momentum, self.dampening);
            return Err(Error::option(
                "nesterov",
                "false, or have momentum above 0 and dampening 0",
                got,
            ));
        }
        Ok(())
    }
}

pub(super) fn at_least_0(option: &'static str, value: f64) -> Result<()> {
    match value.is_finite() && value >= 0.0 {
        true => Ok(()),
        false => Err(Error::option(option, "finite and at least 0", value)),
    }
}
