//! How a training starts: anew, or from its newest checkpoint.

use tch::Tensor;

use super::{OPTIMIZER, Saving, Session};
use crate::checkpoint::{CheckpointOptions, Existing, Saved, Store};
use crate::data::loader::DataLoader;
use crate::error::{Error, Result};
use crate::optim::Optimizer;
use crate::optim::schedule::Schedule;
use crate::train::fit::found::{Found, Position};
use crate::train::fit::log::Log;
use crate::train::fit::options::FitOptions;
use crate::train::fit::ranks::Ranks;
use crate::train::fit::settings::Settings;
use crate::train::fit::view::View;

impl Session {
    /// A training from the start, or, as [`Existing::Continue`] has it, the rest of an interrupted
    /// one that is in the directory. Says what becomes of one that it finds.
    pub(in crate::train::fit) fn begin(
        optimizer: &mut impl Optimizer,
        train_loader: &mut DataLoader,
        options: &FitOptions,
    ) -> Result<Session> {
        let opened = Opened::of(optimizer, train_loader, options)?;
        if let Some(checkpoint) = &options.checkpoint
            && checkpoint.existing == Existing::Continue
        {
            let (goes_on, saved) = match opened.look(train_loader, options) {
                Ok(found) => {
                    found.tell(&checkpoint.dir);
                    let saved = found.into_saved();
                    (Ok(saved.is_some()), saved)
                }
                Err(error) => (Err(error), None),
            };
            if opened.ranks.of_main(goes_on)? {
                return opened.go_on(optimizer, train_loader, options, (checkpoint, saved));
            }
        }
        opened.start(optimizer, train_loader, options)
    }

    /// A training from its newest checkpoint on, whose state everything gets.
    pub(in crate::train::fit) fn resume(
        optimizer: &mut impl Optimizer,
        train_loader: &mut DataLoader,
        options: &FitOptions,
    ) -> Result<Session> {
        let Some(checkpoint) = &options.checkpoint else {
            return Err(Error::option("checkpoint", "the one that fit was called with", "None"));
        };
        let opened = Opened::of(optimizer, train_loader, options)?;
        opened.go_on(optimizer, train_loader, options, (checkpoint, None))
    }
}

/// Processes that agree on their options, and their directory of checkpoints.
struct Opened {
    ranks: Ranks,
    /// Of rank 0, where checkpoints are wanted.
    store: Option<Store>,
    settings: Settings,
}

impl Opened {
    fn of(
        optimizer: &impl Optimizer,
        train_loader: &DataLoader,
        options: &FitOptions,
    ) -> Result<Opened> {
        let ranks = Ranks::of(train_loader);
        let opened = open(&ranks, optimizer, train_loader, options)
            .map(|store| (store, common(optimizer, train_loader, options)));
        let store = ranks.agree(opened)?;
        Ok(Opened { ranks, store, settings: Settings::of(optimizer, options) })
    }

    /// What is in the directory; nothing on ranks that do not read it.
    fn look(&self, train_loader: &DataLoader, options: &FitOptions) -> Result<Found> {
        let Some(store) = &self.store else { return Ok(Found::Nothing) };
        Found::look(store, train_loader, &self.settings, options, self.ranks.place())
    }

    fn start(
        self,
        optimizer: &impl Optimizer,
        train_loader: &DataLoader,
        options: &FitOptions,
    ) -> Result<Session> {
        let Opened { ranks, store, settings } = self;
        ranks.told(store.as_ref().map_or(Ok(()), Store::begin))?;
        let log = Log::new(options.report_every);
        let steps = options.epochs.saturating_mul(train_loader.len());
        let view = view(&ranks, options, steps);
        let saving = options.checkpoint.as_ref().map(Saving::of);
        Ok(Session { log, view, ranks, store, saving, base_lr: optimizer.lr(), settings })
    }

    /// From the checkpoint that was read, or else the newest.
    fn go_on(
        self,
        optimizer: &mut impl Optimizer,
        train_loader: &mut DataLoader,
        options: &FitOptions,
        (checkpoint, saved): (&CheckpointOptions, Option<Saved>),
    ) -> Result<Session> {
        let Opened { ranks, store, settings } = self;
        let nothing = || Error::option("checkpoint", "open on rank 0", "nothing");
        let saved = ranks.share_saved(|| match saved {
            Some(saved) => Ok(saved),
            None => store.as_ref().ok_or_else(nothing)?.newest(),
        })?;
        // All of these check first, and the net, whose names and shapes are checked, is the last.
        let Position { log, loader } =
            Position::of(&saved, &settings, options.report_every, ranks.place())?;
        let momentum = saved.tensors.iter().filter_map(|(name, tensor)| {
            Some((name.strip_prefix(OPTIMIZER)?.to_owned(), tensor.shallow_clone()))
        });
        let momentum: Vec<(String, Tensor)> = momentum.collect();
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
        let (saving, base_lr) = (Some(Saving::of(checkpoint)), optimizer.lr());
        Ok(Session { log, view, ranks, store, saving, base_lr, settings })
    }
}

/// What all ranks must have in common, in words.
fn common(optimizer: &impl Optimizer, train_loader: &DataLoader, options: &FitOptions) -> String {
    let FitOptions { epochs, report_every, checkpoint, schedule, .. } = options;
    let saved = match checkpoint {
        Some(checkpoint) => format!("checkpoints ({:?})", checkpoint.every),
        None => "no checkpoints".to_owned(),
    };
    // Not translated: ranks compare it.
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
fn open(
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
    check_variables(&optimizer.parameters(), checkpoint)?;
    match ranks.is_main() {
        true => Store::open(checkpoint, train_loader.device()).map(Some),
        false => Ok(None),
    }
}

/// That what is saved is what is trained: options may be older than the net.
fn check_variables(parameters: &[Tensor], checkpoint: &CheckpointOptions) -> Result<()> {
    let is_saved = |parameter: &Tensor| {
        let address = parameter.data_ptr();
        checkpoint.variables.iter().any(|(_, variable)| variable.data_ptr() == address)
    };
    if parameters.is_empty() || parameters.iter().any(is_saved) {
        return Ok(());
    }
    let expected = "of the net that the optimizer trains: make net, optimizer and \
                    CheckpointOptions::new(dir, &vs) of the same vs, in this order";
    Err(Error::option("checkpoint", expected, "one of another net"))
}
