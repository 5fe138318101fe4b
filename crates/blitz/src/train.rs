//! The training loop of the tutorial.

mod log;
mod view;

use std::time::Duration;

use tch::nn::{Module, Optimizer};
use tch::{Reduction, Tensor};

use crate::error::{Error, Result};
use crate::interrupt::Watch;
use crate::loader::{Batch, DataLoader};
use crate::plot::Series;

use log::Log;
pub use view::Progress;
use view::View;

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
/// labels, [`Error::LossNotFinite`] as soon as the loss is NaN or infinite, [`Error::Interrupted`]
/// where the person asked to stop: the net keeps what it learned, and another training continues
/// from there with the loader's next epoch.
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
    train_with_progress(net, optimizer, train_loader, options, Progress::Lines)
}

/// As [`train`], with a choice of what to see meanwhile. With [`Progress::Live`], a
/// `options.report_every` of 100 or so gives a curve that moves.
///
/// # Errors
///
/// As [`train`], and [`Error::Draw`] where the live curve cannot be drawn.
///
/// # Panics
///
/// As [`train`].
pub fn train_with_progress(
    net: &impl Module,
    optimizer: &mut Optimizer,
    train_loader: &mut DataLoader,
    options: &TrainOptions,
    progress: Progress,
) -> Result<TrainReport> {
    check(options)?;
    let watch = Watch::new();
    let steps = options.epochs * train_loader.len();
    let mut log = Log::new(View::new(progress, steps), options.report_every);
    for _ in 0..options.epochs {
        log.begin_epoch();
        let mut batches = train_loader.epoch();
        while let Some(batch) = batches.advance() {
            watch.check_during("train", || log.stopped())?;
            log.record(train_step(net, optimizer, &batch)?)?;
        }
        log.end_epoch();
    }
    log.finish()
}

/// One step of the optimizer; returns the batch's loss.
fn train_step(net: &impl Module, optimizer: &mut Optimizer, batch: &Batch) -> Result<f64> {
    optimizer.zero_grad();
    let logits = net.forward(&batch.images);
    let loss = cross_entropy(&logits, &batch.labels)?;
    loss.f_backward()?;
    optimizer.step();
    Ok(loss.f_double_value(&[])?)
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
