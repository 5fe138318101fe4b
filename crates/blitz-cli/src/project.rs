//! Where things are in the repository.

use anyhow::{Result, bail};
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A mistake in the arguments, for exit code 2.
#[derive(Debug)]
pub struct Usage(pub String);

impl fmt::Display for Usage {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

/// The repository.
pub struct Project {
    root: PathBuf,
}

impl Project {
    /// The repository at `root`, or the one that this tool was built in.
    pub fn new(root: Option<PathBuf>) -> Self {
        let built_in = || {
            let manifest_dir = Path::new(env!("CARGO_MANIFEST_DIR"));
            manifest_dir.ancestors().nth(2).unwrap_or(manifest_dir).to_path_buf()
        };
        Project { root: root.unwrap_or_else(built_in) }
    }

    /// A path below the repository.
    pub fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// The repository's root.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Python in the project's virtual environment.
    pub fn python(&self) -> PathBuf {
        self.path(".venv/bin/python")
    }

    /// The installed kernel.
    pub fn kernel(&self) -> PathBuf {
        self.path(".blitz/bin/blitz-kernel")
    }

    /// The directory of the notebooks.
    pub fn notebooks_dir(&self) -> PathBuf {
        self.path("notebooks")
    }

    /// Where executed notebooks and pages go unless told otherwise.
    pub fn site_dir(&self) -> PathBuf {
        self.path("site")
    }

    /// A path for files of the person who runs this: below `.blitz`, or where that is somebody
    /// else's, in the person's own cache.
    pub fn own_path(&self, relative: &str) -> PathBuf {
        let own = blitz_places::own_dir(&self.root);
        own.unwrap_or_else(|_| self.path(".blitz")).join(relative)
    }

    /// A command that runs the environment's Python, with Jupyter's own files kept
    /// [apart](Self::own_path). So the person's settings and kernels do not change what runs here, and nothing
    /// here changes them.
    pub fn python_command(&self) -> Command {
        let mut command = Command::new(self.python());
        let jupyter = self.own_path("jupyter");
        // IPython warns where it is missing.
        let _ = std::fs::create_dir_all(&jupyter);
        command
            .env("JUPYTER_CONFIG_DIR", jupyter.join("config"))
            .env("JUPYTER_DATA_DIR", jupyter.join("data"))
            .env("JUPYTER_RUNTIME_DIR", jupyter.join("runtime"))
            .env("JUPYTERLAB_SETTINGS_DIR", jupyter.join("lab/settings"))
            .env("JUPYTERLAB_WORKSPACES_DIR", jupyter.join("lab/workspaces"))
            .env("IPYTHONDIR", jupyter.join("ipython"))
            .env("PATH", self.path_with_venv())
            .env_remove("JUPYTER_PATH")
            .env_remove("PYTHONPATH")
            .env_remove("PYTHONHOME");
        command
    }

    fn path_with_venv(&self) -> OsString {
        let old = std::env::var_os("PATH").unwrap_or_default();
        let dirs = std::iter::once(self.path(".venv/bin")).chain(std::env::split_paths(&old));
        std::env::join_paths(dirs).unwrap_or(old)
    }

    /// The notebooks that `names` mean, in order: a number (`04`), a name with or without
    /// `.ipynb`, or a path. All of `notebooks/` where `names` is empty.
    ///
    /// # Errors
    /// [`Usage`] for a name that means no notebook.
    pub fn find_notebooks(&self, names: &[String]) -> Result<Vec<PathBuf>> {
        let all = self.all_notebooks()?;
        if names.is_empty() {
            return Ok(all);
        }
        names.iter().map(|name| find_notebook(name, &all)).collect()
    }

    fn all_notebooks(&self) -> Result<Vec<PathBuf>> {
        let dir = self.notebooks_dir();
        let mut all: Vec<PathBuf> = std::fs::read_dir(&dir)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "ipynb"))
            .collect();
        all.sort();
        if all.is_empty() {
            bail!("no notebook in {}: is this clone complete? try `git status`", dir.display());
        }
        Ok(all)
    }
}

fn find_notebook(name: &str, all: &[PathBuf]) -> Result<PathBuf> {
    let stem = name.strip_suffix(".ipynb").unwrap_or(name);
    let known = all.iter().find(|path| {
        let known = notebook_name(path);
        known == stem || known.split('_').next() == Some(stem)
    });
    let path = Path::new(name);
    // `04_x.ipynb` in the directory at hand is meant before the one in notebooks/.
    let is_path = name.ends_with(".ipynb") && path.is_file();
    match known {
        Some(known) if !is_path => Ok(known.clone()),
        _ if path.is_file() => Ok(std::path::absolute(path)?),
        _ => {
            let known: Vec<String> = all.iter().map(|path| notebook_name(path)).collect();
            Err(Usage(format!(
                "no notebook named `{name}`; there are {}, or give the path of a file",
                known.join(", ")
            ))
            .into())
        }
    }
}

/// A notebook's name for people: its file name without the ending.
pub fn notebook_name(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}
