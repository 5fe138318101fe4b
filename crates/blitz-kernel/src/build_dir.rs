//! A build directory for each kernel, started from the warm one.
//!
//! evcxr builds every cell in one crate directory. Two kernels in one directory would overwrite
//! each other's cells, and an empty one costs minutes of compiling tch. So set-up compiles the
//! dependencies once into `.blitz/warm`, and each kernel gets a copy, with hard links for the large
//! files that nothing rewrites. Where the system refuses those, because the files are another
//! user's or on another disk, symbolic links stand in: a copy would cost each kernel half a
//! gigabyte.

use crate::environment::Layout;
use crate::toolchain;
use anyhow::{Context, Result};
use std::env::consts::DLL_EXTENSION;
use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The name of the file that a running kernel holds locked in its directory.
const LOCK: &str = "in-use.lock";
/// cargo's own directory and file.
const TARGET: &str = "target";
const LOCK_FILE: &str = "Cargo.lock";
const INCREMENTAL: &str = "incremental";

/// A running kernel's build directory, removed on drop.
pub struct BuildDir {
    path: PathBuf,
    // The lock tells other kernels that this directory is alive; the system lets go of it however
    // this process ends.
    _lock: File,
}

impl BuildDir {
    /// Makes a directory for this process from the warm one and removes those of dead kernels.
    ///
    /// # Errors
    /// The warm directory is missing or the copy cannot be written.
    pub fn create(layout: &Layout) -> Result<Self> {
        let kernels =
            layout.kernels_dir().context("there is no place for this kernel's build directory")?;
        remove_dead(&kernels);
        share_cargo_settings(layout, &kernels)?;
        let path = new_dir(&kernels)?;
        let create = || -> Result<File> {
            let lock = File::create(path.join(LOCK))?;
            lock.lock()?;
            link_libraries(&layout.warm_dir(), &path)?;
            Ok(lock)
        };
        let lock = create().with_context(|| {
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

/// Links what a cell is compiled against, which is all that most kernels ever need.
fn link_libraries(warm_dir: &Path, build_dir: &Path) -> Result<()> {
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
    let aids = toolchain::aids_dir(build_dir);
    fs::create_dir_all(&aids)?;
    copy_tree(&toolchain::aids_dir(warm_dir), &aids)?;
    copy_file(&warm_dir.join(LOCK_FILE), &build_dir.join(LOCK_FILE))
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
        let locked = File::open(path.join(LOCK))
            .is_ok_and(|lock| matches!(lock.try_lock(), Err(TryLockError::WouldBlock)));
        // A young one may belong to a kernel that is about to take its lock.
        let alive = locked || is_young(&path);
        if !alive {
            let _ = fs::remove_dir_all(&path);
        }
    }
}

fn is_young(path: &Path) -> bool {
    let modified = fs::metadata(path).and_then(|metadata| metadata.modified());
    let age = modified.ok().and_then(|time| time.elapsed().ok());
    age.is_some_and(|age| age.as_secs() < 60)
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
