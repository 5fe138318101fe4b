//! A loader's position, to be kept in a checkpoint.

use serde_json::{Value, json};

use super::{DataLoader, LastBatch, generator};
use crate::error::{Error, Result};
use crate::tensor::random::PyTorchGenerator;

/// The most epochs that a state may have begun: more than anybody trains.
const MOST_EPOCHS: u64 = u32::MAX as u64;

/// The most numbers that a state may have drawn, because they are drawn again. 50,000 images take
/// 100,000 epochs to draw so many, and a loader half a minute to draw them again.
const MOST_DRAWS: u64 = 10_000_000_000;

/// How far a [`DataLoader`] is: from [`DataLoader::state`], for [`DataLoader::resume`].
///
/// The state after the last batch of an epoch is that between two epochs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoaderState {
    /// Epochs begun; an epoch counts from its first batch.
    pub epochs_begun: u64,
    /// Images handed out in the running epoch, by each process; 0 between two epochs.
    pub images_taken: i64,
    /// Processes that the images were shared out among; 1 without a sampler.
    pub processes: u64,
    /// Numbers drawn from the seed before the running epoch, or so far where none is running.
    pub draws: u64,
    /// The options that decide what the batches hold, and the number of images, in words.
    pub fingerprint: String,
}

impl LoaderState {
    /// The state as a JSON object with the fields' names.
    pub fn to_json(&self) -> Value {
        json!({
            "epochs_begun": self.epochs_begun,
            "images_taken": self.images_taken,
            "processes": self.processes,
            "draws": self.draws,
            "fingerprint": self.fingerprint,
        })
    }

    /// What [`LoaderState::to_json`] wrote.
    ///
    /// # Errors
    ///
    /// [`Error::Option`] where a field is missing or of another type.
    pub fn from_json(value: &Value) -> Result<LoaderState> {
        let wrong = || {
            Error::option(
                "the loader's state",
                "an object with epochs_begun, images_taken, processes, draws and fingerprint",
                value,
            )
        };
        Ok(LoaderState {
            epochs_begun: value["epochs_begun"].as_u64().ok_or_else(wrong)?,
            images_taken: value["images_taken"].as_i64().ok_or_else(wrong)?,
            processes: value["processes"].as_u64().ok_or_else(wrong)?,
            draws: value["draws"].as_u64().ok_or_else(wrong)?,
            fingerprint: value["fingerprint"].as_str().ok_or_else(wrong)?.to_owned(),
        })
    }
}

/// Where a loader is in its sequence of epochs.
#[derive(Debug, Default)]
pub(super) struct Position {
    /// Epochs begun, also those without a batch yet.
    pub(super) epoch: u64,
    /// Images handed out in this epoch.
    pub(super) taken: i64,
    /// Whether the sampler of this epoch has run out.
    pub(super) over: bool,
    /// Numbers drawn before this epoch.
    draws_before: u64,
    /// Images that the next epoch starts after.
    skip: i64,
}

impl Position {
    /// Moves on to the next epoch, before anything is drawn for it.
    pub(super) fn begin(&mut self, draws_before: u64) {
        let epoch = self.epoch + 1;
        *self = Position { epoch, taken: self.skip, over: false, draws_before, skip: 0 };
    }
}

pub(super) fn save(loader: &DataLoader) -> LoaderState {
    let position = &loader.position;
    let draws = loader.generator.as_ref().map_or(0, PyTorchGenerator::draws);
    let between = |epochs_begun, draws| (epochs_begun, 0, draws);
    let (epochs_begun, images_taken, draws) = if position.skip > 0 {
        (position.epoch + 1, position.skip, draws) // resumed, and not begun again
    } else if position.epoch == 0 || position.over {
        between(position.epoch, draws)
    } else if loader.batches_of(loader.samples() - position.taken) == 0 {
        // The epoch is over as soon as the next batch is asked for, which draws one more order.
        between(position.epoch, draws + draws_of_order(loader))
    } else if position.taken == 0 {
        between(position.epoch - 1, position.draws_before)
    } else {
        (position.epoch, position.taken, position.draws_before)
    };
    let (processes, fingerprint) = (loader.processes(), fingerprint(loader));
    LoaderState { epochs_begun, images_taken, processes, draws, fingerprint }
}

pub(super) fn restore(loader: &mut DataLoader, state: &LoaderState) -> Result<()> {
    let state = &shared_out_anew(loader, state)?;
    check(loader, state)?;
    loader.generator = generator(&loader.options);
    if let Some(generator) = &mut loader.generator {
        generator.skip(state.draws);
    }
    let running = u64::from(state.images_taken > 0);
    loader.position = Position {
        epoch: state.epochs_begun - running,
        skip: state.images_taken,
        over: state.images_taken == 0,
        ..Position::default()
    };
    Ok(())
}

/// The state of a loader with the same steps, whose images are shared out among this one's processes.
///
/// The parts are every nth image of one order: after some steps of as many images in all, whatever
/// number of processes has taken the same ones.
fn shared_out_anew(loader: &DataLoader, state: &LoaderState) -> Result<LoaderState> {
    let fingerprint = fingerprint(loader);
    if state.fingerprint != fingerprint {
        return Err(Error::option(
            "the loader's state",
            format!("of this loader ({fingerprint})"),
            format!("that of another ({})", state.fingerprint),
        ));
    }
    let (was, is) = (i128::from(state.processes), i128::from(loader.processes()));
    let taken = i128::from(state.images_taken) * was;
    match i64::try_from(taken / is) {
        Ok(images_taken) if was > 0 && taken % is == 0 => {
            Ok(LoaderState { images_taken, processes: loader.processes(), ..state.clone() })
        }
        _ => Err(impossible(state)),
    }
}

fn impossible(state: &LoaderState) -> Error {
    let expected = "a position that this loader can have";
    Error::option("the loader's state", expected, state.to_json())
}

fn check(loader: &DataLoader, state: &LoaderState) -> Result<()> {
    let (count, batch_size) = (loader.samples(), loader.options.batch_size);
    let running = u64::from(state.images_taken != 0);
    let order = draws_of_order(loader);
    // Each epoch draws a seed, an order, and unless it is left early one more order at its end.
    let draws = |epochs: u64| match loader.generator {
        Some(_) => epochs.saturating_mul(2 + order)..=epochs.saturating_mul(2 + 2 * order),
        None => 0..=0,
    };
    let possible = (0..count).contains(&state.images_taken)
        && state.images_taken % batch_size == 0
        && (running..=MOST_EPOCHS).contains(&state.epochs_begun)
        && state.draws <= MOST_DRAWS
        && draws(state.epochs_begun - running).contains(&state.draws);
    match possible {
        true => Ok(()),
        false => Err(impossible(state)),
    }
}

/// Numbers drawn for the order of one epoch.
fn draws_of_order(loader: &DataLoader) -> u64 {
    match loader.generator {
        Some(_) => loader.image_count() as u64 - 1,
        None => 0,
    }
}

/// Of several processes it says what all of them do in a step.
fn fingerprint(loader: &DataLoader) -> String {
    let options = &loader.options;
    let last = match options.last {
        LastBatch::Keep => "kept",
        LastBatch::Drop => "dropped",
    };
    let step = match &options.sampler {
        Some(sampler) => {
            let images = options.batch_size.saturating_mul(sampler.group.world_size() as i64);
            format!("{images} images in a step of all processes, {:?}", sampler.tail)
        }
        None => format!("batch size {}", options.batch_size),
    };
    format!(
        "{} images, {:?}, {step}, last batch {last}, {:?}, {:?}",
        loader.image_count(),
        options.shuffle,
        options.augment,
        options.transform
    )
}
