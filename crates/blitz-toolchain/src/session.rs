//! A kernel's tools, as the processes that evcxr starts find them described.

use crate::toolchain::{self, Toolchain};
use anyhow::{Context, Result};
use blitz_contract::layout::CELLS;
use blitz_contract::{Layout, variables};
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Names the build directory of the kernel that the tools belong to.
pub const SESSION_VAR: &str = "BLITZ_TOOLCHAIN";
/// Where a session is described, below its build directory.
const SESSION_FILE: &str = "toolchain.json";
/// The variables that [`install`](crate::install) changes for evcxr.
const CHANGED: [&str; 3] = ["PATH", "CARGO_HOME", "RUST_SRC_PATH"];

/// How much evcxr's rust-analyzer is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Analysis {
    /// All that cells can name.
    Everything,
    /// The cell alone. Reading everything takes seconds and 400 MB; rustc knows the types of variables,
    /// too ([`inferred`](crate::variable_types::inferred)).
    CellAlone,
}

/// A kernel's tools: what they stand before, and where they keep what they know.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Session {
    /// The repository.
    root: PathBuf,
    /// evcxr's crate directory.
    pub build_dir: PathBuf,
    /// The answers recorded by set-up.
    pub store: PathBuf,
    /// Where cells are kept that were compiled before, for every kernel of this person.
    pub kept_cells: Option<PathBuf>,
    /// The compiled dependencies that the build directory was started from.
    pub warm_dir: PathBuf,
    /// The real tools.
    pub toolchain: Toolchain,
    /// What rust-analyzer is shown.
    pub analysis: Analysis,
    /// The person's environment: variables that the tools are put before by. Its `PATH` leads to the
    /// toolchain, however the kernel was started.
    pub environment: Vec<(String, Option<OsString>)>,
}

impl Session {
    /// The tools of a kernel that builds in `build_dir` and has this process's environment.
    pub fn of_this_process(
        layout: &Layout,
        build_dir: &Path,
        toolchain: Toolchain,
        analysis: Analysis,
    ) -> Self {
        let value = |name: &str| match std::env::var_os(name) {
            path if name == "PATH" => Some(toolchain.completed_path(path.as_deref())),
            value => value,
        };
        let mut environment = CHANGED.map(|name| (name.to_owned(), value(name))).to_vec();
        // What set-up has compiled looks for the standard library where it was then.
        let recorded = Toolchain::load(&layout.answers_dir());
        if recorded.is_some_and(|recorded| recorded.sysroot != toolchain.sysroot) {
            let others = std::env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
            let dirs = std::iter::once(toolchain.std_dir()).chain(std::env::split_paths(&others));
            let dirs = std::env::join_paths(dirs.filter(|dir| !dir.as_os_str().is_empty()));
            environment.push(("LD_LIBRARY_PATH".to_owned(), dirs.ok()));
        }
        Session {
            root: layout.root().to_owned(),
            build_dir: build_dir.to_owned(),
            store: layout.answers_dir(),
            kept_cells: kept_cells(layout, build_dir),
            warm_dir: layout.warm_dir(),
            toolchain,
            analysis,
            environment,
        }
    }

    /// The session that this process's environment names, if one does.
    pub fn of_environment() -> Option<Self> {
        let build_dir = PathBuf::from(std::env::var_os(SESSION_VAR)?);
        let text = fs::read_to_string(build_dir.join(SESSION_FILE)).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// Describes the session to the tools.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save(&self) -> Result<()> {
        let text = serde_json::to_string(self).context("the session has no JSON form")?;
        let file = self.build_dir.join(SESSION_FILE);
        fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))
    }

    /// The repository.
    pub fn layout(&self) -> Layout {
        Layout::new(&self.root)
    }

    /// Whether the session is set-up's, whose results every kernel starts from.
    pub fn is_set_up(&self) -> bool {
        self.build_dir == self.warm_dir
    }

    /// Gives `command` the environment that the person started the kernel with.
    pub fn restore(&self, command: &mut Command) {
        for (name, value) in &self.environment {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command.env_remove(SESSION_VAR);
    }

    /// The person's own cargo directory.
    pub fn own_cargo_home(&self) -> PathBuf {
        let variable = self.environment.iter().find(|(name, _)| name == "CARGO_HOME");
        toolchain::cargo_home(variable.and_then(|(_, value)| value.clone()))
    }

    /// The links under which this binary is a tool.
    pub fn bin_dir(&self) -> PathBuf {
        self.build_dir.join("bin")
    }

    /// The answers that this kernel recorded itself.
    pub fn own_store(&self) -> PathBuf {
        self.build_dir.join("answers")
    }
}

/// What set-up compiles it keeps in its own way. Best effort: without the directory, cells are compiled.
fn kept_cells(layout: &Layout, build_dir: &Path) -> Option<PathBuf> {
    let is_off = std::env::var_os(variables::KEPT_CELLS).is_some_and(|it| it == variables::OFF);
    let is_set_up = build_dir == layout.warm_dir();
    (!is_off && !is_set_up).then(|| blitz_user_dirs::own_subdir(layout.root(), CELLS).ok())?
}

#[cfg(test)]
impl Session {
    /// A session in `build_dir` whose toolchain is an empty file.
    pub fn for_tests(build_dir: &Path) -> Self {
        let file = build_dir.join("binary");
        fs::write(&file, "").expect("a file is written");
        let binary = toolchain::Stamped::now(&file).expect("the file is there");
        let toolchain = Toolchain {
            cargo: binary.clone(),
            rustc: binary,
            version: "rustc 1.0\nhost: x86_64\n".into(),
            sysroot: build_dir.join("toolchain"),
            cargo_home: build_dir.join("cargo"),
            dirs: Vec::new(),
        };
        Session {
            root: build_dir.join("repository"),
            build_dir: build_dir.to_owned(),
            store: build_dir.join("store"),
            kept_cells: None,
            warm_dir: build_dir.join("warm"),
            toolchain,
            analysis: Analysis::Everything,
            environment: vec![("PATH".into(), Some("/own".into())), ("CARGO_HOME".into(), None)],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_gets_the_persons_environment_back() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let mut command = Command::new("true");
        command.env("PATH", "/kernel").env(SESSION_VAR, "x");
        Session::for_tests(dir.path()).restore(&mut command);
        let changed = |name: &str| {
            let found = command.get_envs().find(|(it, _)| *it == name);
            found.map(|(_, value)| value.map(|value| value.to_string_lossy().into_owned()))
        };
        assert_eq!(changed("PATH"), Some(Some("/own".into())));
        assert_eq!(changed("CARGO_HOME"), Some(None));
        assert_eq!(changed(SESSION_VAR), Some(None));
    }
}
