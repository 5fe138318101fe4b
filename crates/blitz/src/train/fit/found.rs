//! What is found in a directory of checkpoints, and how far the training was.

use std::path::Path;

use super::log::Log;
use super::options::FitOptions;
use super::settings::Settings;
use crate::checkpoint::{Saved, Store};
use crate::data::loader::{DataLoader, LoaderState};
use crate::error::{Error, Result};
use crate::language::say;

/// The state of a training at its checkpoint, but for what the optimizer and the net have of it.
pub(super) struct Position {
    pub(super) log: Log,
    pub(super) loader: LoaderState,
}

/// What `fit` finds in its directory.
pub(super) enum Found {
    Nothing,
    /// A training that can go on, and how far it is in words.
    Interrupted {
        saved: Box<Saved>,
        place: String,
    },
    /// One that cannot, and why.
    Other(String),
}

impl Position {
    /// What `saved` says of a training with these options, in which this process is the one of that
    /// rank among so many.
    ///
    /// # Errors
    ///
    /// [`Error::Option`] where it was one with other options, [`Error::DamagedCheckpoint`].
    pub(super) fn of(
        saved: &Saved,
        settings: &Settings,
        report_every: usize,
        place: (usize, usize),
    ) -> Result<Position> {
        settings.check(saved)?;
        let log = Log::restore(report_every, place, &saved.progress["log"], &saved.tensors)
            .ok_or_else(|| saved.damaged("the losses are missing"))?;
        let loader = LoaderState::from_json(&saved.progress["loader"])
            .map_err(|error| saved.damaged(error.to_string()))?;
        Ok(Position { log, loader })
    }
}

impl Found {
    /// Looks into the directory, on the rank that may.
    pub(super) fn look(
        store: &Store,
        train_loader: &DataLoader,
        settings: &Settings,
        options: &FitOptions,
        place: (usize, usize),
    ) -> Result<Found> {
        if !store.has_any()? {
            return Ok(Found::Nothing);
        }
        let read = store.newest().and_then(|saved| {
            Ok((Position::of(&saved, settings, options.report_every, place)?, saved))
        });
        let (Position { log, loader }, saved) = match read {
            Err(error @ (Error::Checkpoint { .. } | Error::Option { .. })) => {
                return Ok(Found::Other(error.to_string().trim_end_matches('.').to_owned()));
            }
            read => read?,
        };
        if loader.fingerprint != train_loader.state().fingerprint {
            return Ok(Found::Other("it had other images".to_owned()));
        }
        if log.report.epochs.len() >= options.epochs {
            return Ok(Found::Other("it came to its end".to_owned()));
        }
        Ok(Found::Interrupted { saved: Box::new(saved), place: log.place() })
    }

    /// Says what becomes of it.
    pub(super) fn tell(&self, dir: &Path) {
        let dir = dir.display();
        match self {
            Found::Nothing => {}
            Found::Interrupted { place, .. } => {
                say(&format!("The training in {dir} goes on {place}."))
            }
            Found::Other(reason) => say(&format!(
                "A new training begins, from the parameters as they are. The one in {dir} is \
                 replaced: {reason}."
            )),
        }
    }

    /// The checkpoint that the training goes on from.
    pub(super) fn into_saved(self) -> Option<Saved> {
        match self {
            Found::Interrupted { saved, .. } => Some(*saved),
            Found::Nothing | Found::Other(_) => None,
        }
    }
}
