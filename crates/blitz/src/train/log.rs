//! The losses of a training, step by step.

use std::time::Instant;

use super::view::View;
use super::{LossPoint, TrainReport};
use crate::error::{Error, Result};

/// Adds the losses up, and passes what there is to see to the view.
pub(super) struct Log {
    view: View,
    report_every: usize,
    started: Instant,
    /// Of the epochs before this one.
    report: TrainReport,
    /// The present epoch, counted from 1.
    epoch: usize,
    /// Steps taken in the present epoch.
    steps: usize,
    /// Sum over the present epoch.
    epoch_loss: f64,
    /// Sum since the last point.
    running_loss: f64,
}

impl Log {
    pub(super) fn new(view: View, report_every: usize) -> Log {
        Log {
            view,
            report_every,
            started: Instant::now(),
            report: TrainReport::default(),
            epoch: 0,
            steps: 0,
            epoch_loss: 0.0,
            running_loss: 0.0,
        }
    }

    pub(super) fn begin_epoch(&mut self) {
        self.epoch += 1;
        (self.steps, self.epoch_loss, self.running_loss) = (0, 0.0, 0.0);
    }

    /// After a step with this loss.
    pub(super) fn record(&mut self, loss: f64) -> Result<()> {
        self.steps += 1;
        if !loss.is_finite() {
            return Err(Error::LossNotFinite { epoch: self.epoch, step: self.steps, loss });
        }
        self.epoch_loss += loss;
        self.running_loss += loss;
        if self.steps.is_multiple_of(self.report_every) {
            let loss = self.running_loss / self.report_every as f64;
            let point = LossPoint { step: self.report.steps + self.steps, loss };
            self.view.point(self.epoch, self.steps, point)?;
            self.report.points.push(point);
            self.running_loss = 0.0;
        }
        self.view.step();
        Ok(())
    }

    pub(super) fn end_epoch(&mut self) {
        self.report.steps += self.steps;
        self.report.epoch_losses.push(self.epoch_loss / self.steps.max(1) as f64);
    }

    /// After the last epoch.
    pub(super) fn finish(mut self) -> Result<TrainReport> {
        self.report.elapsed = self.started.elapsed();
        self.view.finish(&self.report)?;
        Ok(self.report)
    }

    /// Where an interrupted training stopped, and what it leaves behind.
    pub(super) fn stopped(&self) -> String {
        let (epoch, steps) = (self.epoch, self.steps);
        format!(
            "stopped in epoch {epoch} after {steps} steps; the net keeps what it learned, and \
             another training continues with the loader's next epoch"
        )
    }
}
