//! The steps of set-up: which are to be done, and in what order.

use super::state::State;
use super::venv::Wheels;
use super::{
    crates, dependencies, kernel, kernelspecs, lock, prerequisites, rust_src, torch, venv, warm,
};
use crate::kernel::Kernel;
use crate::process::cancel::{Cancel, Cancelled};
use crate::process::progress::Board;
use crate::project::Project;
use anyhow::Result;
use std::fs::File;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A set-up.
pub struct Steps<'a> {
    project: &'a Project,
    state: Mutex<State>,
    /// What the environment gets.
    pub wheels: Wheels,
    board: Board,
    cancel: Cancel,
    /// Held while this process sets up; another one waits.
    _lock: Option<File>,
}

impl<'a> Steps<'a> {
    pub fn begin(project: &'a Project) -> Result<Self> {
        prerequisites::path(project)?;
        let lock = lock::wait(project)?;
        Ok(Steps { _lock: Some(lock), ..Steps::read(project) })
    }

    /// What is recorded, for somebody who will not change it.
    pub fn read(project: &'a Project) -> Self {
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
    pub fn run(&self) -> Result<usize> {
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
            self.step("kernelspec", &kernelspecs::key(project), || kernelspecs::write(project))?;
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

    pub fn state(&self) -> MutexGuard<'_, State> {
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

    pub fn result_exists(&self, name: &str) -> bool {
        match name {
            "crates" => crates::cache_dir().is_some_and(|dir| dir.is_dir()),
            "venv" => self.project.python().exists(),
            "kernel" => self.project.kernel().exists(),
            "kernelspec" => {
                Kernel::ALL.iter().all(|kernel| kernelspecs::path(self.project, *kernel).exists())
            }
            "dependencies" => dependencies::target_dir(self.project).exists(),
            "warm" => self.project.warm_dir().join("Cargo.lock").exists(),
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
