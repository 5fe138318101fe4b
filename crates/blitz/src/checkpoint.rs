//! Saving and loading: the parameters of a net, for Rust and for Python, and a running training.
//!
//! ```
//! use blitz::prelude::*;
//!
//! # let dir = tempfile::tempdir().unwrap();
//! # let path = dir.path().join("cifar_net.pth");
//! let mut vs = nn::VarStore::new(Device::Cpu);
//! let net = cifar10_net(&vs.root());
//! checkpoint::save(&vs, &path)?; // cifar_net.pth, say
//! checkpoint::load(&mut vs, &path)?;
//! # Ok::<(), blitz::Error>(())
//! ```
//!
//! | Extension | Python reads it with | Python writes it with |
//! | --- | --- | --- |
//! | `.pth`, `.pt` | `net.load_state_dict(torch.load(path, weights_only=True))` | `torch.save(net.state_dict(), path)` |
//! | `.safetensors` | `net.load_state_dict(safetensors.torch.load_file(path))` | `safetensors.torch.save_file(net.state_dict(), path)` |
//! | `.ot` | `net.load_state_dict({k.replace("\|", "."): v for k, v in torch.jit.load(path).named_parameters()})` | not as such, but see below |
//!
//! When saving, the extension chooses the format; when loading, what the file holds does, whatever
//! its name. So files of `torch.save` are read with any of their usual endings (`.bin`, `.ckpt`,
//! `.pth.tar`), in the format from before version 1.6 too, and so are TorchScript files
//! (`torch.jit.save`), what tch's own `VarStore::save` wrote, and nets in several files by their
//! index (`model.safetensors.index.json`).
//!
//! The parameters may stand one level down, as in `{"model_state_dict": ..., "epoch": 3}`: the one
//! dictionary of tensors that fits the net is taken. Parts of names that wrappers add are taken off:
//! `module.` (`DataParallel`, `DistributedDataParallel`) and `_orig_mod.` (`torch.compile`). What
//! else there is to choose, [`load_with`] and [`LoadOptions`] do; with [`Mismatches::Leave`] it is what
//! fits, for a net with another last layer, say.
//!
//! [`inspect`] lists what a file holds without a net.
//!
//! No file can make this program run anything: of a pickle only the tensors are understood. What
//! cannot be read as PyTorch reads it, such as quantised or sparse tensors, is refused by its name.
//!
//! [`CheckpointOptions`] saves the state of a running training, net and all, for
//! [`resume`](crate::train::fit::resume).
//!
//! The names are those of the layers' paths, such as `conv1.weight`, as in Python.

pub(crate) mod atomic;
mod contents;
mod dtype;
mod fault;
mod format;
pub(crate) mod generator;
mod index;
mod inspect;
mod lock;
mod names;
mod open;
mod options;
mod pickle;
mod plain;
mod pth;
mod read;
mod report;
mod safetensors;
mod signature;
mod strided;
mod training;

use std::path::Path;

use tch::nn::VarStore;
use tch::{Kind, Tensor, no_grad};

use crate::error::{Error, Result};
use crate::nn::named_variables;

use format::Format;
pub use inspect::{Inspection, OtherEntry, TensorEntry, inspect};
use names::{Found, Misfit, Target};
pub use options::{LoadOptions, Mismatches};
use plain::Plain;
pub use report::{LoadReport, OtherShape};
pub use training::{CheckpointOptions, Every, Existing, newest};
pub(crate) use training::{Saved, Snapshot, Store};

/// Writes all parameters and buffers of `vs` to `path`, in the format that the extension names
/// (see [the module](self)). A file that is there is replaced at once when the new one is complete
/// and on the disk; where anything fails it stays as it is.
///
/// Parameters that are not contiguous, or on a GPU, are saved as any other; so are views that carry
/// but a mark for being negative or conjugate. Tied parameters keep sharing their numbers in `.pth`.
///
/// # Errors
///
/// [`Error::Option`] for another extension, [`Error::Io`] where the file cannot be written,
/// [`Error::Shape`] for a tensor that the format does not have, such as a sparse one.
pub fn save(vs: &VarStore, path: impl AsRef<Path>) -> Result<()> {
    save_tensors(&named_variables(vs), path.as_ref())
}

/// Reads all parameters and buffers of `vs` from `path`, on whichever device `vs` is. Names and
/// shapes are compared first: where anything differs, or the file is damaged, nothing is loaded.
/// Numbers of another kind are converted, as by `load_state_dict`; complex ones stay complex.
///
/// Which formats and dictionaries are read says [the module](self). The `num_batches_tracked` of
/// Python's batch normalisation, which tch does not have, is left out.
///
/// # Errors
///
/// [`Error::MissingFile`], [`Error::Checkpoint`] for a file of another net,
/// [`Error::DamagedCheckpoint`] for a file that cannot be read.
pub fn load(vs: &mut VarStore, path: impl AsRef<Path>) -> Result<()> {
    load_with(vs, path, &LoadOptions::default()).map(drop)
}

/// As [`load`], with a choice of which tensors are meant, and of what becomes of those that do not
/// fit. Tells what was loaded; all is compared and read before the first number of the net changes.
///
/// # Errors
///
/// Those of [`load`]; [`Error::Checkpoint`] also where nothing in the file has that key or prefix,
/// nothing in the net is named as [`LoadOptions::only`] has it, or, with [`Mismatches::Leave`],
/// nothing fits at all.
pub fn load_with(
    vs: &mut VarStore,
    path: impl AsRef<Path>,
    options: &LoadOptions,
) -> Result<LoadReport> {
    load_tensors(&named_variables(vs), path.as_ref(), options)
}

/// As [`save`].
fn save_tensors(tensors: &[(String, Tensor)], path: &Path) -> Result<()> {
    let format = Format::of(path)?;
    let plain = tensors.iter().map(|(name, tensor)| Plain::new(name, tensor));
    format.write(&plain.collect::<Result<Vec<_>>>()?, path)
}

/// As [`load_with`].
fn load_tensors(
    targets: &[(String, Tensor)],
    path: &Path,
    options: &LoadOptions,
) -> Result<LoadReport> {
    let (report, read) = read_fitting(targets, path, options)?;
    copy(targets, &read)?;
    Ok(report)
}

/// Gives the targets the numbers of those tensors that there are.
fn copy(targets: &[(String, Tensor)], read: &[Option<Tensor>]) -> Result<()> {
    no_grad(|| {
        for ((_, target), read) in targets.iter().zip(read) {
            let Some(read) = read else { continue };
            let mut target = target.shallow_clone();
            target.f_copy_(read).map_err(Error::torch("copying a parameter"))?;
        }
        Ok(())
    })
}

/// The tensors of `path` for `targets`, in their order and shapes, where it has one that is wanted.
fn read_fitting(
    targets: &[(String, Tensor)],
    path: &Path,
    options: &LoadOptions,
) -> Result<(LoadReport, Vec<Option<Tensor>>)> {
    let fit = |reason, remedy: Option<String>| Error::Checkpoint {
        path: path.to_owned(),
        reason,
        remedy: remedy.unwrap_or_else(|| "build the net that wrote the file".to_owned()),
    };
    let mut opened = open::open(path)?;
    let contents = std::mem::take(&mut opened.contents);
    let wanted: Vec<Target> =
        targets.iter().map(|(name, tensor)| (name.clone(), tensor.size())).collect();
    let assignment = names::choose(&contents, &wanted, options).map_err(|misfit| match misfit {
        Misfit::Fit { reason, remedy } => fit(reason, remedy),
        Misfit::Read(fault) => fault::damaged(path)(fault),
    })?;
    let mut tensors = Vec::with_capacity(targets.len());
    for found in &assignment.found {
        tensors.push(match found {
            Found::Tensor(entry) => Some(opened.tensor(entry, path)?),
            _ => None,
        });
    }
    for ((name, target), tensor) in targets.iter().zip(&tensors) {
        let Some(tensor) = tensor else { continue };
        if is_complex(tensor.kind()) && !is_complex(target.kind()) {
            let (got, expected) = (tensor.kind(), target.kind());
            let reason = format!("parameter {name} is complex ({got:?}), expected {expected:?}");
            let remedy = "make it a parameter of that kind, or save its real part".to_owned();
            return Err(fit(reason, Some(remedy)));
        }
    }
    Ok((LoadReport::new(path.to_owned(), &wanted, &assignment), tensors))
}

fn is_complex(kind: Kind) -> bool {
    matches!(kind, Kind::ComplexHalf | Kind::ComplexFloat | Kind::ComplexDouble)
}
