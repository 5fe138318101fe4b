//! One set-up at a time, and one that compiles programs.

use crate::process::progress::Step;
use crate::project::Project;
use anyhow::{Context, Result};
use blitz_contract::layout;
use std::fs::{self, File, TryLockError};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Takes the lock of set-up, when nobody else has it any more.
///
/// # Errors
/// The lock's file cannot be written.
pub fn wait(project: &Project) -> Result<File> {
    wait_for(project, &project.setup_lock(), "waiting for another `cargo blitz` that sets up")
}

/// Takes the lock of whoever compiles [programs](super::linked), when nobody else has it any more. Set-up's
/// is taken after it, never before.
///
/// # Errors
/// The lock's file cannot be written.
pub fn wait_to_compile(project: &Project) -> Result<File> {
    let path = project.compile_lock();
    wait_for(project, &path, "waiting for another `cargo blitz` that compiles programs")
}

/// Takes the lock of set-up, or returns `None` where another process has it.
///
/// # Errors
/// The lock's file cannot be written.
pub fn take(project: &Project) -> Result<Option<File>> {
    try_take(project, &project.setup_lock())
}

fn wait_for(project: &Project, path: &Path, name: &'static str) -> Result<File> {
    loop {
        if let Some(file) = try_take(project, path)? {
            return Ok(file);
        }
        let file = open_lock(project, path)?;
        let step = Step::start(name);
        file.lock().with_context(|| format!("cannot lock {}", path.display()))?;
        step.done("");
    }
}

fn try_take(project: &Project, path: &Path) -> Result<Option<File>> {
    loop {
        let file = open_lock(project, path)?;
        match file.try_lock() {
            Ok(()) if is_at(&file, path) => return Ok(Some(file)),
            // `cargo blitz clean --all` removed the file meanwhile: the lock is that of nothing.
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("cannot lock {}", path.display()));
            }
        }
    }
}

fn open_lock(project: &Project, path: &Path) -> Result<File> {
    let open = || -> std::io::Result<File> {
        // Jupyter's own files go there, and IPython warns where it is missing.
        fs::create_dir_all(project.made().join(layout::JUPYTER))?;
        File::options().create(true).append(true).open(path)
    };
    open().with_context(|| format!("cannot write {}", path.display()))
}

fn is_at(file: &File, path: &Path) -> bool {
    let id = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    file.metadata().ok().map(id) == fs::metadata(path).ok().map(id)
}
