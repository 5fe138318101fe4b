//! The losses of a training, step by step, as numbers that a checkpoint can hold.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tch::{Kind, Tensor};

use super::report::{EpochReport, FitReport, LossPoint};
use crate::data::loader::{DataLoader, LoaderState};

/// The most seconds that a training may have taken, a hundred years: times are added to it.
const LONGEST: f64 = 3.2e9;

/// Adds the losses up.
pub(super) struct Log {
    report_every: usize,
    pub(super) report: FitReport,
    /// Steps taken in the present epoch.
    pub(super) epoch_steps: usize,
    /// Sum over the present epoch.
    epoch_loss: f64,
    /// Sum since the last point.
    running_loss: f64,
    lr: Option<f64>,
    /// When this process began, and how long others had trained before.
    started: Instant,
    before: Duration,
    epoch_started: Instant,
    epoch_before: Duration,
}

impl Log {
    pub(super) fn new(report_every: usize) -> Log {
        Log {
            report_every,
            report: FitReport::default(),
            epoch_steps: 0,
            epoch_loss: 0.0,
            running_loss: 0.0,
            lr: None,
            started: Instant::now(),
            before: Duration::ZERO,
            epoch_started: Instant::now(),
            epoch_before: Duration::ZERO,
        }
    }

    /// The present epoch, counted from 1.
    pub(super) fn epoch(&self) -> usize {
        self.report.epochs.len() + 1
    }

    /// How far the training is, in words.
    pub(super) fn place(&self) -> String {
        match self.epoch_steps {
            0 => format!("after epoch {}", self.report.epochs.len()),
            steps => format!("in epoch {} after {steps} steps", self.epoch()),
        }
    }

    /// At the first batch of this process in an epoch.
    pub(super) fn begin_epoch(&mut self) {
        self.epoch_started = Instant::now();
    }

    /// After a step with this loss; how many steps a point is due of, if one is.
    pub(super) fn record(&mut self, loss: f64, lr: Option<f64>) -> Option<usize> {
        self.epoch_steps += 1;
        self.report.steps += 1;
        self.lr = lr;
        self.epoch_loss += loss;
        self.running_loss += loss;
        self.epoch_steps.is_multiple_of(self.report_every).then_some(self.report_every)
    }

    /// At the end of an epoch, before [`Log::end_epoch`]: the steps since the last point, where there
    /// are some.
    pub(super) fn rest(&self) -> Option<usize> {
        let steps = self.epoch_steps % self.report_every;
        (steps > 0).then_some(steps)
    }

    /// The sum of the losses since the last point.
    pub(super) fn running_loss(&self) -> f64 {
        self.running_loss
    }

    /// The sum of the losses of the present epoch.
    pub(super) fn epoch_loss(&self) -> f64 {
        self.epoch_loss
    }

    /// The mean loss of the last `steps` steps, whose losses add up to `sum`.
    pub(super) fn point(&mut self, sum: f64, steps: usize) -> LossPoint {
        let point = LossPoint { step: self.report.steps, loss: sum / steps as f64, lr: self.lr };
        self.report.points.push(point);
        self.running_loss = 0.0;
        point
    }

    /// After an epoch whose losses add up to `sum`.
    pub(super) fn end_epoch(&mut self, sum: f64) {
        self.report.epochs.push(EpochReport {
            steps: self.report.steps,
            loss: sum / self.epoch_steps.max(1) as f64,
            accuracy: None,
            lr: self.lr,
            elapsed: self.epoch_before + self.epoch_started.elapsed(),
        });
        (self.epoch_steps, self.epoch_loss, self.running_loss) = (0, 0.0, 0.0);
        self.epoch_before = Duration::ZERO;
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.before + self.started.elapsed()
    }

    /// Counts and times.
    pub(super) fn to_json(&self) -> Value {
        let running = match self.epoch_steps {
            0 => Duration::ZERO,
            _ => self.epoch_before + self.epoch_started.elapsed(),
        };
        json!({
            "steps": self.report.steps,
            "epoch_steps": self.epoch_steps,
            "seconds": self.elapsed().as_secs_f64(),
            "epoch_seconds": running.as_secs_f64(),
        })
    }

    /// The sums that are not yet part of the report, f64 `[2]`.
    pub(super) fn sums(&self) -> Tensor {
        Tensor::from_slice(&[self.epoch_loss, self.running_loss])
    }

    /// The losses, whose last bits a text might lose. NaN stands for what is not known. `sums` are
    /// those of all processes, f64 `[world, 2]`.
    pub(super) fn tensors(&self, sums: Tensor) -> Vec<(String, Tensor)> {
        let or_nan = |value: Option<f64>| value.unwrap_or(f64::NAN);
        let points = self.report.points.iter();
        let points = points.flat_map(|point| [point.step as f64, point.loss, or_nan(point.lr)]);
        let epochs = self.report.epochs.iter().flat_map(|epoch| {
            [epoch.loss, or_nan(epoch.accuracy), or_nan(epoch.lr), epoch.elapsed.as_secs_f64()]
        });
        let tensor = |values: Vec<f64>, width| Tensor::from_slice(&values).view([-1, width]);
        vec![
            ("report.points".to_owned(), tensor(points.collect(), 3)),
            ("report.epochs".to_owned(), tensor(epochs.collect(), 4)),
            ("report.sums".to_owned(), sums),
        ]
    }

    /// What [`Log::to_json`] and [`Log::tensors`] wrote, with the sums of process `rank` of `world_size`,
    /// or, where they were another number of processes, with the mean of all; `None` where something
    /// is missing.
    pub(super) fn restore(
        report_every: usize,
        (rank, world_size): (usize, usize),
        json: &Value,
        tensors: &[(String, Tensor)],
    ) -> Option<Log> {
        let numbers = |name: &str, width: usize| -> Option<Vec<f64>> {
            let (_, tensor) = tensors.iter().find(|(known, _)| known == name)?;
            let fits = tensor.kind() == Kind::Double && tensor.numel().is_multiple_of(width);
            fits.then(|| Vec::try_from(tensor.view(-1)).ok())?
        };
        let known = |value: f64| (!value.is_nan()).then_some(value);
        let seconds = |value: f64| (value <= LONGEST).then(|| Duration::try_from_secs_f64(value));
        let seconds = |value: f64| seconds(value)?.ok();
        let points = numbers("report.points", 3)?;
        let point =
            |row: &[f64]| LossPoint { step: row[0] as usize, loss: row[1], lr: known(row[2]) };
        let epochs = numbers("report.epochs", 4)?;
        let [steps, epoch_steps] =
            ["steps", "epoch_steps"].map(|name| Some(json[name].as_u64()? as usize));
        let (steps, epoch_steps) = (steps?, epoch_steps?);
        // Epochs of one loader are of one length.
        let steps_per_epoch = steps.checked_sub(epoch_steps)? / (epochs.len() / 4).max(1);
        let epoch = |(index, row): (usize, &[f64])| {
            let (loss, accuracy, lr) = (row[0], known(row[1]), known(row[2]));
            let steps = steps_per_epoch * (index + 1);
            Some(EpochReport { steps, loss, accuracy, lr, elapsed: seconds(row[3])? })
        };
        let sums = numbers("report.sums", 2)?;
        let rows = sums.chunks_exact(2);
        let mean = |column: usize| {
            let sum: f64 = rows.clone().map(|row| row[column]).sum();
            (rows.len() > 0).then(|| sum / rows.len() as f64)
        };
        let sum = |column: usize| match rows.len() == world_size {
            true => rows.clone().nth(rank).map(|row| row[column]),
            false => mean(column),
        };
        let report = FitReport {
            points: points.chunks_exact(3).map(point).collect(),
            epochs: epochs.chunks_exact(4).enumerate().map(epoch).collect::<Option<_>>()?,
            steps,
            elapsed: Duration::ZERO,
            interrupted: None,
        };
        Some(Log {
            epoch_steps,
            epoch_loss: sum(0)?,
            running_loss: sum(1)?,
            lr: report.epochs.last().and_then(|epoch| epoch.lr),
            before: seconds(json["seconds"].as_f64()?)?,
            epoch_before: seconds(json["epoch_seconds"].as_f64()?)?,
            report,
            ..Log::new(report_every)
        })
    }

    /// Whether a training by this loader can have got as far as this, where the loader has got as
    /// far as `state`.
    pub(super) fn agrees(&self, state: &LoaderState, train_loader: &DataLoader) -> bool {
        let epochs = self.report.epochs.len();
        let most = epochs.saturating_mul(train_loader.len()).saturating_add(self.epoch_steps);
        let step =
            i128::from(train_loader.options().batch_size) * i128::from(train_loader.processes());
        // Of all processes, which may have been others.
        let taken = i128::from(state.images_taken) * i128::from(state.processes);
        let images = step * self.epoch_steps as i128;
        let running = usize::from(self.epoch_steps > 0);
        self.epoch_steps < train_loader.len()
            && (self.epoch_steps..=most).contains(&self.report.steps)
            && taken >= images
            && state.epochs_begun >= (epochs + running) as u64
    }
}
