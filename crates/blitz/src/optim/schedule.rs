//! Learning rates that change along a training, with the values of `torch.optim.lr_scheduler`.
//!
//! | Python | Rust |
//! | --- | --- |
//! | no scheduler | [`Schedule::Constant`] |
//! | `StepLR(optimizer, step_size=2, gamma=0.1)` | `Schedule::Step { every: 2, gamma: 0.1 }` |
//! | `CosineAnnealingLR(optimizer, T_max=10, eta_min=0.0)` | `Schedule::Cosine { epochs: 10, min_lr: 0.0 }` |
//! | `OneCycleLR(optimizer, max_lr=0.1, epochs=10, steps_per_epoch=n, cycle_momentum=False)` | `Schedule::one_cycle(0.1)` |
//!
//! In Python the loop calls `scheduler.step()`, after each epoch or, for the last, after each step;
//! [`fit`](mod@crate::train::fit) does it by itself.

use std::f64::consts::PI;

use crate::error::{Error, Result};

/// How the learning rate changes along a training.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Schedule {
    /// The optimizer's own rate throughout.
    #[default]
    Constant,
    /// The rate is multiplied by `gamma` after every `every` epochs.
    Step {
        /// Epochs from one change to the next, at least 1.
        every: usize,
        /// The factor, above 0; 0.1 is usual.
        gamma: f64,
    },
    /// From epoch to epoch the rate falls along half a cosine wave, from the optimizer's own to
    /// `min_lr` after `epochs` epochs, and rises again after that.
    Cosine {
        /// Epochs of the fall, at least 1: usually all of the training.
        epochs: usize,
        /// The least rate, at least 0.
        min_lr: f64,
    },
    /// From step to step the rate rises from `max_lr / div_factor` to `max_lr`, then falls to the
    /// first rate divided by `final_div_factor` in the last step, both along half a cosine wave
    /// (Smith and Topin, 2018). The optimizer's own rate does not matter.
    OneCycle {
        /// The largest rate, above 0.
        max_lr: f64,
        /// Share of the steps in which it rises, 0 to 1; 0.3.
        pct_start: f64,
        /// The largest rate divided by the first, above 0; 25.
        div_factor: f64,
        /// The first rate divided by the last, above 0; 10,000.
        final_div_factor: f64,
    },
}

/// How long a training is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Length {
    /// Walks over the training set.
    pub epochs: usize,
    /// Batches in each, at least 1.
    pub steps_per_epoch: usize,
}

impl Schedule {
    /// One cycle up to `max_lr`, with PyTorch's defaults.
    pub fn one_cycle(max_lr: f64) -> Schedule {
        Schedule::OneCycle { max_lr, pct_start: 0.3, div_factor: 25.0, final_div_factor: 1e4 }
    }

    /// The rate of step `step`, counted from 0, of a training of length `length`, where the
    /// optimizer's own rate is `base_lr`.
    ///
    /// ```
    /// use blitz::optim::schedule::{Length, Schedule};
    ///
    /// let halved = Schedule::Step { every: 1, gamma: 0.5 };
    /// let length = Length { epochs: 3, steps_per_epoch: 10 };
    /// assert_eq!([0, 9, 10, 29].map(|step| halved.lr(0.1, step, length)), [0.1, 0.1, 0.05, 0.025]);
    /// ```
    pub fn lr(&self, base_lr: f64, step: usize, length: Length) -> f64 {
        let epoch = step / length.steps_per_epoch.max(1);
        match *self {
            Schedule::Constant => base_lr,
            // Factor by factor as PyTorch does, so that not even the last bit differs.
            Schedule::Step { every, gamma } => {
                (0..epoch / every.max(1)).fold(base_lr, |lr, _| lr * gamma)
            }
            Schedule::Cosine { epochs, min_lr } => {
                let share = epoch as f64 / epochs.max(1) as f64;
                min_lr + (base_lr - min_lr) * (1.0 + (PI * share).cos()) / 2.0
            }
            Schedule::OneCycle { max_lr, pct_start, div_factor, final_div_factor } => {
                let first = max_lr / div_factor;
                let last = first / final_div_factor;
                let last_step = length.epochs.saturating_mul(length.steps_per_epoch) as f64 - 1.0;
                let top_step = pct_start * (last_step + 1.0) - 1.0;
                let step = (step as f64).min(last_step);
                if step <= top_step {
                    along_cosine(first, max_lr, step / top_step)
                } else {
                    along_cosine(max_lr, last, (step - top_step) / (last_step - top_step))
                }
            }
        }
    }

    /// # Errors
    ///
    /// [`Error::Option`] for a value outside the range that its field names.
    pub fn check(&self) -> Result<()> {
        let positive = |option, value: f64| match value > 0.0 && value.is_finite() {
            true => Ok(()),
            false => Err(Error::option(option, "finite and above 0", value)),
        };
        match *self {
            Schedule::Constant => Ok(()),
            Schedule::Step { every: 0, .. } => Err(Error::option("every", "at least 1", "0")),
            Schedule::Step { gamma, .. } => positive("gamma", gamma),
            Schedule::Cosine { epochs: 0, .. } => Err(Error::option("epochs", "at least 1", "0")),
            Schedule::Cosine { min_lr, .. } => match min_lr >= 0.0 && min_lr.is_finite() {
                true => Ok(()),
                false => Err(Error::option("min_lr", "finite and at least 0", min_lr)),
            },
            Schedule::OneCycle { max_lr, pct_start, div_factor, final_div_factor } => {
                positive("max_lr", max_lr)?;
                positive("div_factor", div_factor)?;
                positive("final_div_factor", final_div_factor)?;
                match (0.0..=1.0).contains(&pct_start) {
                    true => Ok(()),
                    false => Err(Error::option("pct_start", "between 0 and 1", pct_start)),
                }
            }
        }
    }
}

/// From `start` (`share` 0) to `end` (1), slowly at both.
fn along_cosine(start: f64, end: f64, share: f64) -> f64 {
    // 0 / 0 where the way is one step long.
    let share = if share.is_finite() { share } else { 1.0 };
    end + (start - end) / 2.0 * ((PI * share).cos() + 1.0)
}
