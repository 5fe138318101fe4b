//! Writing files so that no reader finds half of one.

use anyhow::{Context, Result};
use std::fs;
use std::path::Path;

/// Writes a file whole or not at all: beside its place first, then moved there.
///
/// # Errors
/// The directory or the file cannot be written.
pub fn write_atomically(path: &Path, contents: &[u8]) -> Result<()> {
    let write = || -> std::io::Result<()> {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        let mut beside = path.as_os_str().to_owned();
        beside.push(format!(".{}", std::process::id()));
        fs::write(&beside, contents)?;
        fs::rename(&beside, path)
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}
