//! The data set that notebooks train on.

use crate::usage::Usage;
use anyhow::Result;
use blitz_contract::variables::BUILTIN_DATA;
use std::fs;

/// The data directory as an absolute path: the kernel works in another directory.
///
/// # Errors
/// It is not there.
pub fn resolve(given: Option<&str>) -> Result<Option<String>> {
    match given {
        None | Some("") => Ok(None),
        Some(BUILTIN_DATA) => Ok(Some(BUILTIN_DATA.to_owned())),
        Some(dir) => {
            let path = fs::canonicalize(dir).map_err(|error| {
                Usage(format!("the data directory {dir} cannot be read: {error}"))
            })?;
            Ok(Some(path.display().to_string()))
        }
    }
}
