//! `cargo blitz setup`: everything that the notebooks need, made once, below the repository.

mod kernel;
pub mod kernelspec;
mod rust_src;
mod venv;
mod warm;

use crate::cli::SetupOptions;
use crate::fingerprint::State;
use crate::progress::{self, Step};
use crate::project::Project;
use crate::{doctor, prerequisites, torch};
use anyhow::{Context, Result};
use kernelspec::Kernel;
use std::fs::{self, File, TryLockError};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Which of PyTorch's builds the environment gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wheels {
    /// What PyPI has: with CUDA on Linux, which also runs on machines without a GPU.
    Default,
    /// CPU only, from PyTorch's own index, or from PyPI with CUDA taken out.
    Cpu,
}

/// The `setup` subcommand: sets up, and mends what the other subcommands only report.
///
/// # Errors
/// A prerequisite is missing or a step fails.
pub fn setup(project: &Project, options: &SetupOptions) -> Result<()> {
    let start = Instant::now();
    let mut steps = Steps::begin(project)?;
    if options.cpu {
        steps.wheels = Wheels::Cpu;
    }
    // Changed by hand, or made with a Python that the system has since replaced.
    if torch::check(project).is_err() || doctor::packages(project).is_err() {
        steps.state.forget("venv")?;
    }
    if Kernel::ALL.iter().any(|kernel| kernelspec::check(project, *kernel).is_err()) {
        steps.state.forget("kernelspec")?;
    }
    let done = steps.run()?;
    if done == 0 {
        eprintln!("Nothing to do: everything is set up ({}).", progress::elapsed(start.elapsed()));
    } else {
        eprintln!(
            "Set up in {}. Next: cargo blitz run, or cargo blitz lab",
            progress::elapsed(start.elapsed())
        );
    }
    Ok(())
}

/// Sets up if need be, for the other subcommands.
///
/// # Errors
/// As [`setup`]; and the environment was changed by hand so that it does not work.
pub fn ensure(project: &Project) -> Result<()> {
    Steps::begin(project)?.run().map(drop)
}

struct Steps<'a> {
    project: &'a Project,
    state: State,
    wheels: Wheels,
    /// Held while this process sets up; another one waits.
    _lock: File,
}

impl<'a> Steps<'a> {
    fn begin(project: &'a Project) -> Result<Self> {
        prerequisites::path(project)?;
        let lock = lock(project)?;
        let state = State::read(project);
        let wheels = match state.get("wheels") {
            Some("cpu") => Wheels::Cpu,
            _ => Wheels::Default,
        };
        Ok(Steps { project, state, wheels, _lock: lock })
    }

    /// Runs the steps that are not up to date and returns how many there were.
    fn run(&mut self) -> Result<usize> {
        let project = self.project;
        let rustc = prerequisites::rust()?;
        let wheels = self.wheels;
        let mut done = 0;
        done += self.step("venv", &venv::key(project, wheels), |state| {
            prerequisites::check(project)?;
            // Whatever depends on the environment's contents is checked again after it.
            state.forget("kernelspec")?;
            venv::make(project, wheels)
        })?;
        if wheels == Wheels::Cpu && self.state.get("wheels") != Some("cpu") {
            // Remembered only now: a choice that could not be had must not stay.
            self.state.set("wheels", "cpu")?;
        }
        let (torch_dir, torch_version) = torch::check(project)?;
        torch::link(project, &torch_dir)?;
        if self.state.get("torch").is_some_and(|compiled_for| compiled_for != torch_version) {
            self.state.forget("warm")?;
            warm::forget_other_libtorch(project)?;
        }
        if self.state.get("torch") != Some(&torch_version) {
            self.state.set("torch", &torch_version)?;
        }
        done += self.step("rust-src", &rustc, |_| rust_src::add())?;
        let kernel = kernel::key(project, &rustc);
        done += self.step("kernel", &kernel, |_| kernel::build(project))?;
        let spec = kernelspec::key(project);
        done += self.step("kernelspec", &spec, |_| kernelspec::write(project))?;
        let warm = warm::key(project, &rustc, &torch_version, &kernel);
        done += self.step("warm", &warm, |_| {
            prerequisites::compiler()?;
            warm::compile(project)
        })?;
        Ok(done)
    }

    /// Runs `work` unless it is recorded as done for `key` and its result is still there.
    fn step(
        &mut self,
        name: &str,
        key: &str,
        work: impl FnOnce(&mut State) -> Result<()>,
    ) -> Result<usize> {
        if self.state.get(name) == Some(key) && self.result_exists(name) {
            return Ok(0);
        }
        self.state.forget(name)?;
        work(&mut self.state)?;
        self.state.set(name, key)?;
        Ok(1)
    }

    fn result_exists(&self, name: &str) -> bool {
        match name {
            "venv" => self.project.python().exists(),
            "kernel" => self.project.kernel().exists(),
            "kernelspec" => {
                Kernel::ALL.iter().all(|kernel| kernelspec::path(self.project, *kernel).exists())
            }
            "warm" => self.project.path(".blitz/warm/Cargo.lock").exists(),
            _ => true,
        }
    }
}

fn lock(project: &Project) -> Result<File> {
    loop {
        if let Some(file) = try_lock(project)? {
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
pub fn try_lock(project: &Project) -> Result<Option<File>> {
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
    let path = project.path(".blitz/setup.lock");
    let open = || -> std::io::Result<File> {
        // Jupyter's own files go there, and IPython warns where it is missing.
        fs::create_dir_all(project.path(".blitz/jupyter"))?;
        File::options().create(true).append(true).open(&path)
    };
    let file = open().with_context(|| format!("cannot write {}", path.display()))?;
    Ok((path, file))
}

fn is_at(file: &File, path: &Path) -> bool {
    let id = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    file.metadata().ok().map(id) == fs::metadata(path).ok().map(id)
}
