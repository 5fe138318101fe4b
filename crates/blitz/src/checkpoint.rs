//! Saving and loading the parameters of a net.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use tch::nn::VarStore;
use tch::{Tensor, no_grad};

use crate::error::{Error, Result};

/// Writes all parameters of `vs` to `path`, replacing a file that is there. The extension chooses
/// the format: `.safetensors` (which Python reads too) or `.ot` (libtorch's own).
///
/// # Errors
///
/// [`Error::Option`] for another extension, [`Error::Io`] and [`Error::Torch`] where the file
/// cannot be written.
pub fn save(vs: &VarStore, path: impl AsRef<Path>) -> Result<()> {
    let path = path.as_ref();
    check_extension(path)?;
    // libtorch's own message would not name the reason.
    std::fs::File::create(path).map_err(Error::io("write", path))?;
    vs.save(path).map_err(Error::torch("saving the checkpoint"))
}

/// Reads all parameters of `vs` from `path`, on whichever device `vs` is. Names and shapes are
/// compared first: where anything differs, nothing is loaded.
///
/// # Errors
///
/// [`Error::MissingFile`], [`Error::Option`] for an extension other than `.safetensors` or `.ot`,
/// [`Error::Checkpoint`] for a file that is damaged or of another net.
pub fn load(vs: &mut VarStore, path: impl AsRef<Path>) -> Result<()> {
    let path = path.as_ref();
    check_extension(path)?;
    if !path.is_file() {
        let remedy = "Run the cell that saves the net first, or correct the path.".to_owned();
        return Err(Error::MissingFile { path: path.to_owned(), remedy });
    }
    let misfit = |reason: String| Error::Checkpoint { path: path.to_owned(), reason };
    let saved = read(path).map_err(|error| misfit(format!("it cannot be read ({error})")))?;
    // Sorted, so that the same mistake gives the same message each time.
    let parameters: BTreeMap<_, _> = vs.variables().into_iter().collect();
    for (name, parameter) in &parameters {
        let shape = parameter.size();
        match saved.get(name) {
            None => return Err(misfit(format!("it has no parameter {name}"))),
            Some(tensor) if tensor.size() != shape => {
                let got = tensor.size();
                return Err(misfit(format!(
                    "parameter {name} has shape {got:?}, expected {shape:?}"
                )));
            }
            Some(_) => {}
        }
    }
    let mut unknown: Vec<_> = saved.keys().filter(|name| !parameters.contains_key(*name)).collect();
    unknown.sort();
    if let Some(name) = unknown.first() {
        return Err(misfit(format!("the net has no parameter {name}")));
    }
    no_grad(|| {
        for (name, mut parameter) in parameters {
            parameter.f_copy_(&saved[&name]).map_err(Error::torch("copying a parameter"))?;
        }
        Ok(())
    })
}

fn read(path: &Path) -> Result<HashMap<String, Tensor>> {
    let tensors = if is_safetensors(path) {
        Tensor::read_safetensors(path)
    } else {
        Tensor::load_multi(path)
    };
    Ok(tensors.map_err(Error::torch("reading the checkpoint"))?.into_iter().collect())
}

fn is_safetensors(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "safetensors")
}

fn check_extension(path: &Path) -> Result<()> {
    if is_safetensors(path) || path.extension().is_some_and(|extension| extension == "ot") {
        return Ok(());
    }
    Err(Error::Option {
        option: "path",
        expected: "a file name ending in .safetensors or .ot".to_owned(),
        got: path.display().to_string(),
    })
}
