//! Where things are in the repository.

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::path::{Path, PathBuf};

/// The directory, below the repository, of all that set-up and kernels make.
pub const MADE: &str = ".blitz";

/// Cells that were compiled before, below [`MADE`] or in a user's cache.
pub const CELLS: &str = "cells";

/// The kernels' build directories, below [`MADE`] or in a user's cache.
pub const KERNELS: &str = "kernels";

/// What a user has executed, below [`MADE`] or in a user's cache.
pub const HISTORY: &str = "history";

/// The logs of what ran, below [`MADE`] or in a user's cache.
pub const LOGS: &str = "logs";

/// Jupyter's own files, below [`MADE`] or in a user's cache.
pub const JUPYTER: &str = "jupyter";

/// Downloaded CIFAR-10, below [`MADE`] or in a user's cache.
pub const DATA: &str = "data";

/// The kernel's program, below the repository.
pub const KERNEL_PROGRAM: &str = ".blitz/bin/blitz-kernel";

/// Which Rust toolchain set-up used, below [`Layout::answers_dir`].
pub const TOOLCHAIN_ANSWER: &str = "toolchain.json";

/// The repository, and the places in it that more than one program knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    root: PathBuf,
}

impl Layout {
    /// The repository at `root`.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Layout { root: root.into() }
    }

    /// The repository that the program `executable` was made in, or that the directory `dir`
    /// belongs to.
    pub fn find(executable: Option<&Path>, dir: Option<&Path>) -> Option<Self> {
        let above = |path: &Path| {
            let is_root = |dir: &&Path| Layout::new(*dir).is_repository();
            path.ancestors().find(is_root).map(Layout::new)
        };
        executable.and_then(above).or_else(|| dir.and_then(above))
    }

    /// Whether the root holds this project.
    fn is_repository(&self) -> bool {
        self.lock_file().is_file() && self.helper_crate().join("Cargo.toml").is_file()
    }

    /// The repository's root.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A path below the root.
    pub fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.root.join(relative)
    }

    /// Whether `path` lies in the repository.
    pub fn contains(&self, path: &Path) -> bool {
        path.starts_with(&self.root)
    }

    /// The workspace's lock file: the versions that cells are built with.
    pub fn lock_file(&self) -> PathBuf {
        self.path("Cargo.lock")
    }

    /// cargo's settings for the repository.
    pub fn cargo_settings(&self) -> PathBuf {
        self.path(".cargo/config.toml")
    }

    /// The helper crate that notebooks import.
    pub fn helper_crate(&self) -> PathBuf {
        self.path("crates/blitz")
    }

    /// The notebooks.
    pub fn notebooks_dir(&self) -> PathBuf {
        self.path("notebooks")
    }

    /// The translations, a folder a language.
    pub fn translations_dir(&self) -> PathBuf {
        self.path("po")
    }

    /// Where executed notebooks and pages go unless told otherwise.
    pub fn site_dir(&self) -> PathBuf {
        self.path("site")
    }

    /// The environment with PyTorch and Jupyter.
    pub fn venv(&self) -> PathBuf {
        self.path(".venv")
    }

    /// Python in [`venv`](Self::venv).
    pub fn python(&self) -> PathBuf {
        self.path(".venv/bin/python")
    }

    /// All that set-up and kernels make.
    pub fn made(&self) -> PathBuf {
        self.path(MADE)
    }

    /// The installed kernel.
    pub fn kernel(&self) -> PathBuf {
        self.path(KERNEL_PROGRAM)
    }

    /// The link to libtorch in [`venv`](Self::venv), by which cargo finds it.
    pub fn libtorch(&self) -> PathBuf {
        self.made().join("libtorch")
    }

    /// libtorch's shared libraries.
    pub fn libtorch_lib(&self) -> PathBuf {
        self.libtorch().join("lib")
    }

    /// evcxr's crate directory with the compiled dependencies that every kernel starts from.
    pub fn warm_dir(&self) -> PathBuf {
        self.made().join("warm")
    }

    /// The target directory of the notebooks' compiled dependencies.
    pub fn warm_target(&self) -> PathBuf {
        self.warm_dir().join("target")
    }

    /// What set-up learned from the Rust toolchain.
    pub fn answers_dir(&self) -> PathBuf {
        self.warm_dir().join("answers")
    }

    /// Which Rust toolchain set-up used: JSON with `rustc.path`.
    pub fn toolchain_answer(&self) -> PathBuf {
        self.answers_dir().join(TOOLCHAIN_ANSWER)
    }

    /// evcxr's configuration directory.
    pub fn evcxr_config_dir(&self) -> PathBuf {
        self.made().join("evcxr")
    }

    /// The library that shares the standard library with cells, compiled by set-up.
    pub fn cell_runtime(&self) -> PathBuf {
        self.evcxr_config_dir().join(format!("{DLL_PREFIX}blitz_cell_runtime{DLL_SUFFIX}"))
    }

    /// The sources of published crates whose types cells name, copied by set-up.
    pub fn sources_dir(&self) -> PathBuf {
        self.made().join("sources")
    }

    /// The logs of set-up's steps.
    pub fn logs_dir(&self) -> PathBuf {
        self.made().join(LOGS)
    }

    /// What tests write.
    pub fn test_dir(&self) -> PathBuf {
        self.made().join("test")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repository_is_found_from_its_programs_and_from_inside_it() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = here.ancestors().nth(2).expect("crates lie two levels down");
        let expected = Some(Layout::new(root));
        assert_eq!(Layout::find(Some(&root.join("target/debug/blitz")), None), expected);
        assert_eq!(Layout::find(Some(&root.join(KERNEL_PROGRAM)), None), expected);
        assert_eq!(Layout::find(Some(Path::new("/usr/bin/blitz")), Some(here)), expected);
        assert_eq!(Layout::find(None, Some(Path::new("/"))), None);
        assert_eq!(Layout::find(None, None), None);
    }

    #[test]
    fn only_what_lies_below_the_root_belongs_to_it() {
        let layout = Layout::new("/srv/blitz");
        assert!(layout.contains(&layout.warm_target()) && layout.contains(&layout.kernel()));
        assert!(!layout.contains(Path::new("/srv/blitz-2/Cargo.lock")));
    }
}
