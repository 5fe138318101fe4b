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
//! | `.ot` | not at all | not at all; libtorch's C++ does |
//!
//! [`CheckpointOptions`] saves the state of a running training, net and all, for
//! [`resume`](crate::fit::resume).
//!
//! The names are those of the layers' paths, such as `conv1.weight`, as in Python.

mod atomic;
mod format;
mod generator;
mod lock;
mod pickle;
mod pth;
mod safetensors;
mod training;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use tch::nn::VarStore;
use tch::{Device, Tensor, no_grad};

use crate::error::{Error, Result};
use crate::nn::named_parameters;

use format::Format;
pub use training::{CheckpointOptions, Every, Existing, newest};
pub(crate) use training::{Saved, Snapshot, Store};

/// Writes all parameters and buffers of `vs` to `path`, in the format that the extension names
/// (see [the module](self)). A file that is there is replaced at once when the new one is complete
/// and on the disk; where anything fails it stays as it is.
///
/// Parameters that are not contiguous, or on a GPU, are saved as any other.
///
/// # Errors
///
/// [`Error::Option`] for another extension, [`Error::Io`] where the file cannot be written,
/// [`Error::Shape`] for a kind that the format does not have, such as complex numbers.
pub fn save(vs: &VarStore, path: impl AsRef<Path>) -> Result<()> {
    save_tensors(&named_variables(vs), path.as_ref())
}

/// Reads all parameters and buffers of `vs` from `path`, on whichever device `vs` is. Names and
/// shapes are compared first: where anything differs, or the file is damaged, nothing is loaded.
/// Numbers of another kind are converted, as by `load_state_dict`.
///
/// The `num_batches_tracked` of Python's batch normalisation, which tch does not have, is left out.
///
/// # Errors
///
/// [`Error::MissingFile`], [`Error::Option`] for another extension, [`Error::Checkpoint`] for a
/// file of another net, [`Error::DamagedCheckpoint`] for a file that cannot be read.
pub fn load(vs: &mut VarStore, path: impl AsRef<Path>) -> Result<()> {
    load_tensors(&named_variables(vs), path.as_ref())
}

/// All variables with their names: parameters in the order in which they were made, then buffers.
fn named_variables(vs: &VarStore) -> Vec<(String, Tensor)> {
    let mut variables = named_parameters(vs);
    let mut rest = vs.variables();
    for (name, _) in &variables {
        rest.remove(name);
    }
    let rest: BTreeMap<_, _> = rest.into_iter().collect();
    variables.extend(rest);
    variables
}

/// As [`save`].
fn save_tensors(tensors: &[(String, Tensor)], path: &Path) -> Result<()> {
    let format = Format::of(path)?;
    let plain = |(name, tensor): &(String, Tensor)| {
        let tensor = tensor.detach().f_to_device(Device::Cpu)?.f_contiguous()?;
        Ok((name.clone(), tensor))
    };
    let plain: Vec<_> = tensors
        .iter()
        .map(plain)
        .collect::<std::result::Result<_, _>>()
        .map_err(Error::torch("copying a parameter"))?;
    format.write(&plain, path)
}

/// As [`load`].
fn load_tensors(targets: &[(String, Tensor)], path: &Path) -> Result<()> {
    let read = read_fitting(targets, path)?;
    no_grad(|| {
        for (name, target) in targets {
            let mut target = target.shallow_clone();
            target.f_copy_(&read[name]).map_err(Error::torch("copying a parameter"))?;
        }
        Ok(())
    })
}

/// The tensors of `path`, which has all names of `targets`, in their shapes.
fn read_fitting(targets: &[(String, Tensor)], path: &Path) -> Result<HashMap<String, Tensor>> {
    let tensors = read_tensors(path, |found| {
        let reason = misfit(targets, found);
        reason.map_or(Ok(()), |reason| Err(Error::Checkpoint { path: path.to_owned(), reason }))
    })?;
    Ok(tensors.into_iter().collect())
}

/// All tensors of `path`; `check` sees their names and shapes first.
fn read_tensors(
    path: &Path,
    check: impl FnOnce(&[(String, Vec<i64>)]) -> Result<()>,
) -> Result<Vec<(String, Tensor)>> {
    let format = Format::of(path)?;
    if !path.is_file() {
        let remedy = "Run the cell that saves the net first, or correct the path.".to_owned();
        return Err(Error::MissingFile { path: path.to_owned(), remedy });
    }
    format.read(path, check)
}

/// The first difference in names and shapes, in the order of the names: the same mistake gives the
/// same message each time.
fn misfit(targets: &[(String, Tensor)], found: &[(String, Vec<i64>)]) -> Option<String> {
    let expected: BTreeMap<&str, Vec<i64>> =
        targets.iter().map(|(name, tensor)| (name.as_str(), tensor.size())).collect();
    let found: BTreeMap<&str, &Vec<i64>> =
        found.iter().map(|(name, size)| (name.as_str(), size)).collect();
    for (name, size) in &expected {
        match found.get(name) {
            None => return Some(format!("it has no parameter {name}, expected of shape {size:?}")),
            Some(got) if *got != size => {
                return Some(format!("parameter {name} has shape {got:?}, expected {size:?}"));
            }
            Some(_) => {}
        }
    }
    let unknown = found.iter().find(|(name, _)| {
        // A count that PyTorch's batch normalisation keeps, and tch's does not.
        let counted = name.strip_suffix("num_batches_tracked");
        let counted = counted
            .is_some_and(|layer| expected.contains_key(format!("{layer}running_mean").as_str()));
        !expected.contains_key(*name) && !counted
    });
    unknown.map(|(name, size)| format!("the net has no parameter {name}, found of shape {size:?}"))
}

/// The numbers of a contiguous tensor on the CPU, as they lie in memory.
fn bytes(tensor: &Tensor) -> Result<Vec<u8>> {
    let mut bytes = vec![0; tensor.numel() * tensor.kind().elt_size_in_bytes()];
    tensor
        .f_copy_data_u8(&mut bytes, tensor.numel())
        .map_err(Error::torch("copying a parameter"))?;
    Ok(bytes)
}
