//! The project as this program works in it.

use blitz_contract::{Layout, layout};
use std::ffi::OsString;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The project: its [`Layout`], and the places in it that only this program knows.
pub struct Project(Layout);

impl Deref for Project {
    type Target = Layout;

    fn deref(&self) -> &Layout {
        &self.0
    }
}

impl Project {
    /// The project that is laid out so.
    pub fn new(layout: Layout) -> Self {
        Project(layout)
    }

    /// The one list of Python pins.
    pub fn requirements(&self) -> PathBuf {
        self.path("requirements.txt")
    }

    /// The teacher's exercise notebooks, with solutions.
    pub fn exercises_dir(&self) -> PathBuf {
        self.notebooks_dir().join("exercises")
    }

    /// The exercise notebooks of whoever works here.
    pub fn my_exercises_dir(&self) -> PathBuf {
        self.notebooks_dir().join("my_exercises")
    }

    /// What set-up has done.
    pub fn state_file(&self) -> PathBuf {
        self.made().join("state.json")
    }

    /// Held while somebody sets up or cleans.
    pub fn setup_lock(&self) -> PathBuf {
        self.made().join("setup.lock")
    }

    /// Held while somebody compiles programs with what set-up has compiled.
    pub fn compile_lock(&self) -> PathBuf {
        self.made().join("compile.lock")
    }

    /// The package by which the notebooks' dependencies are compiled.
    pub fn dependencies_dir(&self) -> PathBuf {
        self.made().join("dependencies")
    }

    /// The package by which the example is compiled.
    pub fn example_dir(&self) -> PathBuf {
        self.made().join("example")
    }

    /// The package by which the notebooks' programs are compiled.
    pub fn programs_dir(&self) -> PathBuf {
        self.made().join("programs")
    }

    /// The built-in data set as files, for Python.
    pub fn bench_data_dir(&self) -> PathBuf {
        self.made().join("bench-data")
    }

    /// The log of one of set-up's programs.
    pub fn log(&self, name: &str) -> PathBuf {
        self.logs_dir().join(format!("{name}.log"))
    }

    /// The log of a program that may run for somebody who has not set up.
    pub fn own_log(&self, name: &str) -> PathBuf {
        self.own_path(layout::LOGS).join(format!("{name}.log"))
    }

    /// A path for files of the person who runs this: below `.blitz`, or where that is somebody
    /// else's, in the person's own cache.
    pub fn own_path(&self, relative: &str) -> PathBuf {
        let own = blitz_user_dirs::own_dir(self.root());
        own.unwrap_or_else(|_| self.made()).join(relative)
    }

    /// A command that runs the environment's Python, with Jupyter's own files kept
    /// [apart](Self::own_path). So the person's settings and kernels do not change what runs here, and
    /// nothing here changes them.
    pub fn python_command(&self) -> Command {
        self.jupyter_command(&self.venv())
    }

    /// As [`python_command`](Self::python_command), with the Python of the environment `venv`.
    pub fn jupyter_command(&self, venv: &Path) -> Command {
        let mut command = Command::new(venv.join("bin/python"));
        let jupyter = self.own_path(layout::JUPYTER);
        // IPython warns where it is missing.
        let _ = std::fs::create_dir_all(&jupyter);
        command
            .env("JUPYTER_CONFIG_DIR", jupyter.join("config"))
            .env("JUPYTER_DATA_DIR", jupyter.join("data"))
            .env("JUPYTER_RUNTIME_DIR", jupyter.join("runtime"))
            .env("JUPYTERLAB_SETTINGS_DIR", jupyter.join("lab/settings"))
            .env("JUPYTERLAB_WORKSPACES_DIR", jupyter.join("lab/workspaces"))
            .env("IPYTHONDIR", jupyter.join("ipython"))
            .env("PATH", path_with(venv))
            .env_remove("JUPYTER_PATH")
            .env_remove("PYTHONPATH")
            .env_remove("PYTHONHOME");
        command
    }
}

fn path_with(venv: &Path) -> OsString {
    let old = std::env::var_os("PATH").unwrap_or_default();
    let dirs = std::iter::once(venv.join("bin")).chain(std::env::split_paths(&old));
    std::env::join_paths(dirs).unwrap_or(old)
}
