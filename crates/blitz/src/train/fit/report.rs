//! What happened during a training.

use std::time::Duration;

use crate::picture::plot::Series;

/// A printed line as numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LossPoint {
    /// Steps since training began.
    pub step: usize,
    /// Mean loss of the steps since the line before it in the same epoch: `report_every`, or fewer
    /// at the end of the epoch.
    pub loss: f64,
    /// Learning rate of the last of them; `None` with tch's own optimizers.
    pub lr: Option<f64>,
}

/// An epoch as numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EpochReport {
    /// Steps since training began, at its end.
    pub steps: usize,
    /// Mean loss of its steps.
    pub loss: f64,
    /// Accuracy on the test images after it, 0 to 1; `None` without a test loader.
    pub accuracy: Option<f64>,
    /// Learning rate of its last step; `None` with tch's own optimizers.
    pub lr: Option<f64>,
    /// Time taken by its training.
    pub elapsed: Duration,
}

/// What happened during a training.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FitReport {
    /// The printed losses. Each epoch ends with one.
    pub points: Vec<LossPoint>,
    /// The epochs.
    pub epochs: Vec<EpochReport>,
    /// Steps taken.
    pub steps: usize,
    /// Time taken, evaluations and checkpoints included.
    pub elapsed: Duration,
    /// Where the person stopped it, in words; `None` for a training that came to its end.
    pub interrupted: Option<String>,
}

impl FitReport {
    /// The printed losses over the steps, as a line for [`crate::picture::plot::loss_plot`].
    pub fn series(&self, name: impl Into<String>) -> Series {
        Series::new(name, self.points.iter().map(|point| (point.step as f64, point.loss)))
    }

    /// The learning rates at the printed losses, over the steps.
    pub fn lr_series(&self, name: impl Into<String>) -> Series {
        let point = |point: &LossPoint| Some((point.step as f64, point.lr?));
        Series::new(name, self.points.iter().filter_map(point))
    }

    /// The accuracies after the epochs, over the steps, as [`FitReport::series`]; on their own axis.
    pub fn accuracy_series(&self, name: impl Into<String>) -> Series {
        let point = |epoch: &EpochReport| Some((epoch.steps as f64, epoch.accuracy?));
        Series::accuracy(name, self.epochs.iter().filter_map(point))
    }
}
