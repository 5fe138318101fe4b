//! `cargo blitz setup`: everything that the notebooks need, made once, below the repository.

mod crates;
pub mod dependencies;
mod kernel;
pub mod kernelspec;
mod rust_src;
pub mod shared;
mod venv;
mod warm;

use crate::cli::SetupOptions;
use crate::command::{Cancel, Cancelled};
use crate::fingerprint::State;
use crate::progress::{self, Board, Step};
use crate::project::Project;
use crate::{doctor, prerequisites, torch};
use anyhow::{Context, Result};
use kernelspec::Kernel;
use std::fs::{self, File, TryLockError};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
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
    if shared::is_read_only(project) {
        shared::check(project)?;
        eprintln!("Nothing to do: everything is set up, by somebody else.");
        return Ok(());
    }
    let mut steps = Steps::begin(project)?;
    if options.cpu {
        steps.wheels = Wheels::Cpu;
    }
    // Changed by hand, or made with a Python that the system has since replaced.
    if torch::check(project).is_err() || doctor::packages(project).is_err() {
        steps.state().forget("venv")?;
    }
    if Kernel::ALL.iter().any(|kernel| kernelspec::check(project, *kernel).is_err()) {
        steps.state().forget("kernelspec")?;
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
    if shared::is_read_only(project) {
        return shared::check(project);
    }
    Steps::begin(project)?.run().map(drop)
}

struct Steps<'a> {
    project: &'a Project,
    state: Mutex<State>,
    wheels: Wheels,
    board: Board,
    cancel: Cancel,
    /// Held while this process sets up; another one waits.
    _lock: Option<File>,
}

impl<'a> Steps<'a> {
    fn begin(project: &'a Project) -> Result<Self> {
        prerequisites::path(project)?;
        let lock = lock(project)?;
        Ok(Steps { _lock: Some(lock), ..Steps::read(project) })
    }

    /// What is recorded, for somebody who will not change it.
    fn read(project: &'a Project) -> Self {
        let state = State::read(project);
        let wheels = match state.get("wheels") {
            Some("cpu") => Wheels::Cpu,
            _ => Wheels::Default,
        };
        let (board, cancel) = (Board::default(), Cancel::default());
        Steps { project, state: Mutex::new(state), wheels, board, cancel, _lock: None }
    }

    /// Runs the steps that are not up to date and returns how many there were.
    ///
    /// What depends on PyTorch and what does not go on side by side: the one begins with the network
    /// and the disk, the other with the processor.
    fn run(&self) -> Result<usize> {
        let project = self.project;
        let rustc = prerequisites::rust()?;
        let kernel = kernel::key(project, &rustc);
        if !self.is_done("venv", &venv::key(project, self.wheels))
            || !self.is_done("kernel", &kernel)
        {
            prerequisites::check(project)?;
        }
        let (dependencies, built) = std::thread::scope(|scope| {
            let built = scope.spawn(|| self.or_cancel(self.kernel(&rustc, &kernel)));
            let dependencies = self.or_cancel(self.libtorch_and_dependencies(&rustc));
            (dependencies, built.join())
        });
        let built = built.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        let ((of_libtorch, dependencies), of_kernel) = both(dependencies, built)?;
        let mut done = of_libtorch + of_kernel;
        done +=
            self.step("kernelspec", &kernelspec::key(project), || kernelspec::write(project))?;
        let warm = warm::key(&dependencies, &kernel);
        done += self.step("warm", &warm, || warm::prepare(project, &self.board))?;
        Ok(done)
    }

    /// The Python environment, and what is compiled against its libtorch. Returns how many steps
    /// there were, and the key of what is compiled.
    fn libtorch_and_dependencies(&self, rustc: &str) -> Result<(usize, String)> {
        let project = self.project;
        let mut done = self.step("venv", &venv::key(project, self.wheels), || {
            // Whatever depends on the environment's contents is checked again after it.
            self.state().forget("kernelspec")?;
            venv::make(project, self.wheels, &self.board, &self.cancel)
        })?;
        if self.wheels == Wheels::Cpu && self.state().get("wheels") != Some("cpu") {
            // Remembered only now: a choice that could not be had must not stay.
            self.state().set("wheels", "cpu")?;
        }
        let (torch_dir, torch_version) = torch::check(project)?;
        torch::link(project, &torch_dir)?;
        let compiled_for = self.state().get("torch").map(str::to_owned);
        if compiled_for.as_ref().is_some_and(|compiled_for| *compiled_for != torch_version) {
            self.state().forget("dependencies")?;
            dependencies::forget_other_libtorch(project)?;
        }
        if compiled_for.as_ref() != Some(&torch_version) {
            self.state().set("torch", &torch_version)?;
        }
        let key = dependencies::key(project, rustc, &torch_version);
        done += self.step("dependencies", &key, || {
            prerequisites::compiler()?;
            dependencies::compile(project, &self.board, &self.cancel)
        })?;
        Ok((done, key))
    }

    /// What needs no libtorch. Returns how many steps there were.
    fn kernel(&self, rustc: &str, key: &str) -> Result<usize> {
        let project = self.project;
        let mut done = self.step("crates", &crates::key(project), || {
            crates::fetch(project, &self.board, &self.cancel)
        })?;
        done += self.step("rust-src", rustc, || rust_src::add(&self.board))?;
        done += self.step("kernel", key, || kernel::build(project, &self.board, &self.cancel))?;
        Ok(done)
    }

    fn or_cancel<T>(&self, result: Result<T>) -> Result<T> {
        result.inspect_err(|_| self.cancel.cancel())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `work` unless it is recorded as done for `key` and its result is still there.
    fn step(&self, name: &str, key: &str, work: impl FnOnce() -> Result<()>) -> Result<usize> {
        if self.is_done(name, key) {
            return Ok(0);
        }
        self.state().forget(name)?;
        work()?;
        self.state().set(name, key)?;
        Ok(1)
    }

    fn is_done(&self, name: &str, key: &str) -> bool {
        self.state().get(name) == Some(key) && self.result_exists(name)
    }

    fn result_exists(&self, name: &str) -> bool {
        match name {
            "crates" => crates::cache_dir().is_some_and(|dir| dir.is_dir()),
            "venv" => self.project.python().exists(),
            "kernel" => self.project.kernel().exists(),
            "kernelspec" => {
                Kernel::ALL.iter().all(|kernel| kernelspec::path(self.project, *kernel).exists())
            }
            "dependencies" => dependencies::target_dir(self.project).exists(),
            "warm" => self.project.path(".blitz/warm/Cargo.lock").exists(),
            _ => true,
        }
    }
}

/// Both results. Of two errors the first that was not caused by the other.
fn both<A, B>(one: Result<A>, other: Result<B>) -> Result<(A, B)> {
    match (one, other) {
        (Ok(one), Ok(other)) => Ok((one, other)),
        (Err(error), Ok(_)) | (Ok(_), Err(error)) => Err(error),
        (Err(one), Err(other)) => Err(if one.is::<Cancelled>() { other } else { one }),
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
