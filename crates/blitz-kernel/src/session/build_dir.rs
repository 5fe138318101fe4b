//! A build directory for each kernel, started from the warm one.
//!
//! evcxr builds every cell in one crate directory. Two kernels in one directory would overwrite
//! each other's cells, and an empty one costs minutes of compiling tch. So set-up compiles the
//! dependencies once into `.blitz/warm`, and each kernel gets a copy made of links.

use anyhow::{Context, Result};
use blitz_contract::Layout;
use blitz_contract::layout::KERNELS;
use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::Errno;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// What compiling a cell takes at least, in bytes. A kernel with less could not run one.
const ROOM: u64 = 8 * 1024 * 1024;

/// A running kernel's build directory, removed on drop.
pub struct BuildDir {
    path: PathBuf,
    // Tells other kernels that this directory is in use.
    _lock: File,
}

impl BuildDir {
    /// Makes a directory for this process from the warm one and removes those of dead kernels.
    ///
    /// # Errors
    /// The warm directory is missing or the copy cannot be written.
    pub fn create(layout: &Layout) -> Result<Self> {
        let kernels = blitz_user_dirs::own_subdir(layout.root(), KERNELS)
            .context("there is no place for this kernel's build directory")?;
        remove_dead(&kernels);
        share_cargo_settings(layout, &kernels)?;
        let path = new_dir(&kernels)?;
        let create = || -> Result<File> {
            let lock = blitz_user_dirs::take_kernel_dir(&path)?;
            blitz_toolchain::crate_dir::fill(&layout.warm_dir(), &path)?;
            find_room(&path)?;
            Ok(lock)
        };
        let created = create().inspect_err(|_| {
            // On a full disk, what came of it is in the way of others.
            let _ = fs::remove_dir_all(&path);
        });
        let lock = created.with_context(|| {
            format!(
                "cannot copy the compiled dependencies from {} to {} (run `cargo blitz setup`; \
                 is the disk full?)",
                layout.warm_dir().display(),
                path.display()
            )
        })?;
        Ok(BuildDir { path, _lock: lock })
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Fails where a cell could not be compiled in `dir`: the person is told now, and not by every cell.
fn find_room(dir: &Path) -> Result<()> {
    let path = dir.join("room");
    let file = File::create(&path)?;
    let found = match fallocate(&file, FallocateFlags::empty(), 0, ROOM) {
        // Not every file system can promise room.
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => Ok(()),
        found => found,
    };
    let _ = fs::remove_file(&path);
    found.with_context(|| format!("cells need {} MiB in {}", ROOM >> 20, dir.display()))
}

/// Gives cargo, which looks for settings above the directory where it works, the profiles that the
/// dependencies were compiled with. Below the project it finds them by itself.
fn share_cargo_settings(layout: &Layout, kernels: &Path) -> Result<()> {
    if layout.contains(kernels) {
        return Ok(());
    }
    let settings = layout.cargo_settings();
    let text = fs::read_to_string(&settings)
        .with_context(|| format!("cannot read {}", settings.display()))?;
    let profiles = text.find("\n[profile").map_or("", |start| &text[start..]);
    // Beside the build directories, whose own folder is for nothing else.
    let dir = kernels.with_file_name(".cargo");
    let copy = dir.join("config.toml");
    let write = || -> io::Result<()> {
        fs::create_dir_all(&dir)?;
        fs::write(&copy, profiles)
    };
    write().with_context(|| format!("cannot write {}", copy.display()))
}

impl Drop for BuildDir {
    fn drop(&mut self) {
        // What stays behind is removed by the next kernel that starts.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Makes a directory that was not there. The process id alone does not tell kernels apart: it
/// comes again, and containers that share a disk each have their own.
fn new_dir(kernels: &Path) -> Result<PathBuf> {
    for count in 0.. {
        let path = kernels.join(format!("{}-{count}", std::process::id()));
        match fs::create_dir(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            result => {
                result.with_context(|| format!("cannot create {}", path.display()))?;
                return Ok(path);
            }
        }
    }
    unreachable!("a directory has fewer entries than there are numbers")
}

/// Removes the directories whose kernel no longer runs. Best effort: one that cannot be removed now
/// can be removed by the next kernel.
fn remove_dead(kernels: &Path) {
    for entry in fs::read_dir(kernels).into_iter().flatten().flatten() {
        let path = entry.path();
        if !blitz_user_dirs::is_kernel_dir_in_use(&path) {
            let _ = fs::remove_dir_all(&path);
        }
    }
}
