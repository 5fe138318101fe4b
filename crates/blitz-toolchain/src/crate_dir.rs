//! evcxr's crate directory, started from the one that set-up has filled.
//!
//! A kernel's directory gets hard links to the large files that nothing rewrites. Where the system
//! refuses those, because the files are another user's or on another disk, symbolic links stand in:
//! a copy would cost each kernel half a gigabyte.

use crate::aids;
use anyhow::{Context, Result};
use std::env::consts::DLL_EXTENSION;
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// cargo's own directory and file.
const TARGET: &str = "target";
const LOCK_FILE: &str = "Cargo.lock";
const INCREMENTAL: &str = "incremental";

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
            if is_immutable(&source) {
                link(&source, &target)?;
            }
        }
    }
    let aids = aids::dir(build_dir);
    fs::create_dir_all(&aids)?;
    copy_tree(&aids::dir(warm_dir), &aids)?;
    copy_file(&warm_dir.join(LOCK_FILE), &build_dir.join(LOCK_FILE))
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
    fs::create_dir_all(&target).context("cannot make the target directory")?;
    copy_tree(&warm_dir.join(TARGET), &target)
}

/// Copies the tree `from` into `to`. Compiled libraries, which nothing ever rewrites in place, are
/// hard-linked; modification times are kept, because cargo compares them.
fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    let entries = fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))?;
    for entry in entries {
        let entry = entry?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        // rustc's notes for compiling a crate again: large, and closed to other users.
        if entry.file_name() == INCREMENTAL {
            continue;
        }
        if entry.file_type()?.is_dir() {
            fs::create_dir_all(&target)?;
            copy_tree(&source, &target)?;
        } else if is_immutable(&source) {
            link(&source, &target)?;
        } else {
            copy_file(&source, &target)?;
        }
    }
    Ok(())
}

fn is_immutable(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    matches!(extension, Some("rlib" | "rmeta" | "a" | "o"))
        // Procedural macros; the cells' own shared objects are called libctx.
        || (extension == Some(DLL_EXTENSION) && path.file_stem() != Some("libctx".as_ref()))
}

/// Makes `target` the same file as `source`, whose directory is a full path.
fn link(source: &Path, target: &Path) -> Result<()> {
    fs::hard_link(source, target)
        .or_else(|_| std::os::unix::fs::symlink(source, target))
        .with_context(|| format!("cannot link {} to {}", target.display(), source.display()))
}

fn copy_file(source: &Path, target: &Path) -> Result<()> {
    fs::copy(source, target)
        .with_context(|| format!("cannot copy {} to {}", source.display(), target.display()))?;
    // The project's files may be read-only; the kernel's own are not.
    let mut permissions = fs::metadata(target)?.permissions();
    permissions.set_mode(permissions.mode() | 0o200);
    fs::set_permissions(target, permissions)?;
    let modified = fs::metadata(source)?.modified()?;
    File::options().write(true).open(target)?.set_modified(modified)?;
    Ok(())
}
