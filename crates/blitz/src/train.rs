//! The training loop of the tutorial.

use std::time::{Duration, Instant};

use tch::nn::{Module, Optimizer};
use tch::{Reduction, Tensor};

use crate::error::{Error, Result};
use crate::loader::DataLoader;
use crate::plot::Series;

/// How long and how talkatively to train.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrainOptions {
    /// Walks over the whole training set; 2.
    pub epochs: usize,
    /// Steps from one printed line to the next, at least 1; 2,000. A line gives the mean loss of
    /// these steps.
    pub report_every: usize,
}

impl Default for TrainOptions {
    fn default() -> TrainOptions {
        TrainOptions { epochs: 2, report_every: 2_000 }
    }
}

/// A printed line as numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LossPoint {
    /// Steps since training began.
    pub step: usize,
    /// Mean loss of the last `report_every` steps.
    pub loss: f64,
}

/// What happened during training.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrainReport {
    /// The printed losses.
    pub points: Vec<LossPoint>,
    /// The mean loss of each epoch.
    pub epoch_losses: Vec<f64>,
    /// Steps taken.
    pub steps: usize,
    /// Time taken.
    pub elapsed: Duration,
}

impl TrainReport {
    /// The printed losses as a line for [`crate::plot::loss_plot`].
    pub fn series(&self, name: impl Into<String>) -> Series {
        let points = self.points.iter().map(|point| (point.step as f64, point.loss)).collect();
        Series { name: name.into(), points }
    }
}

/// Trains `net` with cross-entropy loss, and prints the running loss as the tutorial does:
/// `[1,  2000] loss: 2.170` is epoch 1, step 2,000.
///
/// The optimizer's parameters (those of the net's `VarStore`) are modified, and the loader moves
/// on by `options.epochs` epochs.
///
/// # Errors
///
/// [`Error::Option`] for `report_every` 0, [`Error::Torch`] where the net's logits do not fit the
/// labels, [`Error::LossNotFinite`] as soon as the loss is NaN or infinite.
///
/// # Panics
///
/// Where the net itself does, given images that it was not made for.
pub fn train(
    net: &impl Module,
    optimizer: &mut Optimizer,
    train_loader: &mut DataLoader,
    options: &TrainOptions,
) -> Result<TrainReport> {
    check(options)?;
    let started = Instant::now();
    let mut report = TrainReport::default();
    for epoch in 1..=options.epochs {
        let mut epoch_loss = 0.0;
        let mut running_loss = 0.0;
        let mut steps = 0;
        for batch in train_loader.epoch() {
            optimizer.zero_grad();
            let logits = net.forward(&batch.images);
            let loss = cross_entropy(&logits, &batch.labels)?;
            loss.f_backward()?;
            optimizer.step();

            steps += 1;
            let loss = loss.f_double_value(&[])?;
            if !loss.is_finite() {
                return Err(Error::LossNotFinite { epoch, step: steps, loss });
            }
            epoch_loss += loss;
            running_loss += loss;
            if steps % options.report_every == 0 {
                let loss = running_loss / options.report_every as f64;
                println!("{}", progress_line(epoch, steps, loss));
                report.points.push(LossPoint { step: report.steps + steps, loss });
                running_loss = 0.0;
            }
        }
        report.steps += steps;
        report.epoch_losses.push(epoch_loss / steps.max(1) as f64);
    }
    report.elapsed = started.elapsed();
    println!("Finished training: {} steps in {:.1} s", report.steps, report.elapsed.as_secs_f64());
    Ok(report)
}

/// The mean of `-log softmax(logits)[label]` over the batch (`nn.CrossEntropyLoss()`), a scalar.
///
/// `logits` is f32 `[N, classes]` and `labels` i64 `[N]`.
fn cross_entropy(logits: &Tensor, labels: &Tensor) -> Result<Tensor> {
    let no_weight: Option<Tensor> = None;
    let ignore_index = -100; // PyTorch's default: no label is ignored
    logits
        .f_cross_entropy_loss(labels, no_weight, Reduction::Mean, ignore_index, 0.0)
        .map_err(Error::torch("the cross-entropy of the net's logits and the labels"))
}

fn progress_line(epoch: usize, step: usize, loss: f64) -> String {
    format!("[{epoch}, {step:5}] loss: {loss:.3}")
}

fn check(options: &TrainOptions) -> Result<()> {
    if options.report_every == 0 {
        return Err(Error::Option {
            option: "report_every",
            expected: "at least 1".to_owned(),
            got: "0".to_owned(),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_the_tutorials() {
        assert_eq!(progress_line(1, 2000, 2.1704), "[1,  2000] loss: 2.170");
        assert_eq!(progress_line(2, 12000, 1.2), "[2, 12000] loss: 1.200");
    }
}
