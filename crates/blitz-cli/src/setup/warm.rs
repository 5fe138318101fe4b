//! Compiling the notebooks' dependencies once.

use crate::command::{run_logged, run_visibly};
use crate::fingerprint::Fingerprint;
use crate::progress::Step;
use crate::project::Project;
use anyhow::{Context, Result};
use std::fs;
use std::process::Command;

/// The key: the helper crate, all versions, the compiler, libtorch and the kernel.
pub fn key(project: &Project, rustc: &str, torch_version: &str, kernel: &str) -> String {
    Fingerprint::new()
        .path(&project.path("crates/blitz/src"))
        .modified(&project.path("crates/blitz/src"))
        .path(&project.path("crates/blitz/cpp"))
        .modified(&project.path("crates/blitz/cpp"))
        .path(&project.path("crates/blitz/build.rs"))
        .modified(&project.path("crates/blitz/build.rs"))
        .path(&project.path("crates/blitz/Cargo.toml"))
        .path(&project.path("crates/blitz-places"))
        .modified(&project.path("crates/blitz-places/src"))
        .path(&project.path("Cargo.lock"))
        .text(rustc)
        .text(torch_version)
        .text(kernel)
        .finish()
}

/// Throws away what was compiled for another libtorch. cargo would keep it: the path is the same,
/// but the libraries that it holds are not (CUDA's come and go with `--cpu`).
pub fn forget_other_libtorch(project: &Project) -> Result<()> {
    let warm = project.path(".blitz/warm");
    if warm.exists() {
        fs::remove_dir_all(&warm).with_context(|| format!("cannot remove {}", warm.display()))?;
    }
    let mut command = Command::new("cargo");
    command.current_dir(project.root()).args(["clean", "--quiet", "--package", "torch-sys"]);
    run_visibly(command)
}

/// Has the kernel compile them into `.blitz/warm`, where every kernel starts from.
pub fn compile(project: &Project) -> Result<()> {
    let step = Step::start("compiling the notebooks' dependencies (tch, plotters, …)");
    let mut command = Command::new(project.kernel());
    command.arg("warm").current_dir(project.notebooks_dir());
    match run_logged(&step, command, &project.path(".blitz/logs/warm.log")) {
        Ok(()) => {
            step.done("");
            Ok(())
        }
        Err(error) => {
            step.failed();
            Err(error.context("the notebooks' dependencies could not be compiled"))
        }
    }
}
