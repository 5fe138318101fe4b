//! Files of parameters by their path: one file, or an index of several.

use std::path::Path;

use tch::Tensor;

use super::contents::{Dictionary, Entry};
use super::fault::damaged;
use super::index;
use super::read::{Opened, begin, open_single};
use super::signature::Signature;
use crate::error::Result;

/// Opens a file of any format; how it begins says which.
pub(super) fn open(path: &Path) -> Result<Opened> {
    let (file, found) = begin(path)?;
    match found {
        Some(Signature::Json) => index::open(file, path),
        found => open_single(file, found, path),
    }
}

/// All tensors of a `.safetensors` file.
pub(super) fn read_safetensors(path: &Path) -> Result<Vec<(String, Tensor)>> {
    let mut opened = open(path)?;
    if !opened.is_safetensors() {
        return Err(damaged(path)("it is no .safetensors file".to_owned().into()));
    }
    let dictionary = opened.contents.dictionaries.pop();
    let Dictionary { entries, .. } = dictionary.unwrap_or_default();
    let named = |entry: Entry| Ok((entry.name.clone(), opened.tensor(&entry, path)?));
    entries.into_iter().map(named).collect()
}
