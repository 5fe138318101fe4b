//! A training between its beginning and its end: what is counted, seen and saved.

use serde_json::json;

use super::log::Log;
use super::options::FitOptions;
use super::report::FitReport;
use super::view::View;
use crate::checkpoint::{Every, Saved, Snapshot, Store};
use crate::data::loader::{DataLoader, LoaderState};
use crate::error::{Error, Result};
use crate::optim::Optimizer;
use crate::optim::schedule::Schedule;

/// Before the names of the optimizer's tensors in a checkpoint.
const OPTIMIZER: &str = "optimizer.";

pub(super) struct Session {
    log: Log,
    view: View,
    store: Option<Store>,
    /// The optimizer's own learning rate, where it can be asked for.
    base_lr: Option<f64>,
    /// What a resumed training must have in common with this one.
    settings: Settings,
}

/// The options that decide what is computed, in words.
struct Settings {
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
        let store = open(optimizer, train_loader, options)?;
        if let Some(store) = &store {
            store.begin()?;
        }
        let log = Log::new(options.report_every);
        let steps = options.epochs.saturating_mul(train_loader.len());
        let view = View::new(options.progress, steps);
        Ok(Session {
            log,
            view,
            store,
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
        let Some(store) = open(optimizer, train_loader, options)? else {
            return Err(Error::option("checkpoint", "the one that fit was called with", "None"));
        };
        let settings = Settings::of(optimizer, options);
        let saved = store.newest()?;
        settings.check(&saved)?;
        let log = Log::restore(options.report_every, &saved.progress["log"], &saved.tensors)
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
        store.restore(&saved)?;
        let steps = options.epochs.saturating_mul(train_loader.len());
        let steps = steps.saturating_sub(log.report.steps);
        let mut view = View::new(options.progress, steps);
        view.replay(&log.report, train_loader.len())?;
        Ok(Session { log, view, store: Some(store), base_lr: optimizer.lr(), settings })
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

    /// After a step with this loss.
    pub(super) fn record(&mut self, loss: f64, lr: Option<f64>) -> Result<()> {
        let epoch = self.log.epoch();
        if let Some(point) = self.log.record(loss, lr)? {
            self.view.point(epoch, self.log.epoch_steps, point, None)?;
        }
        self.view.step();
        Ok(())
    }

    /// After the last step of an epoch, which shows the loss of the steps since the last line.
    pub(super) fn end_epoch(&mut self) -> Result<()> {
        let (epoch, step) = (self.log.epoch(), self.log.epoch_steps);
        let rest = self.log.rest();
        self.log.end_epoch();
        match rest {
            Some((point, steps)) => self.view.point(epoch, step, point, Some(steps)),
            None => Ok(()),
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
        match self.store.as_ref().map(Store::every) {
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
        let Some(store) = &self.store else { return Ok(()) };
        let mut tensors = self.log.tensors();
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
        store.save(&Snapshot { step: self.steps(), tensors, progress })
    }

    /// The error that an interrupt becomes.
    pub(super) fn interrupted(&self) -> Error {
        let place = match self.log.epoch_steps {
            0 => format!("after epoch {}", self.epochs_done()),
            steps => format!("in epoch {} after {steps} steps", self.log.epoch()),
        };
        let next = match &self.store {
            Some(store) => format!("resume continues from here ({})", store.dir().display()),
            None => "another fit continues with the loader's next epoch".to_owned(),
        };
        let state = format!("stopped {place}; the net keeps what it learned, and {next}");
        Error::Interrupted { operation: "fit", state }
    }

    /// After the last epoch.
    pub(super) fn finish(mut self) -> Result<FitReport> {
        self.log.report.elapsed = self.log.elapsed();
        self.view.finish(&self.log.report)?;
        Ok(self.log.report)
    }
}

impl Settings {
    fn of(optimizer: &impl Optimizer, options: &FitOptions) -> Settings {
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
    fn check(&self, saved: &Saved) -> Result<()> {
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

/// Checks the options, and opens the directory of checkpoints.
fn open(
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
    Store::open(checkpoint, train_loader.device()).map(Some)
}
