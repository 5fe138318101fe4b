//! What `fit` finds in its directory of checkpoints.

use std::path::Path;

use super::log::Log;
use super::options::FitOptions;
use super::ranks::Ranks;
use super::session::{Settings, open};
use crate::checkpoint;
use crate::data::loader::{DataLoader, LoaderState};
use crate::error::{Error, Result};
use crate::optim::Optimizer;

pub(super) enum Found {
    Nothing,
    /// A training that can go on, and how far it is in words.
    Interrupted(String),
    /// One that cannot, and why.
    Other(String),
}

impl Found {
    /// On rank 0.
    pub(super) fn look(
        ranks: &Ranks,
        optimizer: &impl Optimizer,
        train_loader: &DataLoader,
        options: &FitOptions,
    ) -> Result<Found> {
        let Some(checkpoint) = &options.checkpoint else { return Ok(Found::Nothing) };
        if checkpoint::newest(&checkpoint.dir)?.is_none() {
            return Ok(Found::Nothing);
        }
        let Some(store) = open(ranks, optimizer, train_loader, options)? else {
            return Ok(Found::Nothing);
        };
        let saved = match store.newest() {
            Err(error @ Error::Checkpoint { .. }) => return Ok(Found::Other(error.to_string())),
            saved => saved?,
        };
        if let Err(error) = Settings::of(optimizer, options).check(&saved) {
            return Ok(Found::Other(error.to_string()));
        }
        let damaged = |what: &str| saved.damaged(what);
        let json = &saved.progress["log"];
        let log = Log::restore(options.report_every, ranks.place(), json, &saved.tensors)
            .ok_or_else(|| damaged("the losses are missing"))?;
        let loader = LoaderState::from_json(&saved.progress["loader"])
            .map_err(|error| damaged(&error.to_string()))?;
        if loader.fingerprint != train_loader.state().fingerprint {
            return Ok(Found::Other("it had other images".to_owned()));
        }
        if log.report.epochs.len() >= options.epochs {
            return Ok(Found::Other("it came to its end".to_owned()));
        }
        Ok(Found::Interrupted(log.place()))
    }

    /// Says what becomes of it.
    pub(super) fn tell(&self, dir: &Path) {
        let dir = dir.display();
        match self {
            Found::Nothing => {}
            Found::Interrupted(place) => println!("The training in {dir} goes on {place}."),
            Found::Other(reason) => println!(
                "A new training begins, from the parameters as they are. The one in {dir} is \
                 replaced: {reason}."
            ),
        }
    }
}
