//! A training between its beginning and its end: what is counted, seen and saved.

mod start;

use serde_json::json;
use tch::Tensor;

use super::log::Log;
use super::ranks::{Ranks, Stop};
use super::report::FitReport;
use super::settings::Settings;
use super::view::View;
use crate::checkpoint::{CheckpointOptions, Every, Existing, Snapshot, Store};
use crate::data::loader::LoaderState;
use crate::display::interrupt;
use crate::error::{Error, Result};
use crate::optim::Optimizer;

/// Before the names of the optimizer's tensors in a checkpoint.
const OPTIMIZER: &str = "optimizer.";

/// What a training must know of its checkpoints.
#[derive(Clone, Copy)]
struct Saving {
    every: Every,
    existing: Existing,
}

impl Saving {
    fn of(options: &CheckpointOptions) -> Saving {
        Saving { every: options.every, existing: options.existing }
    }
}

pub(super) struct Session {
    log: Log,
    view: View,
    ranks: Ranks,
    /// Of rank 0, where checkpoints are wanted.
    store: Option<Store>,
    /// Where there are checkpoints, on all ranks.
    saving: Option<Saving>,
    /// The optimizer's own learning rate, where it can be asked for.
    base_lr: Option<f64>,
    /// What a resumed training must have in common with this one.
    settings: Settings,
}

impl Session {
    /// Whether other processes take part.
    pub(super) fn has_others(&self) -> bool {
        self.ranks.are_many()
    }

    pub(super) fn base_lr(&self) -> Option<f64> {
        self.base_lr
    }

    pub(super) fn epochs_done(&self) -> usize {
        self.log.report.epochs.len()
    }

    /// Steps taken since training began.
    pub(super) fn steps(&self) -> usize {
        self.log.report.steps
    }

    pub(super) fn begin_epoch(&mut self) {
        self.log.begin_epoch();
    }

    /// Before a batch is taken: whether the person, at any rank, wants to stop.
    ///
    /// # Errors
    ///
    /// The loss of another rank is NaN or infinite.
    pub(super) fn stops(&mut self, is_requested: bool) -> Result<bool> {
        if is_requested {
            self.ranks.interrupt();
        }
        match self.ranks.stop()? {
            None => Ok(false),
            Some(Stop::Interrupted) => Ok(true),
            Some(Stop::Failed(error)) => Err(error),
        }
    }

    /// `error` of a step, where another process is its cause.
    pub(super) fn explain(&self, error: Error) -> Error {
        self.ranks.explain(error)
    }

    /// After the first step.
    pub(super) fn check_parameters(&self, parameters: &[Tensor]) -> Result<()> {
        self.ranks.check_parameters(parameters)
    }

    /// After a step with this loss.
    pub(super) fn record(&mut self, loss: f64, lr: Option<f64>) -> Result<()> {
        let epoch = self.log.epoch();
        let due = self.log.record(loss, lr);
        self.ranks.check_loss(epoch, self.log.epoch_steps, loss)?;
        if let Some(steps) = due {
            self.point(steps, None)?;
        }
        self.view.step();
        Ok(())
    }

    /// The mean loss of the last `steps` steps, over all ranks.
    fn point(&mut self, steps: usize, rest: Option<usize>) -> Result<()> {
        let sum = self.ranks.mean(self.log.running_loss())?;
        // All ranks see it in the mean at once.
        if !sum.is_finite()
            && let Some(Stop::Failed(error)) = self.ranks.reason()?
        {
            return Err(error);
        }
        let point = self.log.point(sum, steps);
        self.view.point(self.log.epoch(), self.log.epoch_steps, point, rest)
    }

    /// After the last step of an epoch, which shows the loss of the steps since the last line.
    pub(super) fn end_epoch(&mut self) -> Result<()> {
        if let Some(steps) = self.log.rest() {
            self.point(steps, Some(steps))?;
        }
        let sum = self.ranks.mean(self.log.epoch_loss())?;
        self.log.end_epoch(sum);
        Ok(())
    }

    /// Whether the person, at any rank, stopped the evaluation.
    pub(super) fn stopped_evaluating(&mut self, is_interrupted: bool) -> Result<bool> {
        if is_interrupted {
            self.ranks.interrupt();
        }
        match self.ranks.are_many() {
            true => Ok(matches!(self.ranks.reason()?, Some(Stop::Interrupted))),
            false => Ok(self.ranks.stop()?.is_some()),
        }
    }

    pub(super) fn lacks_accuracy(&self) -> bool {
        let last = self.log.report.epochs.last();
        self.log.epoch_steps == 0 && last.is_some_and(|epoch| epoch.accuracy.is_none())
    }

    /// After the evaluation that follows an epoch.
    pub(super) fn record_accuracy(&mut self, accuracy: f64) -> Result<()> {
        if let Some(epoch) = self.log.report.epochs.last_mut() {
            epoch.accuracy = Some(accuracy);
        }
        self.view.accuracy(self.epochs_done(), self.steps(), accuracy)
    }

    /// Whether a checkpoint within the epoch is due.
    pub(super) fn is_save_due(&self) -> bool {
        match self.saving.map(|it| it.every) {
            Some(Every::Steps(steps)) => self.log.epoch_steps.is_multiple_of(steps),
            Some(Every::Epoch) | None => false,
        }
    }

    /// Saves a checkpoint, where there are any. `loader` tells the train loader's position.
    pub(super) fn save(
        &self,
        optimizer: &impl Optimizer,
        loader: impl FnOnce() -> LoaderState,
    ) -> Result<()> {
        if self.saving.is_none() {
            return Ok(());
        }
        let mut tensors = self.log.tensors(self.ranks.gather(self.log.sums())?);
        tensors.extend(self.ranks.generators()?);
        let Some(store) = &self.store else { return self.ranks.told(Ok(())) };
        for (name, tensor) in optimizer.state().unwrap_or_default() {
            tensors.push((format!("{OPTIMIZER}{name}"), tensor));
        }
        let progress = json!({
            "log": self.log.to_json(),
            "loader": loader().to_json(),
            "optimizer": self.settings.optimizer,
            "schedule": self.settings.schedule,
            "report_every": self.settings.report_every,
        });
        self.ranks.told(store.save(&Snapshot { step: self.steps(), tensors, progress }))
    }

    /// The error that an interrupt becomes.
    pub(super) fn interrupted(&self) -> Error {
        let place = self.log.place();
        // The same call goes on by itself.
        let continues = |saving: &Saving| saving.existing == Existing::Continue;
        let next = match (self.saving.as_ref().map(continues), &self.store) {
            (Some(true), Some(store)) => {
                format!("run the cell again to continue from here ({})", store.dir().display())
            }
            (Some(true), None) => "run the cell again to continue from here".to_owned(),
            (Some(false), Some(store)) => {
                format!("resume continues from here ({})", store.dir().display())
            }
            (Some(false), None) => "resume continues from here".to_owned(),
            (None, _) => "another fit continues with the loader's next epoch".to_owned(),
        };
        let state = format!("stopped {place}; the net keeps what it learned, and {next}");
        Error::Interrupted { operation: "fit", state }
    }

    /// After an interrupt, which the notebook's cell is told of.
    pub(super) fn stop(mut self, state: &str) -> Result<FitReport> {
        self.log.report.interrupted = Some(self.log.place());
        let report = self.finish()?;
        interrupt::end_cell(&format!("fit {state}"));
        Ok(report)
    }

    /// After the last epoch.
    pub(super) fn finish(mut self) -> Result<FitReport> {
        self.log.report.elapsed = self.log.elapsed();
        self.view.finish(&self.log.report)?;
        Ok(self.log.report)
    }
}
