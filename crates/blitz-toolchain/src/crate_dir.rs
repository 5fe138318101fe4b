//! evcxr's crate directory, started from the one that set-up has filled.
//!
//! A kernel's directory gets links to the large files that nothing rewrites.

use crate::aids;
use anyhow::{Context, Result};
use blitz_user_dirs::linked_tree;
use std::fs;
use std::path::{Path, PathBuf};

/// cargo's own directory and file.
const TARGET: &str = "target";
const LOCK_FILE: &str = "Cargo.lock";

/// Gives a kernel's directory what a cell is compiled against, which is all that most kernels ever
/// need.
///
/// # Errors
/// The warm directory is missing, or the disk is full.
pub fn fill(warm_dir: &Path, build_dir: &Path) -> Result<()> {
    let (from, to) = (warm_dir.join(TARGET), build_dir.join(TARGET));
    let targets = fs::read_dir(&from).with_context(|| format!("cannot read {}", from.display()))?;
    let profiles = targets.flatten().flat_map(|entry| {
        let name = PathBuf::from(entry.file_name());
        [name.join("deps"), name.join("debug/deps")]
    });
    for deps in profiles.filter(|deps| from.join(deps).is_dir()) {
        fs::create_dir_all(to.join(&deps))?;
        for entry in fs::read_dir(from.join(&deps))? {
            let source = entry?.path();
            let target = to.join(&deps).join(source.file_name().unwrap_or_default());
            if linked_tree::is_immutable(&source) {
                linked_tree::link(&source, &target)?;
            }
        }
    }
    let aids = aids::dir(build_dir);
    linked_tree::copy(&aids::dir(warm_dir), &aids)?;
    linked_tree::copy_file(&warm_dir.join(LOCK_FILE), &build_dir.join(LOCK_FILE))?;
    Ok(())
}

/// Completes a kernel's directory for cargo, which reads much that rustc does not.
///
/// # Errors
/// The rest of the warm directory cannot be copied.
pub fn complete(warm_dir: &Path, build_dir: &Path) -> Result<()> {
    let target = build_dir.join(TARGET);
    // cargo has been here, or this is the warm directory itself.
    if warm_dir == build_dir || target.join("CACHEDIR.TAG").exists() {
        return Ok(());
    }
    let _ = fs::remove_dir_all(&target);
    linked_tree::copy(&warm_dir.join(TARGET), &target)?;
    Ok(())
}
