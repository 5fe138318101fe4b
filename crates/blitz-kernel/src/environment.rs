//! Where things are, and the environment that evcxr needs.

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// The places below the repository that the kernel uses.
pub struct Layout {
    root: PathBuf,
}

impl Layout {
    /// The layout of the repository that this binary was built in.
    pub fn of_this_build() -> Self {
        let manifest_dir = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = manifest_dir.ancestors().nth(2).unwrap_or(manifest_dir);
        Layout { root: root.to_path_buf() }
    }

    /// Whether the repository is this user's own.
    pub fn is_own(&self) -> bool {
        blitz_places::is_own(&self.root)
    }

    /// Whether `path` is a file of the repository.
    pub fn contains(&self, path: &Path) -> bool {
        path.starts_with(&self.root)
    }

    /// The workspace's lock file: the versions that cells are built with.
    pub fn lock_file(&self) -> PathBuf {
        self.root.join("Cargo.lock")
    }

    /// cargo's settings for the repository.
    pub fn cargo_settings(&self) -> PathBuf {
        self.root.join(".cargo/config.toml")
    }

    /// The helper crate that notebooks import.
    pub fn helper_crate(&self) -> PathBuf {
        self.root.join("crates/blitz")
    }

    /// The directory of libtorch's shared libraries.
    pub fn libtorch_lib(&self) -> PathBuf {
        self.root.join(".blitz/libtorch/lib")
    }

    /// The compiled dependencies that every kernel starts from.
    pub fn warm_dir(&self) -> PathBuf {
        self.root.join(".blitz/warm")
    }

    /// What set-up learned from the Rust toolchain.
    pub fn toolchain_dir(&self) -> PathBuf {
        self.warm_dir().join("answers")
    }

    /// The parent of the running kernels' build directories, which only this user can read.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn kernels_dir(&self) -> io::Result<PathBuf> {
        self.own_dir("kernels")
    }

    /// The library that shares the standard library with cells, compiled by set-up.
    pub fn cell_runtime(&self) -> PathBuf {
        self.root.join(".blitz/evcxr").join(format!("{DLL_PREFIX}blitz_cells{DLL_SUFFIX}"))
    }

    /// What this user has executed.
    ///
    /// # Errors
    /// There is no place for it.
    pub fn history_file(&self) -> io::Result<PathBuf> {
        Ok(self.own_dir("history")?.join("cells.jsonl"))
    }

    /// The sources of published crates whose types cells name, copied by set-up.
    pub fn sources_dir(&self) -> PathBuf {
        self.root.join(".blitz/sources")
    }

    /// A directory of this user's own: in the repository, or where that is somebody else's, in the
    /// user's cache.
    fn own_dir(&self, name: &str) -> io::Result<PathBuf> {
        let dir = blitz_places::own_dir(&self.root)?.join(name);
        blitz_places::make_private(&dir)?;
        Ok(dir)
    }

    /// evcxr's configuration directory.
    pub fn evcxr_config_dir(&self) -> PathBuf {
        self.root.join(".blitz/evcxr")
    }
}

/// Variables that build scripts read. A kernel gets the values that the warm build had: with
/// others, cargo would compile the dependencies anew.
const BUILD_VARIABLES: [&str; 9] =
    ["AR", "ARFLAGS", "CC", "CFLAGS", "CXX", "CXXFLAGS", "CXXSTDLIB", "RANLIB", "SDKROOT"];

/// Records [`BUILD_VARIABLES`] for the kernels to come.
///
/// # Errors
/// The file cannot be written.
pub fn record_build_variables(layout: &Layout) -> io::Result<()> {
    let lines = BUILD_VARIABLES.iter().filter_map(|name| {
        let value = std::env::var(name).ok()?;
        Some(format!("{name}={value}\n"))
    });
    fs::write(build_variables_file(layout), lines.collect::<String>())
}

fn build_variables_file(layout: &Layout) -> PathBuf {
    layout.evcxr_config_dir().join("build-variables")
}

/// Gives a kernel the build variables of the warm build. Call it before any thread is started.
pub fn restore_build_variables(layout: &Layout) {
    let recorded = fs::read_to_string(build_variables_file(layout)).unwrap_or_default();
    BUILD_VARIABLES.iter().for_each(|name| remove(name));
    for (name, value) in recorded.lines().filter_map(|line| line.split_once('=')) {
        set(name, value);
    }
}

/// Sets the variables that evcxr reads and removes those that would change how cells and their
/// dependencies are compiled. Call it before any thread is started.
pub fn set_for_evcxr(layout: &Layout, build_dir: &Path) {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    names
        .filter(|name| blitz_contract::build_environment::changes_what_is_compiled(name))
        .for_each(|name| remove(&name));
    // Below the repository cargo reads this in `.cargo/config.toml`.
    if !layout.contains(build_dir) {
        set("LIBTORCH", layout.root.join(".blitz/libtorch"));
    }
    set("EVCXR_TMPDIR", build_dir);
    set("EVCXR_CONFIG_DIR", layout.evcxr_config_dir());
    // evcxr_jupyter "updates" a kernelspec that it finds in the user's own Jupyter directory. Ours
    // is none of its business and neither is the user's, so it is shown a directory that has none.
    set("JUPYTER_PATH", layout.evcxr_config_dir().join("no-kernelspecs"));
}

/// Sets a variable of this process. Call it before any thread is started.
pub fn set(name: &str, value: impl AsRef<OsStr>) {
    // SAFETY: the process has one thread: this is called first thing in `main`.
    unsafe { std::env::set_var(name, value) };
}

/// Removes a variable of this process. Call it before any thread is started.
pub fn remove(name: &str) {
    // SAFETY: as in `set`.
    unsafe { std::env::remove_var(name) };
}
