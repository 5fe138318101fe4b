//! One set-up at a time.

use crate::process::progress::Step;
use crate::project::Project;
use anyhow::{Context, Result};
use blitz_contract::layout;
use std::fs::{self, File, TryLockError};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Takes the lock of set-up, when nobody else has it any more.
///
/// # Errors
/// The lock's file cannot be written.
pub fn wait(project: &Project) -> Result<File> {
    loop {
        if let Some(file) = take(project)? {
            return Ok(file);
        }
        let (path, file) = open_lock(project)?;
        let step = Step::start("waiting for another `cargo blitz` that sets up");
        file.lock().with_context(|| format!("cannot lock {}", path.display()))?;
        step.done("");
    }
}

/// Takes the lock of set-up, or returns `None` where another process has it.
///
/// # Errors
/// The lock's file cannot be written.
pub fn take(project: &Project) -> Result<Option<File>> {
    loop {
        let (path, file) = open_lock(project)?;
        match file.try_lock() {
            Ok(()) if is_at(&file, &path) => return Ok(Some(file)),
            // `cargo blitz clean --all` removed the file meanwhile: the lock is that of nothing.
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("cannot lock {}", path.display()));
            }
        }
    }
}

fn open_lock(project: &Project) -> Result<(PathBuf, File)> {
    let path = project.setup_lock();
    let open = || -> std::io::Result<File> {
        // Jupyter's own files go there, and IPython warns where it is missing.
        fs::create_dir_all(project.made().join(layout::JUPYTER))?;
        File::options().create(true).append(true).open(&path)
    };
    let file = open().with_context(|| format!("cannot write {}", path.display()))?;
    Ok((path, file))
}

fn is_at(file: &File, path: &Path) -> bool {
    let id = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    file.metadata().ok().map(id) == fs::metadata(path).ok().map(id)
}
