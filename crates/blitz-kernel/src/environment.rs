//! Where things are, and the environment that evcxr needs.

use std::path::{Path, PathBuf};

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

    /// The workspace's lock file: the versions that cells are built with.
    pub fn lock_file(&self) -> PathBuf {
        self.root.join("Cargo.lock")
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

    /// The parent of the running kernels' build directories.
    pub fn kernels_dir(&self) -> PathBuf {
        self.root.join(".blitz/kernels")
    }

    /// evcxr's configuration directory.
    pub fn evcxr_config_dir(&self) -> PathBuf {
        self.root.join(".blitz/evcxr")
    }
}

/// Sets the variables that evcxr reads. Call it before any thread is started.
pub fn set_for_evcxr(layout: &Layout, build_dir: &Path) {
    // evcxr_jupyter "updates" a kernelspec that it finds in the user's own Jupyter directory. Ours
    // is none of its business and neither is the user's, so it is shown a directory that has none.
    let nowhere = layout.evcxr_config_dir().join("no-kernelspecs");
    let variables = [
        ("EVCXR_TMPDIR", build_dir.to_path_buf()),
        ("EVCXR_CONFIG_DIR", layout.evcxr_config_dir()),
        ("JUPYTER_PATH", nowhere),
    ];
    for (name, value) in variables {
        // SAFETY: the process has one thread: this runs first thing in `main`.
        unsafe { std::env::set_var(name, value) };
    }
    if std::env::var_os("RUST_BACKTRACE").is_some_and(|value| value == "full") {
        // SAFETY: as above.
        unsafe { std::env::set_var(crate::supervisor::BACKTRACE_VAR, "full") };
    }
    for name in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_TARGET_DIR", "CARGO_BUILD_TARGET"] {
        // Anything of the person's that changes how dependencies are compiled would throw the
        // warm build away. SAFETY: as above.
        unsafe { std::env::remove_var(name) };
    }
}
