//! A training between its beginning and its end: what is counted, seen and saved.

use serde_json::json;
use tch::Tensor;

use super::found::Found;
use super::log::Log;
use super::options::FitOptions;
use super::ranks::{Ranks, Stop};
use super::report::FitReport;
use super::view::View;
use crate::checkpoint::{Every, Existing, Saved, Snapshot, Store};
use crate::data::loader::{DataLoader, LoaderState};
use crate::display::interrupt;
use crate::error::{Error, Result};
use crate::optim::Optimizer;
use crate::optim::schedule::Schedule;

/// Before the names of the optimizer's tensors in a checkpoint.
const OPTIMIZER: &str = "optimizer.";

pub(super) struct Session {
    log: Log,
    view: View,
    ranks: Ranks,
    /// Of rank 0, where checkpoints are wanted.
    store: Option<Store>,
    /// When a checkpoint is due, on all ranks.
    every: Option<Every>,
    /// The optimizer's own learning rate, where it can be asked for.
    base_lr: Option<f64>,
    /// What a resumed training must have in common with this one.
    settings: Settings,
}

/// The options that decide what is computed, in words.
pub(super) struct Settings {
    optimizer: String,
    schedule: String,
    report_every: usize,
}

impl Session {
    /// A training from the start.
    pub(super) fn begin(
        optimizer: &impl Optimizer,
        train_loader: &DataLoader,
        options: &FitOptions,
    ) -> Result<Session> {
        let ranks = Ranks::of(train_loader);
        let opened = open(&ranks, optimizer, train_loader, options).and_then(|store| {
            store.as_ref().map_or(Ok(()), Store::begin)?;
            Ok((store, common(optimizer, train_loader, options)))
        });
        let store = ranks.agree(opened)?;
        let log = Log::new(options.report_every);
        let steps = options.epochs.saturating_mul(train_loader.len());
        let view = view(&ranks, options, steps);
        Ok(Session {
            log,
            view,
            ranks,
            store,
            every: options.checkpoint.as_ref().map(|checkpoint| checkpoint.every),
            base_lr: optimizer.lr(),
            settings: Settings::of(optimizer, options),
        })
    }

    /// A training from its newest checkpoint on, whose state everything gets.
    pub(super) fn resume(
        optimizer: &mut impl Optimizer,
        train_loader: &mut DataLoader,
        options: &FitOptions,
    ) -> Result<Session> {
        let Some(checkpoint) = &options.checkpoint else {
            return Err(Error::option("checkpoint", "the one that fit was called with", "None"));
        };
        let ranks = Ranks::of(train_loader);
        let opened = open(&ranks, optimizer, train_loader, options)
            .map(|store| (store, common(optimizer, train_loader, options)));
        let store = ranks.agree(opened)?;
        let settings = Settings::of(optimizer, options);
        let nothing = || Error::option("checkpoint", "open on rank 0", "nothing");
        let saved = ranks.share_saved(|| store.as_ref().ok_or_else(nothing)?.newest())?;
        settings.check(&saved)?;
        let json = &saved.progress["log"];
        let log = Log::restore(options.report_every, ranks.place(), json, &saved.tensors)
            .ok_or_else(|| saved.damaged("the losses are missing"))?;
        // All of these check first, and the net, whose names and shapes are checked, is the last.
        let loader = LoaderState::from_json(&saved.progress["loader"])
            .map_err(|error| saved.damaged(error.to_string()))?;
        let momentum = saved.tensors.iter().filter_map(|(name, tensor)| {
            Some((name.strip_prefix(OPTIMIZER)?.to_owned(), tensor.shallow_clone()))
        });
        let momentum: Vec<_> = momentum.collect();
        // Of the state of another loader there is nothing else to say.
        let is_same = loader.fingerprint == train_loader.state().fingerprint;
        if is_same && !log.agrees(&loader, train_loader) {
            return Err(saved.damaged("its steps and epochs do not agree"));
        }
        train_loader.resume(&loader).map_err(|error| match is_same {
            true => saved.damaged(error.to_string()),
            false => error,
        })?;
        optimizer.load_state(&momentum)?;
        ranks.restore(store.as_ref(), &checkpoint.variables, &saved)?;
        let steps = options.epochs.saturating_mul(train_loader.len());
        let steps = steps.saturating_sub(log.report.steps);
        let mut view = view(&ranks, options, steps);
        view.other_processes(loader.processes, train_loader.processes());
        view.replay(&log.report, train_loader.len())?;
        let (every, base_lr) = (Some(checkpoint.every), optimizer.lr());
        Ok(Session { log, view, ranks, store, every, base_lr, settings })
    }

    /// Whether `fit` is to go on with an interrupted training that it finds in its directory, as
    /// [`Existing::Continue`] has it. Says what becomes of one that it finds.
    pub(super) fn goes_on(
        optimizer: &impl Optimizer,
        train_loader: &DataLoader,
        options: &FitOptions,
    ) -> Result<bool> {
        let Some(checkpoint) = &options.checkpoint else { return Ok(false) };
        if checkpoint.existing != Existing::Continue {
            return Ok(false);
        }
        let ranks = Ranks::of(train_loader);
        let found = match ranks.is_main() {
            true => Found::look(&ranks, optimizer, train_loader, options),
            false => Ok(Found::Nothing),
        };
        if let (true, Ok(found)) = (ranks.is_main(), &found) {
            found.tell(&checkpoint.dir);
        }
        let goes_on = found.map(|found| matches!(found, Found::Interrupted(_)));
        ranks.of_main(goes_on)
    }

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
        match self.every {
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
        if self.every.is_none() {
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
        let next = match (&self.store, self.every) {
            (Some(store), _) => format!("resume continues from here ({})", store.dir().display()),
            (None, Some(_)) => "resume continues from here".to_owned(),
            (None, None) => "another fit continues with the loader's next epoch".to_owned(),
        };
        let state = format!("stopped {place}; the net keeps what it learned, and {next}");
        Error::Interrupted { operation: "fit", state }
    }

    /// After an interrupt, which the notebook's cell is told of.
    pub(super) fn stop(mut self, error: &Error) -> Result<FitReport> {
        self.log.report.interrupted = Some(self.log.place());
        let report = self.finish()?;
        interrupt::end_cell(&error.to_string());
        Ok(report)
    }

    /// After the last epoch.
    pub(super) fn finish(mut self) -> Result<FitReport> {
        self.log.report.elapsed = self.log.elapsed();
        self.view.finish(&self.log.report)?;
        Ok(self.log.report)
    }
}

impl Settings {
    pub(super) fn of(optimizer: &impl Optimizer, options: &FitOptions) -> Settings {
        // One cycle is as long as the training.
        let length = match options.schedule {
            Schedule::OneCycle { .. } => format!(" over {} epochs", options.epochs),
            _ => String::new(),
        };
        Settings {
            optimizer: optimizer.describe(),
            schedule: format!("{:?}{length}", options.schedule),
            report_every: options.report_every,
        }
    }

    /// Whether the checkpoint was made with the same ones.
    pub(super) fn check(&self, saved: &Saved) -> Result<()> {
        let report_every = self.report_every.to_string();
        let was = &saved.progress;
        let text = |value: &serde_json::Value| match value {
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        for (option, is, was) in [
            ("optimizer", &self.optimizer, text(&was["optimizer"])),
            ("schedule", &self.schedule, text(&was["schedule"])),
            ("report_every", &report_every, text(&was["report_every"])),
        ] {
            if *is != was {
                let expected = format!("{was}, as in the checkpoint");
                return Err(Error::option(option, expected, is));
            }
        }
        Ok(())
    }
}

/// What all ranks must have in common, in words.
fn common(optimizer: &impl Optimizer, train_loader: &DataLoader, options: &FitOptions) -> String {
    let FitOptions { epochs, report_every, checkpoint, schedule, .. } = options;
    let saved = match checkpoint {
        Some(checkpoint) => format!("checkpoints ({:?})", checkpoint.every),
        None => "no checkpoints".to_owned(),
    };
    format!(
        "{epochs} epochs of {} batches, report_every {report_every}, {schedule:?}, {saved}, {}",
        train_loader.len(),
        optimizer.describe()
    )
}

fn view(ranks: &Ranks, options: &FitOptions, steps: usize) -> View {
    match ranks.is_main() {
        true => View::new(options.progress, steps),
        false => View::Nothing,
    }
}

/// Checks the options, and opens the directory of checkpoints on rank 0.
pub(super) fn open(
    ranks: &Ranks,
    optimizer: &impl Optimizer,
    train_loader: &DataLoader,
    options: &FitOptions,
) -> Result<Option<Store>> {
    if options.report_every == 0 {
        return Err(Error::option("report_every", "at least 1", "0"));
    }
    options.schedule.check()?;
    if options.schedule != Schedule::Constant && optimizer.lr().is_none() {
        let expected = "Constant with tch's own optimizers; blitz::optim::Sgd takes every schedule";
        return Err(Error::option("schedule", expected, format!("{:?}", options.schedule)));
    }
    let Some(checkpoint) = &options.checkpoint else { return Ok(None) };
    if optimizer.state().is_none() {
        let expected = "None with tch's own optimizers, which do not give out their momentum; \
                        blitz::optim::Sgd can be saved";
        return Err(Error::option("checkpoint", expected, checkpoint.dir.display()));
    }
    match ranks.is_main() {
        true => Store::open(checkpoint, train_loader.device()).map(Some),
        false => Ok(None),
    }
}
