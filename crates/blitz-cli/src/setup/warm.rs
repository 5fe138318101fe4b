//! Compiling the notebooks' dependencies once.

use crate::command::run_logged;
use crate::fingerprint::Fingerprint;
use crate::progress::Step;
use crate::project::Project;
use anyhow::Result;
use std::process::Command;

/// The key: the helper crate, all versions, the compiler, libtorch and the kernel.
pub fn key(project: &Project, rustc: &str, torch_version: &str, kernel: &str) -> String {
    Fingerprint::new()
        .path(&project.path("crates/blitz/src"))
        .path(&project.path("crates/blitz/build.rs"))
        .path(&project.path("crates/blitz/Cargo.toml"))
        .path(&project.path("Cargo.lock"))
        .text(rustc)
        .text(torch_version)
        .text(kernel)
        .finish()
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
