//! Checkpoints of a running training, from which it continues as if it had not stopped.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tch::nn::VarStore;
use tch::{Device, Tensor};

use super::dtype::Dtype;
use super::fault::damaged;
use super::lock::Lock;
use super::open::read_safetensors;
use super::{LoadOptions, atomic, copy, generator, read_fitting, save_tensors};
use crate::error::{Error, Result};
use crate::nn::named_variables;

const NET: &str = "net.safetensors";
const STATE: &str = "state.safetensors";
const PROGRESS: &str = "progress.json";
/// Directories that are being written or removed.
const UNFINISHED: &str = ".unfinished-";
const COMPLETE: &str = "step-";

/// Where and how often [`fit`](crate::train::fit::fit) saves the state of the training.
///
/// The directory holds one directory per checkpoint, `step-000012000` after 12,000 steps, with
/// `net.safetensors` (the parameters, which [`load`](super::load) and Python read by themselves),
/// `state.safetensors` (the optimizer's momentum, the random generators, the losses so far) and
/// `progress.json` (the position). Such a directory appears when it is complete and on the disk.
#[derive(Debug)]
pub struct CheckpointOptions {
    /// The directory, made where there is none.
    pub dir: PathBuf,
    /// When to save; after each epoch. An interrupt saves too.
    pub every: Every,
    /// The newest checkpoints that are kept, at least 1; 1.
    pub keep: usize,
    /// What `fit` does about checkpoints that it finds in the directory; `resume` continues the
    /// newest of them.
    pub existing: Existing,
    /// The parameters and buffers of the net, with their names; they share memory with the net.
    pub variables: Vec<(String, Tensor)>,
}

/// When a training is saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Every {
    /// After each epoch.
    Epoch,
    /// After each epoch and after so many steps of it, at least 1.
    Steps(usize),
}

/// What becomes of checkpoints of an earlier run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// They stay, and the new run does not begin.
    Refuse,
    /// They are removed when the new run begins.
    Replace,
    /// A training there that was interrupted goes on, if it is one of this net with the same
    /// options; otherwise they are removed and a new run begins. `fit` says which.
    Continue,
}

impl CheckpointOptions {
    /// Checkpoints of the net whose parameters `vs` holds, in the directory `dir`.
    pub fn new(dir: impl Into<PathBuf>, vs: &VarStore) -> CheckpointOptions {
        CheckpointOptions {
            dir: dir.into(),
            every: Every::Epoch,
            keep: 1,
            existing: Existing::Refuse,
            variables: named_variables(vs),
        }
    }
}

impl Clone for CheckpointOptions {
    fn clone(&self) -> CheckpointOptions {
        let share = |(name, tensor): &(String, Tensor)| (name.clone(), tensor.shallow_clone());
        CheckpointOptions {
            dir: self.dir.clone(),
            variables: self.variables.iter().map(share).collect(),
            ..*self
        }
    }
}

/// The directory of the newest complete checkpoint in `dir`; `None` where there is none.
///
/// ```no_run
/// use blitz::prelude::*;
///
/// # let mut vs = nn::VarStore::new(Device::Cpu);
/// if let Some(newest) = checkpoint::newest("checkpoints")? {
///     checkpoint::load(&mut vs, newest.join("net.safetensors"))?;
/// }
/// # Ok::<(), blitz::Error>(())
/// ```
///
/// # Errors
///
/// [`Error::Io`] where the directory cannot be read.
pub fn newest(dir: impl AsRef<Path>) -> Result<Option<PathBuf>> {
    let dir = dir.as_ref();
    if !dir.exists() {
        return Ok(None);
    }
    Ok(complete(dir)?.pop())
}

/// What a checkpoint holds beside the net.
pub(crate) struct Snapshot {
    /// Steps taken.
    pub(crate) step: usize,
    /// Momentum, losses and random generators.
    pub(crate) tensors: Vec<(String, Tensor)>,
    /// Positions and options.
    pub(crate) progress: Value,
}

/// A directory of checkpoints that this run alone writes.
#[derive(Debug)]
pub(crate) struct Store {
    options: CheckpointOptions,
    device: Device,
    _lock: Lock,
}

impl Store {
    /// Opens the directory for a training on `device`.
    pub(crate) fn open(options: &CheckpointOptions, device: Device) -> Result<Store> {
        check(options)?;
        let dir = &options.dir;
        fs::create_dir_all(dir).map_err(Error::io("make", dir))?;
        let lock = Lock::take(dir)?;
        // What a run left that was killed.
        for path in entries(dir, UNFINISHED)? {
            fs::remove_dir_all(&path).map_err(Error::io("remove", &path))?;
        }
        Ok(Store { options: options.clone(), device, _lock: lock })
    }

    /// Makes room for a training from the start.
    pub(crate) fn begin(&self) -> Result<()> {
        let found = complete(&self.options.dir)?;
        let Some(newest) = found.last() else { return Ok(()) };
        if self.options.existing == Existing::Refuse {
            return Err(Error::option(
                "checkpoint.dir",
                "a directory without checkpoints (resume continues the newest; \
                           existing: Existing::Replace removes them, Existing::Continue goes on \
                           with what was interrupted)",
                newest.display(),
            ));
        }
        found.iter().try_for_each(|path| remove(path))
    }

    /// Whether there are checkpoints.
    pub(crate) fn has_any(&self) -> Result<bool> {
        Ok(!complete(&self.options.dir)?.is_empty())
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.options.dir
    }

    /// Saves the net as it is, the generators and `snapshot`, then removes what is too old. Where
    /// anything fails, the checkpoints before stay as they are.
    pub(crate) fn save(&self, snapshot: &Snapshot) -> Result<()> {
        let dir = &self.options.dir;
        let name = format!("{COMPLETE}{:09}", snapshot.step);
        let unfinished = dir.join(format!("{UNFINISHED}{name}"));
        let path = dir.join(&name);
        if path.exists() {
            return Ok(()); // no step was taken since
        }
        let written = self.write(&unfinished, snapshot).and_then(|()| {
            fs::rename(&unfinished, &path).map_err(Error::io("rename", &unfinished))
        });
        if written.is_err() {
            // The error that is returned matters more than what cannot be removed.
            let _ = fs::remove_dir_all(&unfinished);
        }
        written?;
        atomic::sync_directory(dir)?;
        let found = complete(dir)?;
        let surplus = found.len().saturating_sub(self.options.keep);
        found[..surplus].iter().try_for_each(|path| remove(path))
    }

    fn write(&self, dir: &Path, snapshot: &Snapshot) -> Result<()> {
        fs::create_dir(dir).map_err(Error::io("make", dir))?;
        save_tensors(&self.options.variables, &dir.join(NET))?;
        let mut tensors = generator::states(self.device)?;
        let share = |(name, tensor): &(String, Tensor)| (name.clone(), tensor.shallow_clone());
        tensors.extend(snapshot.tensors.iter().map(share));
        save_tensors(&tensors, &dir.join(STATE))?;
        let path = dir.join(PROGRESS);
        atomic::replace(&path, |file| {
            serde_json::to_writer_pretty(file, &snapshot.progress)
                .map_err(|error| Error::io("write", &path)(error.into()))
        })
    }

    /// The newest checkpoint, which fits the net.
    pub(crate) fn newest(&self) -> Result<Saved> {
        let Some(dir) = complete(&self.options.dir)?.pop() else {
            return Err(Error::MissingFile {
                path: self.options.dir.join(format!("{COMPLETE}...")),
                remedy: "There is no checkpoint to resume from; begin with fit.".to_owned(),
            });
        };
        // Compared first, so that a checkpoint of another net changes nothing at all.
        let options = LoadOptions::default();
        let (_, net) = read_fitting(&self.options.variables, &dir.join(NET), &options)?;
        let tensors = read_safetensors(&dir.join(STATE))?;
        let path = dir.join(PROGRESS);
        let text = fs::read(&path).map_err(Error::io("read", &path))?;
        let progress = serde_json::from_slice(&text)
            .map_err(|error| damaged(&path)(error.to_string().into()))?;
        Ok(Saved { dir, net, tensors, progress })
    }

    /// Puts the net and the generators back.
    pub(crate) fn restore(&self, saved: &Saved) -> Result<()> {
        copy(&self.options.variables, &saved.net)?;
        generator::restore(self.device, &saved.tensors)
    }
}

/// A checkpoint as it was read.
pub(crate) struct Saved {
    dir: PathBuf,
    /// Of each of the net's variables, on the rank that read it.
    net: Vec<Option<Tensor>>,
    pub(crate) tensors: Vec<(String, Tensor)>,
    pub(crate) progress: Value,
}

impl Saved {
    /// All but the tensors' values, in words, for another process.
    pub(crate) fn describe(&self) -> String {
        let tensors = self.tensors.iter().map(|(name, tensor)| {
            json!({"name": name, "dtype": Dtype::of_kind(tensor.kind()).map(Dtype::torch), "size": tensor.size()})
        });
        json!({
            "dir": self.dir.to_string_lossy(),
            "progress": self.progress,
            "tensors": tensors.collect::<Vec<_>>(),
        })
        .to_string()
    }

    /// What [`Saved::describe`] wrote, with zeros for values.
    pub(crate) fn from_description(text: &str) -> Result<Saved> {
        let wrong =
            || Error::option("the checkpoint that rank 0 sent", "whole", format!("{text:?}"));
        let value: Value = serde_json::from_str(text).map_err(|_| wrong())?;
        let tensor = |value: &Value| {
            let size = value["size"].as_array()?.iter().map(Value::as_i64);
            let kind = Dtype::of_torch(value["dtype"].as_str()?)?.kind()?;
            let zeros = Tensor::zeros(size.collect::<Option<Vec<i64>>>()?, (kind, Device::Cpu));
            Some((value["name"].as_str()?.to_owned(), zeros))
        };
        let tensors = value["tensors"].as_array().ok_or_else(wrong)?.iter().map(tensor);
        Ok(Saved {
            dir: value["dir"].as_str().ok_or_else(wrong)?.into(),
            net: Vec::new(),
            tensors: tensors.collect::<Option<_>>().ok_or_else(wrong)?,
            progress: value["progress"].clone(),
        })
    }

    /// `reason` says what is wrong with the file of positions.
    pub(crate) fn damaged(&self, reason: impl Into<String>) -> Error {
        damaged(&self.dir.join(PROGRESS))(reason.into().into())
    }
}

fn check(options: &CheckpointOptions) -> Result<()> {
    let refuse = |option| Err(Error::option(option, "at least 1", 0));
    match (options.keep, options.every) {
        (0, _) => refuse("checkpoint.keep"),
        (_, Every::Steps(0)) => refuse("checkpoint.every"),
        _ => Ok(()),
    }
}

/// The complete checkpoints, oldest first.
fn complete(dir: &Path) -> Result<Vec<PathBuf>> {
    let step = |path: &PathBuf| -> Option<u64> {
        path.file_name()?.to_str()?.strip_prefix(COMPLETE)?.parse().ok()
    };
    let mut found = entries(dir, COMPLETE)?;
    found.retain(|path| step(path).is_some());
    found.sort_by_key(step);
    Ok(found)
}

/// The directories in `dir` whose names begin with `prefix`.
fn entries(dir: &Path, prefix: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).map_err(Error::io("read", dir))? {
        let entry = entry.map_err(Error::io("read", dir))?;
        if entry.file_name().to_string_lossy().starts_with(prefix) && entry.path().is_dir() {
            found.push(entry.path());
        }
    }
    Ok(found)
}

/// Removes a checkpoint: first its name, so that half of one is never taken for a whole.
fn remove(path: &Path) -> Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let unfinished = path.with_file_name(format!("{UNFINISHED}old-{name}"));
    fs::rename(path, &unfinished).map_err(Error::io("rename", path))?;
    fs::remove_dir_all(&unfinished).map_err(Error::io("remove", &unfinished))
}
